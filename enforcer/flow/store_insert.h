/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Puts a batch of sums into the store, all or nothing. Used by the writer's thread: it reads the
 * tallies and their names and changes neither. */
#pragma once

#include "flow/store_database.h"
#include "flow/store_running.h"
#include "flow/tally.h"

struct store_insert;

struct store_batch {
	struct tally_table edges;
	struct store_running running;
	int64_t time; /* seconds: which minute, hour and day the sums belong to */
};

int store_insert_new(sqlite3 *database, struct store_insert **ret, struct error *error);
void store_insert_free(struct store_insert *insert);
int store_insert_batch(
	struct store_insert *insert, const struct store_batch *batch, struct error *error);

static inline void store_insert_freep(struct store_insert **insert)
{
	store_insert_free(*insert);
}
