// SPDX-License-Identifier: GPL-2.0-or-later
#include "detect/walk.h"

#include "base/clock.h"

#include <math.h>

struct walk_limits walk_limits(
	double benign, double scanner, double false_alarm, double credit, double half_life_hours)
{
	double down = log((1 - benign) / (1 - scanner));

	return (struct walk_limits){
		.up = log(scanner / benign),
		.down = down,
		.threshold = log(0.99 / false_alarm), /* 0.99: of scanners that are found */
		.credit = credit * down,
		.half_life_ns = half_life_hours * 3600 * (double)NS_PER_SECOND,
	};
}

static void age(struct walk *walk, const struct walk_limits *limits, uint64_t time_ns)
{
	if (time_ns <= walk->time_ns)
		return;
	if (walk->time_ns)
		walk->value *= exp2(-(double)(time_ns - walk->time_ns) / limits->half_life_ns);
	walk->time_ns = time_ns;
}

void walk_fail(struct walk *walk, const struct walk_limits *limits, uint64_t time_ns)
{
	age(walk, limits, time_ns);
	walk->value += limits->up;
}

void walk_succeed(struct walk *walk, const struct walk_limits *limits, uint64_t time_ns)
{
	age(walk, limits, time_ns);
	walk->value -= limits->down;
	if (walk->value < -limits->credit)
		walk->value = -limits->credit;
}

bool walk_accuses(const struct walk *walk, const struct walk_limits *limits)
{
	return walk->value > limits->threshold;
}

bool walk_is_low(const struct walk *walk)
{
	return walk->value <= 0;
}
