/* SPDX-License-Identifier: GPL-2.0-or-later */
/* An interval of time as whole days, hours and minutes: how few sums answer a question. */
#pragma once

#include "flow/store_database.h"

#include <stddef.h>

struct store_span {
	enum store_level level;
	int64_t first; /* seconds */
	int64_t end;   /* not within */
};

#define STORE_SPANS_MAX 5 /* minutes, hours, days, hours, minutes */

/*
 * Covers since .. until (seconds, until not within) without overlap. Where a level is not complete,
 * that is before its horizon, the step of the next coarser one is taken as a whole. Returns the
 * number of spans.
 */
size_t store_spans(int64_t since, int64_t until, const int64_t horizons[static STORE_LEVELS],
	struct store_span spans[static STORE_SPANS_MAX]);
