/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Where the time of a longer piece of work goes: a stopwatch with named laps. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#define LAPS_MAX 20

struct lap {
	const char *name; /* borrowed for ever: a literal */
	uint64_t ns;
};

struct laps {
	struct lap items[LAPS_MAX];
	size_t count;
	uint64_t since_ns; /* CLOCK_MONOTONIC */
};

/* Forgets all laps, and starts the first. */
void laps_start(struct laps *laps);
/* The lap that ends now was called name; the next begins. Laps of one name add up; one name more
 * than there is room for counts with the last. Nothing where laps is NULL. */
void laps_end(struct laps *laps, const char *name);
