/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What somebody else did to our tables, and what came of it. */
#pragma once

#include "dataplane/dataplane.h"
#include "dataplane/nft/watch.h"

#include <jansson.h>
#include <stdint.h>

#define REPAIRS_TEXT_MAX 512

struct repairs {
	uint64_t count;
	uint64_t failures;
	uint64_t last_duration_ns;   /* from the kernel's word to the repaired table */
	char last[REPAIRS_TEXT_MAX]; /* "": nobody did anything */
};

/* Counts one and tells of it: its intrusion, how long it took, and in error whether it failed. What
 * fails again and again in the same way is told once. */
void repairs_add(struct repairs *repairs, const struct intrusion *intrusion, uint64_t duration_ns,
	const struct error *error, const struct dataplane_callbacks *callbacks);

/* {"count", "failures", "overruns", "last": text or null, "last_milliseconds"} New reference. */
json_t *repairs_describe(const struct repairs *repairs, uint64_t overruns);
