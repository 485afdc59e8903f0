/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/laps.h"

#include "base/clock.h"

#include <string.h>

void laps_start(struct laps *laps)
{
	laps->count = 0;
	laps->since_ns = clock_ns(CLOCK_MONOTONIC);
}

void laps_end(struct laps *laps, const char *name)
{
	uint64_t now_ns = clock_ns(CLOCK_MONOTONIC);
	size_t i = 0;

	if (!laps)
		return;
	while (i < laps->count && strcmp(laps->items[i].name, name))
		i++;
	if (i == LAPS_MAX)
		i--;
	if (i == laps->count)
		laps->items[laps->count++] = (struct lap){.name = name};
	laps->items[i].ns += now_ns - laps->since_ns;
	laps->since_ns = now_ns;
}
