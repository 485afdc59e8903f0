// SPDX-License-Identifier: GPL-2.0-or-later
#include "detect/distinct.h"

#include "detect/mix.h"

#include <math.h>

void distinct_add(struct distinct *distinct, uint64_t item)
{
	unsigned int bit = (unsigned int)(mix(item) >> 56);

	_Static_assert(DISTINCT_BITS == 256, "the upper 8 bits choose one");
	distinct->words[bit / 64] |= 1ULL << bit % 64;
}

unsigned int distinct_count(const struct distinct *distinct)
{
	int set = 0;

	for (unsigned int i = 0; i < DISTINCT_BITS / 64; i++)
		set += __builtin_popcountll(distinct->words[i]);
	if (set == DISTINCT_BITS)
		set--;
	return (unsigned int)lround(-DISTINCT_BITS * log1p(-(double)set / DISTINCT_BITS));
}
