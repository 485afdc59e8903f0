/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Refusals, which the kernel adds up by kind. What was reported of each is remembered, so that only
 * the difference is reported next time and the totals are exact.
 */
#pragma once

#include "base/error.h"
#include "batch.h"
#include "hash.h"
#include "objects.h"
#include "report.h"

#include <stddef.h>
#include <stdint.h>

struct denial {
	struct abi_denial_key key;
	uint64_t packets; /* reported so far */
	uint64_t bytes;
	uint32_t sequence;
	UT_hash_handle hh;
};

struct denials {
	const struct objects *objects;
	struct report *report;
	struct walk walk;
	struct denial *items;
	uint32_t sequence;
	uint64_t losses[ABI_LOSS_COUNT]; /* reported so far */
};

void denials_init(struct denials *denials, const struct objects *objects, struct report *report);
/* Reports what has come since the last time, and what was lost on the way up. */
int denials_collect(struct denials *denials, struct error *error);
void denials_clear(struct denials *denials);
