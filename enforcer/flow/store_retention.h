/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Keeps the store within its age and its size. */
#pragma once

#include "flow/store_database.h"

#define STORE_AGE_NONE INT64_MAX /* nothing is removed for its age: the clock is in doubt */

struct store_retention {
	int64_t age_seconds;
	int64_t size_bytes_max;
};

/* Removes what is too old and, while the file is too big, the oldest of the finest steps. now:
 * seconds. */
int store_retain(sqlite3 *database, const struct store_retention *retention, int64_t now,
	struct error *error);
/* Of pages that hold something. */
int store_used_bytes(sqlite3 *database, int64_t *ret, struct error *error);
