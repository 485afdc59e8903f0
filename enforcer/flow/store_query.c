// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Edges are few and read whole; the filter that also serves live records chooses among them, and
 * only the chosen ones' sums are read. Names are parsed once and kept, since a row of endpoints or
 * rules never changes.
 */
#include "flow/store_query.h"

#include "base/cleanup.h"
#include "base/large_hash.h"
#include "flow/store_database.h"
#include "flow/store_spans.h"
#include "flow/timestamp.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define NS_PER_SECOND  1000000000LL
#define BUDGET_NS      (2 * NS_PER_SECOND)
#define PROGRESS_STEPS 10000 /* of SQLite's machine between two looks at the clock */

#define FAR_DAY 100000 /* in the year 2243 */

enum statement {
	HORIZONS,
	EDGES,
	ENDPOINT,
	RULE,
	COUNTS,
	STATEMENTS
};

static const char *const texts[STATEMENTS] = {
	[HORIZONS] = "SELECT level, time FROM horizons",
	[EDGES] = "SELECT id, source, destination, ethertype, protocol, port, verdict, reason,"
		  " direction, rule, icmp, start, end FROM edges WHERE end >= ?1 AND start < ?2",
	[ENDPOINT] = "SELECT name, address FROM endpoints WHERE id = ?1",
	[RULE] = "SELECT name, NULL FROM rules WHERE id = ?1",
	[COUNTS] = "SELECT sum(connections), sum(packets_sent), sum(packets_received),"
		   " sum(bytes_sent), sum(bytes_received), min(time), max(time) FROM counts"
		   " WHERE edge = ?1 AND level = ?2 AND time >= ?3 AND time < ?4",
};

/* A row of endpoints or rules. */
struct entry {
	int64_t id;
	struct name *name; /* NULL: nothing is known */
	struct address address;
	UT_hash_handle hh;
};

struct store_query {
	char *path;
	sqlite3 *database; /* NULL: not open */
	ino_t inode;
	sqlite3_stmt *statements[STATEMENTS];
	struct entry *endpoints;
	struct entry *rules;
	uint64_t deadline_ns;
};

static void clear_entries(struct entry **entries)
{
	struct entry *entry, *next;

	HASH_ITER (hh, *entries, entry, next) {
		HASH_DELETE(hh, *entries, entry);
		name_release(entry->name);
		free(entry);
	}
}

static void close_file(struct store_query *query)
{
	for (size_t i = 0; i < STATEMENTS; i++)
		sqlite3_finalize(TAKE_PTR(query->statements[i]));
	sqlite3_close_v2(TAKE_PTR(query->database));
	clear_entries(&query->endpoints);
	clear_entries(&query->rules);
}

static int on_progress(void *userdata)
{
	const struct store_query *query = userdata;

	return timestamp_now_ns() > query->deadline_ns;
}

static int open_file(struct store_query *query, struct error *error)
{
	struct stat status;
	int r;

	if (stat(query->path, &status) < 0)
		return error_errno(error, -errno, "open flow store %s", query->path);
	r = store_open_to_read(query->path, &query->database, error);
	for (size_t i = 0; !r && i < STATEMENTS; i++)
		r = store_prepare(query->database, texts[i], &query->statements[i], error);
	if (r < 0) {
		close_file(query);
		return r;
	}
	query->inode = status.st_ino;
	sqlite3_progress_handler(query->database, PROGRESS_STEPS, on_progress, query);
	return 0;
}

/* The writer may have set the file aside and begun another. */
static int open_present_file(struct store_query *query, struct error *error)
{
	struct stat status;

	if (query->database && (stat(query->path, &status) < 0 || status.st_ino != query->inode))
		close_file(query);
	return query->database ? 0 : open_file(query, error);
}

int store_query_new(const char *path, struct store_query **ret)
{
	struct store_query *query = calloc(1, sizeof(*query));

	if (query)
		query->path = strdup(path);
	if (!query || !query->path) {
		free(query);
		return -ENOMEM;
	}
	*ret = query;
	return 0;
}

void store_query_free(struct store_query *query)
{
	if (!query)
		return;
	close_file(query);
	free(query->path);
	free(query);
}

static struct entry *entry_new(sqlite3_stmt *statement, int64_t id)
{
	const char *text = (const char *)sqlite3_column_text(statement, 0);
	const void *address = sqlite3_column_blob(statement, 1);
	struct entry *entry = calloc(1, sizeof(*entry));

