/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Sets of small numbers as plain words, so that they can be hashed and compared as memory. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define BITSET_WORD_BITS 64

static inline size_t bitset_words(size_t bits)
{
	return (bits + BITSET_WORD_BITS - 1) / BITSET_WORD_BITS;
}

static inline void bitset_set(uint64_t *set, size_t bit)
{
	set[bit / BITSET_WORD_BITS] |= UINT64_C(1) << bit % BITSET_WORD_BITS;
}

static inline void bitset_unset(uint64_t *set, size_t bit)
{
	set[bit / BITSET_WORD_BITS] &= ~(UINT64_C(1) << bit % BITSET_WORD_BITS);
}

static inline bool bitset_has(const uint64_t *set, size_t bit)
{
	return set[bit / BITSET_WORD_BITS] >> bit % BITSET_WORD_BITS & 1;
}
