/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The way up: everything that turns kernel state into flow events hands it on through this. */
#pragma once

#include "dataplane/bpf/flows.h"
#include "dataplane/dataplane.h"

struct report {
	const struct dataplane_callbacks *callbacks;
	struct flow_context context;
};

/* Looks at the clocks: once before each batch of events. */
void report_now(struct report *report);
void report_flow(const struct report *report, const struct flow_event *event);
