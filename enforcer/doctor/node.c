/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The machine: its clock and its disk. */
#include "doctor/check.h"

#include <errno.h>
#include <inttypes.h>
#include <stdint.h>
#include <sys/statvfs.h>
#include <sys/timex.h>

#define MIB           ((uint64_t)1 << 20)
#define LOG_ROOM_MIB  1024 /* what the flow log may take, see flow/pipeline.h */
#define LOG_ALARM_MIB 64

static void check_clock(struct findings *findings)
{
	struct timex state = {0};

	if (adjtimex(&state) < 0 || state.status & STA_UNSYNC)
		findings_add(findings, FINDING_NOTE, "clock",
			"apt-get install systemd-timesyncd, or chrony",
			"the clock is not kept by any time service: records of two nodes cannot be "
			"put in order");
	else
		findings_add(findings, FINDING_OK, "clock", NULL, "the clock is synchronized");
}

static void check_disk(const struct doctor_view *view, struct findings *findings)
{
	struct statvfs disk;
	uint64_t free_mib;

	if (statvfs(view->log_directory, &disk) < 0) {
		if (errno != ENOENT)
			findings_add(findings, FINDING_WARNING, "log-space",
				"name another by --log-directory",
				"the flow log's directory %s cannot be looked at: %s",
				view->log_directory, strerror(errno));
		return;
	}
	free_mib = (uint64_t)disk.f_bavail * disk.f_frsize / MIB;
	if (free_mib >= LOG_ROOM_MIB) {
		findings_add(findings, FINDING_OK, "log-space", NULL,
			"%" PRIu64 " MiB are free for the flow log in %s", free_mib,
			view->log_directory);
		return;
	}
	findings_add(findings, free_mib < LOG_ALARM_MIB ? FINDING_ERROR : FINDING_WARNING,
		"log-space", NULL,
		"only %" PRIu64
		" MiB are free in %s: the flow log may take %d MiB, and records that "
		"find no room are lost",
		free_mib, view->log_directory, LOG_ROOM_MIB);
	findings_advise(findings, "make room on the disk of %s, or name another by --log-directory",
		view->log_directory);
}

void check_node(const struct doctor_view *view, struct findings *findings)
{
	check_clock(findings);
	check_disk(view, findings);
}
