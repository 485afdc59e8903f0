/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What was compared, by what it is about, and how much of it differed. */
#pragma once

#include <stddef.h>

enum tally_kind {
	TALLY_CELLS,      /* pod to pod, cases without doubts */
	TALLY_DOUBTFUL,   /* pod to pod and external, cases that name doubts */
	TALLY_DIAGONAL,   /* a pod to itself */
	TALLY_EXTERNAL,   /* from and to addresses outside */
	TALLY_ASSERTIONS, /* single flows */
	TALLY_COUNT
};

struct tally {
	size_t compared[TALLY_COUNT];
	size_t different[TALLY_COUNT];
	size_t self_refused; /* cells of the diagonal that the corpus refuses */
};

static inline size_t tally_compared(const struct tally *tally)
{
	size_t sum = 0;

	for (int kind = 0; kind < TALLY_COUNT; kind++)
		sum += tally->compared[kind];
	return sum;
}

static inline size_t tally_different(const struct tally *tally)
{
	size_t sum = 0;

	for (int kind = 0; kind < TALLY_COUNT; kind++)
		sum += tally->different[kind];
	return sum;
}

static inline void tally_add(struct tally *sum, const struct tally *tally)
{
	for (int kind = 0; kind < TALLY_COUNT; kind++) {
		sum->compared[kind] += tally->compared[kind];
		sum->different[kind] += tally->different[kind];
	}
	sum->self_refused += tally->self_refused;
}
