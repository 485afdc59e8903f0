/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How long a source of events rests when it was read. To be woken costs as much as to read some
 * hundred events, so those of a tenth of a second are read together; in a storm, which might fill
 * what the kernel keeps them in, those of a fiftieth.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <systemd/sd-event.h>

#define REST_USEC       100000
#define REST_STORM_USEC 20000

struct rest {
	bool storm;
};

/* The first events wait for nothing. 0 or a negative errno. */
static inline int rest_begin(struct rest *rest, sd_event_source *source)
{
	rest->storm = false;
	return sd_event_source_set_ratelimit(source, REST_USEC, 1);
}

/* events were read now. many: as many in a tenth of a second are a storm. */
static inline void rest_after(
	struct rest *rest, sd_event_source *source, size_t events, size_t many)
{
	bool storm = events >= (rest->storm ? many * REST_STORM_USEC / REST_USEC : many);

	if (storm != rest->storm &&
		sd_event_source_set_ratelimit(source, storm ? REST_STORM_USEC : REST_USEC, 1) >= 0)
		rest->storm = storm;
}
