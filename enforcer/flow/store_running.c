// SPDX-License-Identifier: GPL-2.0-or-later
#include "flow/store_running.h"

#include "base/cleanup.h"
#include "flow/store_database.h"

#include <stdlib.h>

/* One statement for several rows is half the work of as many statements. */
#define FIVE(text)    text text text text text
#define FIFTEEN(text) FIVE(text) FIVE(text) FIVE(text)
#define ROWS_AT_ONCE  16

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

static int run(sqlite3 *database, sqlite3_stmt *statement, struct error *error)
{
	int result = sqlite3_step(statement);

	sqlite3_reset(statement);
	return result == SQLITE_DONE ? 0 : store_error(database, error, "write");
}

/* What is written of each of many notes. */
struct rows {
	const char *one;  /* statement for one of them … */
	const char *many; /* … and for ROWS_AT_ONCE */
	void (*bind)(sqlite3_stmt *statement, const struct store_note *const *notes, size_t count,
		int64_t time);
};

static void bind_ids(
	sqlite3_stmt *statement, const struct store_note *const *notes, size_t count, int64_t time)
{
	(void)time;
	for (size_t i = 0; i < count; i++)
		sqlite3_bind_int64(statement, (int)i + 1, (int64_t)notes[i]->id);
}

static void bind_counters(
	sqlite3_stmt *statement, const struct store_note *const *notes, size_t count, int64_t time)
{
	int parameter = 1;

	sqlite3_bind_int64(statement, parameter++, time);
	for (size_t i = 0; i < count; i++) {
		sqlite3_bind_int64(statement, parameter++, (int64_t)notes[i]->id);
		for (int side = 0; side < 2; side++)
			sqlite3_bind_int64(
				statement, parameter++, (int64_t)notes[i]->packets[side]);
		for (int side = 0; side < 2; side++)
			sqlite3_bind_int64(statement, parameter++, (int64_t)notes[i]->bytes[side]);
	}
}

static const struct rows removed = {
	"DELETE FROM running WHERE id = ?",
	"DELETE FROM running WHERE id IN (?" FIFTEEN(",?") ")",
	bind_ids,
};
static const struct rows replaced = {
	"REPLACE INTO running VALUES (?2,?,?,?,?,?1)",
	"REPLACE INTO running VALUES (?2,?,?,?,?,?1)" FIFTEEN(",(?,?,?,?,?,?1)"),
	bind_counters,
};

static int write_rows(sqlite3 *database, const struct rows *rows, const struct store_notes *notes,
	bool ended, int64_t time, struct error *error)
{
	_cleanup_(sqlite3_finalizep) sqlite3_stmt *one = NULL, *many = NULL;
	const struct store_note *waiting[ROWS_AT_ONCE];
	size_t count = 0;
	int r = store_prepare(database, rows->one, &one, error);

	if (!r)
		r = store_prepare(database, rows->many, &many, error);
	for (size_t i = 0; !r && i < notes->count; i++) {
		if (notes->items[i].ended != ended)
			continue;
		waiting[count++] = &notes->items[i];
		if (count < ROWS_AT_ONCE)
			continue;
		rows->bind(many, waiting, count, time);
		r = run(database, many, error);
		count = 0;
	}
	for (size_t i = 0; !r && i < count; i++) {
		rows->bind(one, &waiting[i], 1, time);
		r = run(database, one, error);
	}
	return r;
}

int store_running_save(
	sqlite3 *database, const struct store_notes *notes, int64_t time, struct error *error)
{
	int r = write_rows(database, &removed, notes, true, time, error);

	return r ? r : write_rows(database, &replaced, notes, false, time, error);
}

int store_running_forget(sqlite3 *database, int64_t before, struct error *error)
{
	_cleanup_(sqlite3_finalizep) sqlite3_stmt *remove = NULL;
	int r = store_prepare(database, "DELETE FROM running WHERE time < ?1", &remove, error);

	if (r < 0)
		return r;
	sqlite3_bind_int64(remove, 1, before);
	return run(database, remove, error);
}
