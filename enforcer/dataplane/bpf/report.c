/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "dataplane/bpf/report.h"

#include "base/clock.h"

/* Below this the two clocks count as moving together, so that a connection's start stays the same
 * number in all its events. */
#define CLOCK_STEP_NS 1000000

void report_now(struct report *report)
{
	uint64_t boottime_ns = clock_ns(CLOCK_BOOTTIME);
	uint64_t offset_ns = clock_ns(CLOCK_REALTIME) - boottime_ns;
	int64_t step_ns = (int64_t)(offset_ns - report->context.realtime_offset_ns);

	report->context.now_ns = boottime_ns;
	if (step_ns > CLOCK_STEP_NS || step_ns < -CLOCK_STEP_NS)
		report->context.realtime_offset_ns = offset_ns;
}

void report_flow(const struct report *report, const struct flow_event *event)
{
	report->callbacks->flow(event, report->callbacks->userdata);
}
