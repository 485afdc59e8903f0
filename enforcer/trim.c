/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "trim.h"

#include "agent.h"

#include <malloc.h>

#define REST_USEC 1000000
/* Less is not worth the look through all that is free, which takes a millisecond or some. */
#define SPARE_BYTES_MIN (512UL << 10)

static int on_rest(sd_event_source *source, uint64_t usec, void *userdata)
{
	(void)source;
	(void)usec;
	(void)userdata;
	if (mallinfo2().fordblks >= SPARE_BYTES_MIN)
		malloc_trim(0);
	return 0;
}

void trim_soon(struct agent *agent)
{
	int r;

	if (agent->trim)
		r = sd_event_source_set_time_relative(agent->trim, REST_USEC);
	else
		r = sd_event_add_time_relative(
			agent->event, &agent->trim, CLOCK_MONOTONIC, REST_USEC, 0, on_rest, agent);
	if (r < 0)
		return;
	sd_event_source_set_priority(agent->trim, SD_EVENT_PRIORITY_IDLE);
	sd_event_source_set_enabled(agent->trim, SD_EVENT_ONESHOT);
}
