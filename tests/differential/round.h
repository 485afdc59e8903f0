/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The probes of one model: sent all together, then awaited. */
#pragma once

#include "post.h"

#include <stddef.h>
#include <systemd/sd-event.h>

struct dataplane;
struct dataplane_ops;

struct round {
	const struct post *post;
	sd_event *event;
	const struct dataplane_ops *ops;
	struct dataplane *plane; /* NULL: there is none, and everything should pass */
	struct probe *probes;
	size_t count;
};

/* Returns when each probe is settled, or after a few seconds of grace. Events of the data plane
 * come by round_take_event(), from whoever has its callbacks. */
int round_run(struct round *round, struct error *error);
void round_take_event(struct round *round, const struct flow_event *event);
