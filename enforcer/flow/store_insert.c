// SPDX-License-Identifier: GPL-2.0-or-later
#include "flow/store_insert.h"

#include "base/cleanup.h"

#include <stdlib.h>

enum statement {
	ADD_ENDPOINT,
	FIND_ENDPOINT,
	COUNT_ADDRESSES,
	ADD_RULE,
	FIND_RULE,
	TOUCH_EDGE,
	ADD_COUNTS,
	STATEMENTS
};

static const char *const texts[STATEMENTS] = {
	[ADD_ENDPOINT] = "INSERT INTO endpoints (name, address) VALUES (?1, ?2)",
	[FIND_ENDPOINT] = "SELECT id FROM endpoints WHERE name = ?1 AND address = ?2",
	[COUNT_ADDRESSES] = "SELECT count(*) FROM endpoints WHERE address <> x''",
	[ADD_RULE] = "INSERT INTO rules (name) VALUES (?1)",
	[FIND_RULE] = "SELECT id FROM rules WHERE name = ?1",
	[TOUCH_EDGE] =
		"INSERT INTO edges (source, destination, ethertype, protocol, port, verdict, reason,"
		" direction, rule, icmp, start, end)"
		" VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)"
		" ON CONFLICT DO UPDATE SET start = min(start, excluded.start),"
		" end = max(end, excluded.end) RETURNING id",
	[ADD_COUNTS] =
		"INSERT INTO counts VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)"
		" ON CONFLICT DO UPDATE SET connections = connections + excluded.connections,"
		" packets_sent = packets_sent + excluded.packets_sent,"
		" packets_received = packets_received + excluded.packets_received,"
		" bytes_sent = bytes_sent + excluded.bytes_sent,"
		" bytes_received = bytes_received + excluded.bytes_received",
};

struct store_insert {
	sqlite3 *database; /* borrowed */
	sqlite3_stmt *statements[STATEMENTS];
	int64_t addresses; /* of the world, on file */
};

void store_insert_free(struct store_insert *insert)
{
	if (!insert)
		return;
	for (size_t i = 0; i < STATEMENTS; i++)
		sqlite3_finalize(insert->statements[i]);
	free(insert);
}

/* Runs a bound statement; its first column into *ret_value where it has a row. *ret_value stays
 * where there is none. */
static int run(
	struct store_insert *insert, enum statement which, int64_t *ret_value, struct error *error)
{
	sqlite3_stmt *statement = insert->statements[which];
	int result = sqlite3_step(statement), r = 0;

	if (result == SQLITE_ROW && ret_value)
		*ret_value = sqlite3_column_int64(statement, 0);
	while (result == SQLITE_ROW)
		result = sqlite3_step(statement);
	if (result != SQLITE_DONE)
		r = store_error(insert->database, error, "write");
	sqlite3_reset(statement);
	return r;
}

static int count_addresses(struct store_insert *insert, struct error *error)
{
	return run(insert, COUNT_ADDRESSES, &insert->addresses, error);
}

int store_insert_new(sqlite3 *database, struct store_insert **ret, struct error *error)
{
	_cleanup_(store_insert_freep) struct store_insert *insert = calloc(1, sizeof(*insert));
	int r;

	if (!insert)
		return error_nomem(error);
	insert->database = database;
	for (size_t i = 0; i < STATEMENTS; i++) {
		r = store_prepare(database, texts[i], &insert->statements[i], error);
		if (r < 0)
			return r;
	}
	r = count_addresses(insert, error);
	if (r < 0)
		return r;
	*ret = TAKE_PTR(insert);
	return 0;
}

static void bind_name(sqlite3_stmt *statement, const struct name *name)
{
	sqlite3_bind_text(
		statement, 1, name ? name->text : "", name ? (int)name->length : 0, SQLITE_STATIC);
}

static void bind_endpoint(
	sqlite3_stmt *statement, const struct name *name, const struct address *address)
{
	static const struct address none;

	bind_name(statement, name);
	if (address_equal(address, &none))
		sqlite3_bind_zeroblob(statement, 2, 0);
	else
		sqlite3_bind_blob(
			statement, 2, address->bytes, sizeof(address->bytes), SQLITE_STATIC);
}

static int find_endpoint(struct store_insert *insert, const struct name *name,
	const struct address *address, int64_t *ret_id, struct error *error)
{
	bind_endpoint(insert->statements[FIND_ENDPOINT], name, address);
	return run(insert, FIND_ENDPOINT, ret_id, error);
}

