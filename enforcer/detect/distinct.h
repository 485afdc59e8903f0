/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How many different ones there were: linear counting (Whang, Vander-Zanden, Taylor 1990) in 32
 * bytes. Up to a dozen or so it is exact but for collisions, up to a few hundred close.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define DISTINCT_BITS     256
#define DISTINCT_TEXT_MAX (DISTINCT_BITS / 4 + 1)

struct distinct {
	uint64_t words[DISTINCT_BITS / 64];
};

/* item: a hash. */
void distinct_add(struct distinct *distinct, uint64_t item);
/* It was added, or one of its bit. */
bool distinct_has(const struct distinct *distinct, uint64_t item);
unsigned int distinct_count(const struct distinct *distinct);
/* Hexadecimal, for what is kept across restarts. Returns text. */
const char *distinct_format(const struct distinct *distinct, char text[static DISTINCT_TEXT_MAX]);
/* -EBADMSG */
int distinct_parse(const char *text, struct distinct *ret);
