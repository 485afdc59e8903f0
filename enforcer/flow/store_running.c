// SPDX-License-Identifier: GPL-2.0-or-later
#include "flow/store_running.h"

#include "base/cleanup.h"
#include "flow/store_database.h"

#include <stdlib.h>

static struct store_running *find(struct store_running *table, uint64_t id)
{
	struct store_running *entry;

	HASH_FIND(hh, table, &id, sizeof(id), entry);
	return entry;
}

static void drop(struct store_running **table, struct store_running *entry)
{
	HASH_DELETE(hh, *table, entry);
	free(entry);
}

static struct store_running *add(struct store_running **table, uint64_t id)
{
	struct store_running *entry = calloc(1, sizeof(*entry));

	if (!entry)
		return NULL;
	entry->id = id;
	HASH_ADD(hh, *table, id, sizeof(entry->id), entry);
	if (HASH_ADDED(entry))
		return entry;
	free(entry);
	return NULL;
}

static uint64_t less(uint64_t all, uint64_t stored)
{
	return all >= stored ? all - stored : all;
}

bool store_running_take_off(struct store_running **table, const struct flow_event *event,
	uint64_t packets[static 2], uint64_t bytes[static 2])
{
	struct store_running *entry = find(*table, event->id);

	if (!entry)
		return false;
	for (size_t side = 0; side < 2; side++) {
		packets[side] = less(packets[side], entry->packets[side]);
		bytes[side] = less(bytes[side], entry->bytes[side]);
	}
	drop(table, entry);
	return true;
}

void store_running_clear(struct store_running **table)
{
	struct store_running *entry, *next;

	HASH_ITER (hh, *table, entry, next)
		drop(table, entry);
}

static void read_rows(sqlite3_stmt *rows, struct store_running **table)
{
	while (sqlite3_step(rows) == SQLITE_ROW) {
		struct store_running *entry = add(table, (uint64_t)sqlite3_column_int64(rows, 0));

		if (!entry)
			return;
		for (int side = 0; side < 2; side++) {
			entry->packets[side] = (uint64_t)sqlite3_column_int64(rows, 1 + side);
			entry->bytes[side] = (uint64_t)sqlite3_column_int64(rows, 3 + side);
		}
	}
}

struct store_running *store_running_load(const char *path)
{
	_cleanup_(sqlite3_closep) sqlite3 *database = NULL;
	_cleanup_(sqlite3_finalizep) sqlite3_stmt *rows = NULL;
	struct store_running *table = NULL;

	if (!store_open_to_read(path, &database, NULL) &&
		!store_prepare(database,
			"SELECT id, packets_sent, packets_received, bytes_sent, bytes_received"
			" FROM running",
			&rows, NULL))
		read_rows(rows, &table);
	return table;
}

static int put(sqlite3 *database, sqlite3_stmt *statement, const struct store_note *note,
	int64_t time, struct error *error)
{
	const int64_t values[] = {(int64_t)note->id, (int64_t)note->packets[0],
		(int64_t)note->packets[1], (int64_t)note->bytes[0], (int64_t)note->bytes[1], time};
	int result, count = sqlite3_bind_parameter_count(statement);

	for (int i = 0; i < count; i++)
		sqlite3_bind_int64(statement, i + 1, values[i]);
	result = sqlite3_step(statement);
	sqlite3_reset(statement);
	return result == SQLITE_DONE ? 0 : store_error(database, error, "write");
}

int store_running_save(
	sqlite3 *database, const struct store_notes *notes, int64_t time, struct error *error)
{
	_cleanup_(sqlite3_finalizep) sqlite3_stmt *replace = NULL;
	_cleanup_(sqlite3_finalizep) sqlite3_stmt *remove = NULL;
	int r = store_prepare(
		database, "REPLACE INTO running VALUES (?1, ?2, ?3, ?4, ?5, ?6)", &replace, error);

	if (!r)
		r = store_prepare(database, "DELETE FROM running WHERE id = ?1", &remove, error);
	for (size_t i = 0; !r && i < notes->count; i++) {
		const struct store_note *note = &notes->items[i];

		r = put(database, note->ended ? remove : replace, note, time, error);
	}
	return r;
}

int store_running_forget(sqlite3 *database, int64_t before, struct error *error)
{
	const struct store_note none = {.id = (uint64_t)before};
	_cleanup_(sqlite3_finalizep) sqlite3_stmt *remove = NULL;
	int r = store_prepare(database, "DELETE FROM running WHERE time < ?1", &remove, error);

	return r < 0 ? r : put(database, remove, &none, 0, error);
}