	if (!entry)
		return NULL;
	entry->id = id;
	if (text && *text)
		entry->name = name_new(NULL, json_loads(text, JSON_DECODE_ANY, NULL));
	if (address && sqlite3_column_bytes(statement, 1) == sizeof(entry->address.bytes))
		memcpy(entry->address.bytes, address, sizeof(entry->address.bytes));
	return entry;
}

static int read_entry(struct store_query *query, enum statement which, struct entry **entries,
	int64_t id, struct error *error)
{
	sqlite3_stmt *statement = query->statements[which];
	struct entry *entry = NULL;
	int result, r = 0;

	sqlite3_bind_int64(statement, 1, id);
	result = sqlite3_step(statement);
	if (result == SQLITE_ROW)
		entry = entry_new(statement, id);
	else if (result != SQLITE_DONE)
		r = store_error(query->database, error, "read the flow store");
	sqlite3_reset(statement);
	if (!entry)
		return r;
	HASH_ADD(hh, *entries, id, sizeof(entry->id), entry);
	if (HASH_ADDED(entry))
		return 0;
	name_release(entry->name);
	free(entry);
	return error_nomem(error);
}

static int find_entry(struct store_query *query, enum statement which, struct entry **entries,
	int64_t id, const struct entry **ret, struct error *error)
{
	struct entry *entry;
	int r = 0;

	HASH_FIND(hh, *entries, &id, sizeof(id), entry);
	if (!entry) {
		r = read_entry(query, which, entries, id, error);
		HASH_FIND(hh, *entries, &id, sizeof(id), entry);
	}
	*ret = entry;
	return r;
}

/* The row of edges as a tally without sums; names are borrowed. *ret_id: 0 where its row of
 * endpoints or rules was removed meanwhile. */
static int read_edge(
	struct store_query *query, struct tally *ret, int64_t *ret_id, struct error *error)
{
	sqlite3_stmt *row = query->statements[EDGES];
	const struct entry *source = NULL, *destination = NULL, *rule = NULL;
	int r = find_entry(
		query, ENDPOINT, &query->endpoints, sqlite3_column_int64(row, 1), &source, error);

	if (!r)
		r = find_entry(query, ENDPOINT, &query->endpoints, sqlite3_column_int64(row, 2),
			&destination, error);
	if (!r)
		r = find_entry(
			query, RULE, &query->rules, sqlite3_column_int64(row, 9), &rule, error);
	if (r < 0)
		return r;
	*ret_id = 0;
	if (!source || !destination || !rule)
		return 0;
	*ret_id = sqlite3_column_int64(row, 0);
	*ret = (struct tally){
		.key = {.source = source->address,
			.destination = destination->address,
			.source_name = source->name,
			.destination_name = destination->name,
			.rule = rule->name,
			.ethertype = (uint16_t)sqlite3_column_int(row, 3),
			.protocol = (uint8_t)sqlite3_column_int(row, 4),
			.port = (uint16_t)sqlite3_column_int(row, 5),
			.icmp_type = (uint8_t)(sqlite3_column_int(row, 10) >> 8),
			.icmp_code = (uint8_t)sqlite3_column_int(row, 10),
			.verdict = (uint8_t)sqlite3_column_int(row, 6),
			.reason = (uint8_t)sqlite3_column_int(row, 7),
			.direction = (uint8_t)sqlite3_column_int(row, 8)},
		.rule = rule->name,
		.reason = (uint8_t)sqlite3_column_int(row, 7),
		.direction = (uint8_t)sqlite3_column_int(row, 8),
		.start_ns = (uint64_t)sqlite3_column_int64(row, 11),
		.end_ns = (uint64_t)sqlite3_column_int64(row, 12),
	};
	return 0;
}

/* Seconds of the first step with traffic, and of the end of the last. */
struct seen {
	int64_t first;
	int64_t end;
};

static int add_span(struct store_query *query, int64_t edge, const struct store_span *span,
	struct tally *tally, struct seen *seen, struct error *error)
{
	sqlite3_stmt *row = query->statements[COUNTS];
	int r = 0;

	sqlite3_bind_int64(row, 1, edge);
	sqlite3_bind_int64(row, 2, span->level);
	sqlite3_bind_int64(row, 3, span->first);
	sqlite3_bind_int64(row, 4, span->end);
	if (sqlite3_step(row) != SQLITE_ROW) {
		r = store_error(query->database, error, "read the flow store");
	} else if (sqlite3_column_type(row, 5) != SQLITE_NULL) {
		tally->connections += (uint64_t)sqlite3_column_int64(row, 0);
		for (int side = 0; side < 2; side++) {
			tally->packets[side] += (uint64_t)sqlite3_column_int64(row, 1 + side);
			tally->bytes[side] += (uint64_t)sqlite3_column_int64(row, 3 + side);
		}
		if (!seen->end || sqlite3_column_int64(row, 5) < seen->first)
			seen->first = sqlite3_column_int64(row, 5);
		if (sqlite3_column_int64(row, 6) + store_level_seconds[span->level] > seen->end)
			seen->end = sqlite3_column_int64(row, 6) + store_level_seconds[span->level];
	}
	sqlite3_reset(row);
	return r;
}

