/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Deny lists on their way through a thread: a million prefixes take a good part of a second to
 * read, in which the event loop has other things to do. */
#pragma once

#include "dataplane/xdp/deny_outcome.h"

#include <systemd/sd-event.h>

struct deny_job;

/* Called from the event loop when the thread has ended; it may free the job. r: of
 * deny_outcome_make(), with its outcome or its error, which stay the job's unless they are taken.
 */
typedef void (*deny_job_fn)(
	int r, struct deny_outcome *outcome, struct error *error, void *userdata);

/* files are borrowed while the job lives. */
int deny_job_new(const char *const *files, size_t count, sd_event *event, deny_job_fn done,
	void *userdata, struct deny_job **ret, struct error *error);
/* Waits for the thread. */
void deny_job_free(struct deny_job *job);
