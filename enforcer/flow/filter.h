/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the room itself needs of a filter; what others see is in pipeline.h. */
#pragma once

#include "flow/pipeline.h"
#include "flow/record.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* first_ns: when that began which the record stands for; since and until match any overlap of
 * first_ns .. the record's time. A NULL filter matches everything. */
bool filter_matches(
	const struct flow_filter *filter, const struct record *record, uint64_t first_ns);
/* SIZE_MAX: none. */
size_t filter_limit(const struct flow_filter *filter);
/* 0: from the beginning. */
uint64_t filter_since_ns(const struct flow_filter *filter);
/* 0: to the end. */
uint64_t filter_until_ns(const struct flow_filter *filter);

static inline void flow_filter_freep(struct flow_filter **filter)
{
	flow_filter_free(*filter);
}
