/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The checks, one noun a file. Each says something in any case: what is well, too. */
#pragma once

#include "doctor/doctor.h"

#include <stdbool.h>
#include <string.h>

static inline bool doctor_uses(const struct doctor_view *view, const char *dataplane)
{
	return !strcmp(view->dataplane, dataplane);
}

void check_kernel(const struct doctor_view *view, struct findings *findings);
void check_process(const struct doctor_view *view, struct findings *findings);
void check_attachments(const struct doctor_view *view, struct findings *findings);
void check_workloads(const struct doctor_view *view, struct findings *findings);
void check_path(const struct doctor_view *view, struct findings *findings);
void check_firewalls(const struct doctor_view *view, struct findings *findings);
void check_state(const struct doctor_view *view, struct findings *findings);
void check_runtimes(const struct doctor_view *view, struct findings *findings);
void check_node(const struct doctor_view *view, struct findings *findings);
