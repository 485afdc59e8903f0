/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/histogram.h"

#include <stddef.h>

const double histogram_bounds[HISTOGRAM_BUCKETS] = {
	0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10};

void histogram_add(struct histogram *histogram, uint64_t duration_ns)
{
	double seconds = (double)duration_ns / 1e9;
	size_t bucket = 0;

	while (bucket < HISTOGRAM_BUCKETS && seconds > histogram_bounds[bucket])
		bucket++;
	histogram->counts[bucket]++;
	histogram->sum_ns += duration_ns;
}