/* The world has more addresses than a store has room for: the rest is the world as a whole. */
static int put_endpoint(struct store_insert *insert, const struct name *name,
	const struct address *address, int64_t *ret_id, struct error *error)
{
	static const struct address none;
	bool addressed = !address_equal(address, &none);
	int r = find_endpoint(insert, name, address, ret_id, error);

	if (r < 0 || *ret_id)
		return r;
	if (addressed && insert->addresses >= STORE_ADDRESSES_MAX)
		return put_endpoint(insert, name, &none, ret_id, error);
	bind_endpoint(insert->statements[ADD_ENDPOINT], name, address);
	r = run(insert, ADD_ENDPOINT, NULL, error);
	if (r < 0)
		return r;
	insert->addresses += addressed;
	*ret_id = sqlite3_last_insert_rowid(insert->database);
	return 0;
}

static int put_rule(
	struct store_insert *insert, const struct name *name, int64_t *ret_id, struct error *error)
{
	int r;

	bind_name(insert->statements[FIND_RULE], name);
	r = run(insert, FIND_RULE, ret_id, error);
	if (r < 0 || *ret_id)
		return r;
	bind_name(insert->statements[ADD_RULE], name);
	r = run(insert, ADD_RULE, NULL, error);
	if (!r)
		*ret_id = sqlite3_last_insert_rowid(insert->database);
	return r;
}

static int put_edge(struct store_insert *insert, const struct tally *tally, int64_t *ret_id,
	struct error *error)
{
	const struct tally_key *key = &tally->key;
	sqlite3_stmt *statement = insert->statements[TOUCH_EDGE];
	int64_t source = 0, destination = 0, rule = 0;
	int r = put_endpoint(insert, key->source_name, &key->source, &source, error);

	if (!r)
		r = put_endpoint(
			insert, key->destination_name, &key->destination, &destination, error);
	if (!r)
		r = put_rule(insert, key->rule, &rule, error);
	if (r < 0)
		return r;
	const int64_t values[] = {source, destination, key->ethertype, key->protocol, key->port,
		key->verdict, key->reason, key->direction, rule,
		key->icmp_type << 8 | key->icmp_code, (int64_t)tally->start_ns,
		(int64_t)tally->end_ns};

	for (size_t i = 0; i < ARRAY_SIZE(values); i++)
		sqlite3_bind_int64(statement, (int)i + 1, values[i]);
	return run(insert, TOUCH_EDGE, ret_id, error);
}

static int put_counts(struct store_insert *insert, const struct tally *tally, int64_t edge,
	enum store_level level, int64_t time, struct error *error)
{
	sqlite3_stmt *statement = insert->statements[ADD_COUNTS];
	const int64_t values[] = {edge, level, time - time % store_level_seconds[level],
		(int64_t)tally->connections, (int64_t)tally->packets[0], (int64_t)tally->packets[1],
		(int64_t)tally->bytes[0], (int64_t)tally->bytes[1]};

	for (size_t i = 0; i < ARRAY_SIZE(values); i++)
		sqlite3_bind_int64(statement, (int)i + 1, values[i]);
	return run(insert, ADD_COUNTS, NULL, error);
}

static int put_tally(
	struct store_insert *insert, const struct tally *tally, int64_t time, struct error *error)
{
	int64_t edge = 0;
	int r = put_edge(insert, tally, &edge, error);

	for (enum store_level level = STORE_DAY; !r && level < STORE_LEVELS; level++)
		r = put_counts(insert, tally, edge, level, time, error);
	return r;
}

int store_insert_batch(
	struct store_insert *insert, const struct store_batch *batch, struct error *error)
{
	const struct tally *tally = batch->edges.by_age;
	int64_t addresses = insert->addresses;
	int r = store_execute(insert->database, "BEGIN IMMEDIATE", error);

	if (r < 0)
		return r;
	for (; tally && !r; tally = tally->next)
		r = put_tally(insert, tally, batch->time, error);
	if (!r)
		r = store_running_save(insert->database, &batch->running, batch->time, error);
	if (!r)
		r = store_execute(insert->database, "COMMIT", error);
	if (r < 0) {
		sqlite3_exec(insert->database, "ROLLBACK", NULL, NULL, NULL);
		insert->addresses = addresses;
	}
	return r;
}
