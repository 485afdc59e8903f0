/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How much of each connection that goes on is in the store. Events carry a connection's counters
 * since it began; without this a restarted agent would count a long connection from its beginning
 * again, or not at all what it did meanwhile.
 */
#pragma once

#include "base/error.h"
#include "flow/event.h"
#include "flow/hash.h"
#include "flow/store_notes.h"

#include <sqlite3.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct store_running {
	uint64_t id; /* of the connection */
	uint64_t packets[2];
	uint64_t bytes[2];
	UT_hash_handle hh;
};

/* Takes off what an earlier agent stored of the connection, once. true: it had stored some. */
bool store_running_take_off(struct store_running **table, const struct flow_event *event,
	uint64_t packets[static 2], uint64_t bytes[static 2]);
void store_running_clear(struct store_running **table);

/* Reads the table of the file at path. Where there is none or it cannot be read: empty. */
struct store_running *store_running_load(const char *path);
/* Within the writer's transaction. notes are settled. */
int store_running_save(
	sqlite3 *database, const struct store_notes *notes, int64_t time, struct error *error);
/* Forgets connections of which nobody told since before (seconds): their end was missed. */
int store_running_forget(sqlite3 *database, int64_t before, struct error *error);
