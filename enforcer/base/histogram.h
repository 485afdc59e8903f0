/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How long something took, each time: a fixed number of counts, from half a millisecond to ten
 * seconds. */
#pragma once

#include <stdint.h>

#define HISTOGRAM_BUCKETS 14 /* below each bound; behind them one for the rest */

/* Seconds, ascending. */
extern const double histogram_bounds[HISTOGRAM_BUCKETS];

struct histogram {
	uint64_t counts[HISTOGRAM_BUCKETS + 1]; /* not cumulative */
	uint64_t sum_ns;
};

void histogram_add(struct histogram *histogram, uint64_t duration_ns);
