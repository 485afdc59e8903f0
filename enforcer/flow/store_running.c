// SPDX-License-Identifier: GPL-2.0-or-later
#include "flow/store_running.h"

#include "base/cleanup.h"
#include "flow/store_database.h"

#include <stdlib.h>
#include <string.h>

static struct store_connection *find(const struct store_running *running, uint64_t id)
{
	struct store_connection *connection;

	HASH_FIND(hh, running->connections, &id, sizeof(id), connection);
	return connection;
}

static void drop(struct store_running *running, struct store_connection *connection)
{
	HASH_DELETE(hh, running->connections, connection);
	free(connection);
}

static struct store_connection *add(struct store_running *running, uint64_t id)
{
	struct store_connection *connection = calloc(1, sizeof(*connection));

	if (!connection)
		return NULL;
	connection->id = id;
	HASH_ADD(hh, running->connections, id, sizeof(connection->id), connection);
	if (HASH_ADDED(connection))
		return connection;
	free(connection);
	return NULL;
}

static void note_counters(
	struct store_running *running, const struct flow_event *event, size_t connections_max)
{
	struct store_connection *connection = find(running, event->lasting_id);

	if (!connection && HASH_COUNT(running->connections) < connections_max)
		connection = add(running, event->lasting_id);
	if (!connection)
		return;
	connection->record_id = event->id;
	memcpy(connection->packets, event->packets, sizeof(connection->packets));
	memcpy(connection->bytes, event->bytes, sizeof(connection->bytes));
	connection->ended = event->type == FLOW_END;
}

/* Most ends are of connections of which nothing was counted before. */
void store_running_note(struct store_running *running, const struct flow_event *event, bool has_row,
	size_t connections_max)
{
	if (event->type == FLOW_UPDATE || (event->type == FLOW_END && has_row))
		note_counters(running, event, connections_max);
	else if (event->type == FLOW_NEW && event->start_ns > running->begun_ns)
		running->begun_ns = event->start_ns;
}

static uint64_t less(uint64_t all, uint64_t stored)
{
	return all >= stored ? all - stored : all;
}

bool store_running_take_off(struct store_running *running, const struct flow_event *event,
	struct store_addition *addition)
{
	struct store_connection *connection = find(running, event->lasting_id);

	if (connection || event->start_ns <= running->begun_ns)
		addition->connections = 0;
	if (!connection)
		return false;
	for (size_t side = 0; side < 2; side++) {
		addition->packets[side] = less(addition->packets[side], connection->packets[side]);
		addition->bytes[side] = less(addition->bytes[side], connection->bytes[side]);
	}
	drop(running, connection);
	return true;
}

void store_running_clear(struct store_running *running)
{
	struct store_connection *connection, *next;

	HASH_ITER (hh, running->connections, connection, next)
		drop(running, connection);
}

static void read_rows(sqlite3_stmt *rows, struct store_running *running)
{
	while (sqlite3_step(rows) == SQLITE_ROW) {
		struct store_connection *connection =
			add(running, (uint64_t)sqlite3_column_int64(rows, 0));

		if (!connection)
			return;
		for (int side = 0; side < 2; side++) {
			connection->packets[side] = (uint64_t)sqlite3_column_int64(rows, 1 + side);
			connection->bytes[side] = (uint64_t)sqlite3_column_int64(rows, 3 + side);
		}
	}
}

/* A file of an earlier segd has none. */
static void read_record_ids(sqlite3_stmt *rows, struct store_running *running)
{
	while (sqlite3_step(rows) == SQLITE_ROW) {
		struct store_connection *connection =
			find(running, (uint64_t)sqlite3_column_int64(rows, 0));

		if (connection)
			connection->record_id = (uint64_t)sqlite3_column_int64(rows, 1);
	}
}

static void read_begun(sqlite3_stmt *row, struct store_running *running)
{
	if (sqlite3_step(row) == SQLITE_ROW)
		running->begun_ns = (uint64_t)sqlite3_column_int64(row, 0);
}

static void load(sqlite3 *database, const char *sql,
	void (*read)(sqlite3_stmt *statement, struct store_running *running),
	struct store_running *running)
{
	_cleanup_(sqlite3_finalizep) sqlite3_stmt *statement = NULL;

	if (!store_prepare(database, sql, &statement, NULL))
		read(statement, running);
}

struct store_running store_running_load(const char *path)
{
	_cleanup_(sqlite3_closep) sqlite3 *database = NULL;
	struct store_running running = {0};

	if (store_open_to_read(path, &database, NULL) < 0)
		return running;
	load(database,
		"SELECT id, packets_sent, packets_received, bytes_sent, bytes_received"
		" FROM running",
		read_rows, &running);
	load(database, "SELECT id, record FROM running", read_record_ids, &running);
	load(database, "SELECT time FROM begun", read_begun, &running);
	return running;
}

static int run(sqlite3 *database, sqlite3_stmt *statement, struct error *error)
{
	int result = sqlite3_step(statement);

	sqlite3_reset(statement);
	return result == SQLITE_DONE ? 0 : store_error(database, error, "write");
}

static void bind_counters(
	sqlite3_stmt *statement, const struct store_connection *connection, int64_t time)
{
	const int64_t values[] = {(int64_t)connection->packets[0], (int64_t)connection->packets[1],
		(int64_t)connection->bytes[0], (int64_t)connection->bytes[1], time,
		(int64_t)connection->record_id};

	for (size_t i = 0; i < ARRAY_SIZE(values); i++)
		sqlite3_bind_int64(statement, (int)i + 2, values[i]);
}

static int save_connections(sqlite3 *database, const struct store_connection *connections,
	int64_t time, struct error *error)
{
	_cleanup_(sqlite3_finalizep) sqlite3_stmt *remove = NULL, *replace = NULL;
	int r = store_prepare(database, "DELETE FROM running WHERE id = ?1", &remove, error);

	if (!r)
		r = store_prepare(database,
			"REPLACE INTO running VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)", &replace,
			error);
	for (const struct store_connection *connection = connections; connection && !r;
		connection = connection->hh.next) {
		sqlite3_stmt *statement = connection->ended ? remove : replace;

		sqlite3_bind_int64(statement, 1, (int64_t)connection->id);
		if (!connection->ended)
			bind_counters(statement, connection, time);
		r = run(database, statement, error);
	}
	return r;
}

/* Runs sql with its one parameter. */
static int run_with(sqlite3 *database, const char *sql, int64_t value, struct error *error)
{
	_cleanup_(sqlite3_finalizep) sqlite3_stmt *statement = NULL;
	int r = store_prepare(database, sql, &statement, error);

	if (r < 0)
		return r;
	sqlite3_bind_int64(statement, 1, value);
	return run(database, statement, error);
}

int store_running_save(
	sqlite3 *database, const struct store_running *running, int64_t time, struct error *error)
{
	int r = 0;

	if (running->connections)
		r = save_connections(database, running->connections, time, error);
	if (!r && running->begun_ns)
		r = run_with(
			database, "UPDATE begun SET time = ?1", (int64_t)running->begun_ns, error);
	return r;
}

int store_running_forget(sqlite3 *database, int64_t before, struct error *error)
{
	return run_with(database, "DELETE FROM running WHERE time < ?1", before, error);
}
