// SPDX-License-Identifier: GPL-2.0-or-later
#include "detect/distinct.h"

#include "detect/mix.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

static unsigned int bit_of(uint64_t item)
{
	_Static_assert(DISTINCT_BITS == 256, "the upper 8 bits choose one");
	return (unsigned int)(mix(item) >> 56);
}

void distinct_add(struct distinct *distinct, uint64_t item)
{
	unsigned int bit = bit_of(item);

	distinct->words[bit / 64] |= 1ULL << bit % 64;
}

bool distinct_has(const struct distinct *distinct, uint64_t item)
{
	unsigned int bit = bit_of(item);

	return distinct->words[bit / 64] >> bit % 64 & 1;
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

const char *distinct_format(const struct distinct *distinct, char text[static DISTINCT_TEXT_MAX])
{
	for (size_t i = 0; i < DISTINCT_BITS / 64; i++)
		snprintf(text + 16 * i, 17, "%016" PRIx64, distinct->words[i]);
	return text;
}

int distinct_parse(const char *text, struct distinct *ret)
{
	struct distinct distinct = {0};

	if (strlen(text) != DISTINCT_TEXT_MAX - 1 ||
		strspn(text, "0123456789abcdef") != DISTINCT_TEXT_MAX - 1)
		return -EBADMSG;
	for (size_t i = 0; i < DISTINCT_BITS / 64; i++)
		if (sscanf(text + 16 * i, "%16" SCNx64, &distinct.words[i]) != 1)
			return -EBADMSG;
	*ret = distinct;
	return 0;
}
