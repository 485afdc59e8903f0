// SPDX-License-Identifier: GPL-2.0-or-later
#include "detect/seen.h"

#include "detect/mix.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define LINE_WORDS    8  /* 512 bits */
#define LINE_ITEMS    32 /* at most on average: 16 bits for each */
#define BITS_PER_ITEM 5

int seen_open(struct seen *seen, size_t items_max)
{
	struct seen made = {.line_count = 1, .items_max = items_max};

	while (made.line_count * LINE_ITEMS < items_max)
		made.line_count *= 2;
	for (size_t i = 0; i < 2; i++)
		made.lines[i] = calloc(made.line_count, LINE_WORDS * sizeof(uint64_t));
	if (!made.lines[0] || !made.lines[1]) {
		seen_close(&made);
		return -ENOMEM;
	}
	*seen = made;
	return 0;
}

void seen_close(struct seen *seen)
{
	for (size_t i = 0; i < 2; i++) {
		free(seen->lines[i]);
		seen->lines[i] = NULL;
	}
}

/* The n-th of an item's bits. */
static unsigned int bit_of(uint64_t bits, unsigned int n)
{
	return bits >> 9 * n & 511;
}

static bool line_has(const uint64_t *line, uint64_t bits)
{
	for (unsigned int n = 0; n < BITS_PER_ITEM; n++) {
		unsigned int bit = bit_of(bits, n);

		if (!(line[bit / 64] >> bit % 64 & 1))
			return false;
	}
	return true;
}

static uint64_t *line_of(const struct seen *seen, size_t generation, uint64_t item)
{
	return seen->lines[generation] + (mix(~item) & (seen->line_count - 1)) * LINE_WORDS;
}

bool seen_has(const struct seen *seen, uint64_t item)
{
	uint64_t bits = mix(item);

	return line_has(line_of(seen, 0, item), bits) || line_has(line_of(seen, 1, item), bits);
}

static void turn(struct seen *seen)
{
	uint64_t *elder = seen->lines[1];

	memset(elder, 0, seen->line_count * LINE_WORDS * sizeof(*elder));
	seen->lines[1] = seen->lines[0];
	seen->lines[0] = elder;
	seen->forgotten += seen->items;
	seen->items = 0;
}

bool seen_add(struct seen *seen, uint64_t item)
{
	uint64_t bits = mix(item), *line = line_of(seen, 0, item);
	bool known;

	if (line_has(line, bits))
		return true;
	known = line_has(line_of(seen, 1, item), bits);
	if (seen->items >= seen->items_max) {
		turn(seen);
		line = line_of(seen, 0, item);
	}
	seen->items++;
	for (unsigned int n = 0; n < BITS_PER_ITEM; n++) {
		unsigned int bit = bit_of(bits, n);

		line[bit / 64] |= 1ULL << bit % 64;
	}
	return known;
}
