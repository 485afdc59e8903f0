/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "doctor/doctor.h"

#include "base/cleanup.h"
#include "doctor/check.h"

#include <errno.h>

int doctor_examine(const struct doctor_view *view, struct findings *findings)
{
	static const struct {
		const char *area;
		void (*check)(const struct doctor_view *view, struct findings *findings);
	} checks[] = {
		{"agent", check_state},
		{"kernel", check_kernel},
		{"process", check_process},
		{"interfaces", check_attachments},
		{"workloads", check_workloads},
		{"packet path", check_path},
		{"other firewalls", check_firewalls},
		{"runtimes", check_runtimes},
		{"node", check_node},
	};

	for (size_t i = 0; i < ARRAY_SIZE(checks); i++) {
		findings->area = checks[i].area;
		checks[i].check(view, findings);
	}
	return findings->list ? 0 : -ENOMEM;
}
