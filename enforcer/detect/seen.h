/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What was seen before, out of far more than could be remembered one by one: a Bloom filter whose
 * bits for one item lie in one cache line (Putze, Sanders, Singler 2007, "Cache-, Hash- and
 * Space-Efficient Bloom Filters"), in two generations: when the younger is full, the elder is
 * forgotten. Where both are full, one new item in about 300 is taken for a known one.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct seen {
	uint64_t *lines[2]; /* the younger first */
	size_t line_count;  /* a power of two */
	size_t items;       /* in the younger */
	size_t items_max;
	uint64_t forgotten; /* items of elder generations */
};

/* Remembers the last items_max items at least, in about 4 bytes for each. -ENOMEM */
int seen_open(struct seen *seen, size_t items_max);
void seen_close(struct seen *seen);
bool seen_has(const struct seen *seen, uint64_t item);
/* Whether it was there before. */
bool seen_add(struct seen *seen, uint64_t item);