/* Narrows the edge's whole life to what the steps show. */
static void narrow(struct tally *tally, const struct seen *seen)
{
	uint64_t first_ns = (uint64_t)(seen->first * NS_PER_SECOND);
	uint64_t end_ns = (uint64_t)(seen->end * NS_PER_SECOND);

	if (tally->start_ns < first_ns)
		tally->start_ns = first_ns;
	if (tally->end_ns > end_ns)
		tally->end_ns = end_ns;
}

struct question {
	const struct flow_filter *filter;
	struct store_span spans[STORE_SPANS_MAX];
	size_t spans_count;
	void (*visit)(const struct tally *edge, void *userdata);
	void *userdata;
};

static int answer_for_edge(
	struct store_query *query, const struct question *question, struct error *error)
{
	struct seen seen = {0};
	struct record record;
	struct tally tally;
	int64_t id;
	int r = read_edge(query, &tally, &id, error);

	if (r < 0 || !id)
		return r;
	record = tally_record(&tally);
	if (!filter_matches(question->filter, &record, tally.start_ns))
		return 0;
	for (size_t i = 0; !r && i < question->spans_count; i++)
		r = add_span(query, id, &question->spans[i], &tally, &seen, error);
	if (r < 0 || !seen.end)
		return r;
	narrow(&tally, &seen);
	question->visit(&tally, question->userdata);
	return 0;
}

static int read_horizons(
	struct store_query *query, int64_t horizons[static STORE_LEVELS], struct error *error)
{
	sqlite3_stmt *row = query->statements[HORIZONS];
	int result = sqlite3_step(row);

	for (; result == SQLITE_ROW; result = sqlite3_step(row)) {
		int level = sqlite3_column_int(row, 0);

		if (level >= 0 && level < STORE_LEVELS)
			horizons[level] = sqlite3_column_int64(row, 1);
	}
	sqlite3_reset(row);
	return result == SQLITE_DONE ? 0
				     : store_error(query->database, error, "read the flow store");
}

static int visit_edges(
	struct store_query *query, const struct question *question, struct error *error)
{
	uint64_t until_ns = filter_until_ns(question->filter);
	sqlite3_stmt *rows = query->statements[EDGES];
	int result = SQLITE_DONE, r = 0;

	sqlite3_bind_int64(rows, 1, (int64_t)filter_since_ns(question->filter));
	sqlite3_bind_int64(rows, 2, until_ns ? (int64_t)until_ns : INT64_MAX);
	while (!r && (result = sqlite3_step(rows)) == SQLITE_ROW)
		r = answer_for_edge(query, question, error);
	if (!r && result != SQLITE_DONE)
		r = store_error(query->database, error, "read the flow store");
	sqlite3_reset(rows);
	return r;
}

/* No end is a far day: so one row answers for today. */
static int ask(struct store_query *query, struct question *question, struct error *error)
{
	int64_t since = (int64_t)(filter_since_ns(question->filter) / NS_PER_SECOND);
	int64_t until = (int64_t)(filter_until_ns(question->filter) / NS_PER_SECOND);
	int64_t horizons[STORE_LEVELS] = {0};
	int r = read_horizons(query, horizons, error);

	if (r < 0)
		return r;
	if (!until)
		until = FAR_DAY * store_level_seconds[STORE_DAY];
	question->spans_count = store_spans(since, until, horizons, question->spans);
	return visit_edges(query, question, error);
}

int store_query_run(struct store_query *query, const struct flow_filter *filter,
	void (*visit)(const struct tally *edge, void *userdata), void *userdata,
	struct error *error)
{
	struct question question = {.filter = filter, .visit = visit, .userdata = userdata};
	int r = open_present_file(query, error);

	if (r < 0)
		return r;
	query->deadline_ns = timestamp_now_ns() + BUDGET_NS;
	/* One transaction: the horizons, the edges and their sums are of one moment. */
	r = store_execute(query->database, "BEGIN", error);
	if (r < 0)
		return r;
	r = ask(query, &question, error);
	sqlite3_exec(query->database, "COMMIT", NULL, NULL, NULL);
	return r;
}
