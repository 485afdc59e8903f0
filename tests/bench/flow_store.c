// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What a month in the flow store costs: its size, and the time of a question.
 *
 *   flow_store [FLOWS]     makes a store that stands for FLOWS connections (50 million) of 500
 *                          workloads over 30 days, on 20,000 edges, few of them busy and many
 *                          seldom; then asks for all peers of one workload
 *
 * The sums are written as the agent's own statements would leave them, but in order and without a
 * journal: the rate of the agent's own writing is printed of a smaller batch.
 */
#include "base/cleanup.h"
#include "flow/store.h"
#include "flow/store_database.h"
#include "flow/timestamp.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#define FLOWS_DEFAULT 50000000
#define WORKLOADS     500
#define EDGES         20000
#define DAYS          30
#define DAY_SECONDS   86400
#define BUSY_EDGES    50 /* an edge is active in 1440 / (1 + edge / BUSY_EDGES) minutes a day */
#define QUESTIONS     21
#define BATCH_EDGES   10000

#define NS_PER_SECOND 1000000000ULL

static double now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static void must(int result, const struct error *error)
{
	if (result >= 0)
		return;
	fprintf(stderr, "flow_store: %s\n", error_message(error));
	exit(EXIT_FAILURE);
}

static void execute(sqlite3 *database, const char *sql)
{
	_cleanup_error_ struct error error = ERROR_INIT;

	must(store_execute(database, sql, &error), &error);
}

static sqlite3_stmt *prepare(sqlite3 *database, const char *sql)
{
	_cleanup_error_ struct error error = ERROR_INIT;
	sqlite3_stmt *statement = NULL;

	must(store_prepare(database, sql, &statement, &error), &error);
	return statement;
}

static void put(sqlite3_stmt *statement, size_t count, const int64_t values[])
{
	for (size_t i = 0; i < count; i++)
		sqlite3_bind_int64(statement, (int)i + 1, values[i]);
	if (sqlite3_step(statement) != SQLITE_DONE) {
		fprintf(stderr, "flow_store: cannot write\n");
		exit(EXIT_FAILURE);
	}
	sqlite3_reset(statement);
}

#define PUT(statement, ...)                                                \
	put(statement, sizeof((int64_t[]){__VA_ARGS__}) / sizeof(int64_t), \
		(const int64_t[]){__VA_ARGS__})

static json_t *workload(unsigned int number)
{
	return json_pack("{s:o, s:s, s:{s:o, s:s}}", "workload", json_sprintf("app-%u", number),
		"namespace", "shop", "labels", "app", json_sprintf("app-%u", number / 5), "env",
		"prod");
}

static void put_endpoints(sqlite3 *database)
{
	sqlite3_stmt *statement = prepare(database, "INSERT INTO endpoints VALUES (?1, ?2, x'')");

	for (unsigned int i = 0; i < WORKLOADS; i++) {
		json_t *json = workload(i);
		char *text = json_dumps(json, JSON_COMPACT);

		sqlite3_bind_int64(statement, 1, i + 1);
		sqlite3_bind_text(statement, 2, text, -1, SQLITE_TRANSIENT);
		sqlite3_step(statement);
		sqlite3_reset(statement);
		free(text);
		json_decref(json);
	}
	sqlite3_finalize(statement);
	execute(database, "INSERT INTO rules VALUES (1, '{\"name\":\"db-from-api\"}')");
}

static int64_t minutes_of(int64_t edge)
{
	int64_t minutes = 1440 / (1 + edge / BUSY_EDGES);

	return minutes ? minutes : 1;
}

/* One edge's steps of one level in order: count for each day, flows in each. */
static int64_t put_steps(
	sqlite3_stmt *statement, int64_t edge, enum store_level level, int64_t start, int64_t flows)
{
	int64_t a_day = DAY_SECONDS / store_level_seconds[level];
	int64_t active = minutes_of(edge) < a_day ? minutes_of(edge) : a_day;
	int64_t each = flows * minutes_of(edge) / active;

	for (int64_t i = 0; i < DAYS * active; i++) {
		int64_t step = i / active * a_day + i % active * a_day / active;

		PUT(statement, edge + 1, level, start + step * store_level_seconds[level], each,
			5 * each, 4 * each, 2500 * each, 9000 * each);
	}
	return DAYS * active;
}

static int64_t make_month(sqlite3 *database, int64_t start, int64_t flows)
{
	sqlite3_stmt *edges = prepare(
		database, "INSERT INTO edges VALUES (?1, ?2, ?3, 0, 6, ?4, 0, 0, 0, 1, 0, ?5, ?6)");
	sqlite3_stmt *counts =
		prepare(database, "INSERT INTO counts VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)");
	int64_t minutes = 0, rows = 0;

	for (int64_t edge = 0; edge < EDGES; edge++)
		minutes += DAYS * minutes_of(edge);
	for (int64_t edge = 0; edge < EDGES; edge++) {
		/* Every fiftieth edge leads to the first workload, the busiest included. */
		int64_t to = edge % 50 ? edge % WORKLOADS : 0;

		PUT(edges, edge + 1, edge * 7 / 3 % WORKLOADS + 1, to + 1, 1024 + edge,
			start * (int64_t)NS_PER_SECOND,
			(start + DAYS * DAY_SECONDS) * (int64_t)NS_PER_SECOND);
		for (enum store_level level = STORE_DAY; level < STORE_LEVELS; level++)
			rows += put_steps(counts, edge, level, start, 1 + flows / minutes);
	}
	sqlite3_finalize(edges);
	sqlite3_finalize(counts);
	return rows;
}

static void make_store(const char *path, int64_t flows)
{
	_cleanup_error_ struct error error = ERROR_INIT;
	_cleanup_(sqlite3_closep) sqlite3 *database = NULL;
	int64_t today = time(NULL) / DAY_SECONDS * DAY_SECONDS, rows;
	double begin = now();
	struct stat status;

	must(store_open(path, false, &database, &error), &error);
	execute(database, "PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; BEGIN");
	put_endpoints(database);
	rows = make_month(database, today - DAYS * DAY_SECONDS, flows);
	execute(database, "COMMIT; PRAGMA journal_mode = WAL");
	if (stat(path, &status) < 0)
		return;
	printf("%-28s %10.1f million flows in %.1f million sums, made in %.0f s\n", "flow store",
		(double)flows / 1e6, (double)rows / 1e6, now() - begin);
	printf("%-28s %10.2f MiB for a million flows\n", "flow store, on disk",
		(double)status.st_size / 1048576 / ((double)flows / 1e6));
}

static void count_edge(const struct tally *edge, void *userdata)
{
	size_t *edges = userdata;

	(void)edge;
	(*edges)++;
}

static int by_value(const void *a, const void *b)
{
	const double *first = a, *second = b;

	return *first < *second ? -1 : *first > *second;
}

static void ask(struct flow_store *store, const char *what, const char *since, const char *until)
{
	_cleanup_error_ struct error error = ERROR_INIT;
	_cleanup_(flow_filter_freep) struct flow_filter *filter = NULL;
	double times[QUESTIONS], first;
	size_t edges = 0;

	must(flow_filter_set(&filter, "workload", "shop/app-0", &error), &error);
	must(flow_filter_set(&filter, "since", since, &error), &error);
	if (until)
		must(flow_filter_set(&filter, "until", until, &error), &error);
	for (size_t i = 0; i < QUESTIONS; i++) {
		double begin = now();

		edges = 0;
		must(flow_store_for_each(store, filter, count_edge, &edges, &error), &error);
		times[i] = now() - begin;
	}
	first = times[0];
	qsort(times, QUESTIONS, sizeof(*times), by_value);
	printf("%-28s %10.1f ms median, %.1f ms the first time, %zu edges (%s)\n",
		"flow store, peers of one", times[QUESTIONS / 2] * 1e3, first * 1e3, edges, what);
}

/* As the agent does it: sums of a minute, in one transaction. */
static void write_batch(struct flow_store *store, uint64_t edges)
{
	_cleanup_error_ struct error error = ERROR_INIT;
	const uint64_t packets[2] = {5, 4}, bytes[2] = {2500, 9000};

	for (uint64_t i = 0; i < edges; i++) {
		struct record record = {.event = {.type = FLOW_END,
						.id = i,
						.time_ns = timestamp_now_ns(),
						.ethertype = 0x0800,
						.protocol = 6,
						.destination_port = (uint16_t)(i / WORKLOADS)}};

		record.source = name_new(NULL, workload((unsigned int)(2 + i % (WORKLOADS - 2))));
		record.destination = name_new(NULL, workload(1));
		record.event.start_ns = record.event.end_ns = record.event.time_ns;
		flow_store_add(store, &record, 1, packets, bytes);
		record_clear(&record);
	}
	must(flow_store_flush(store, &error), &error);
}

/* Before the first batch the whole file is looked through for damage. */
static void measure_writing(struct flow_store *store)
{
	double begin = now(), checked;

	write_batch(store, 1);
	checked = now();
	printf("%-28s %10.1f s\n", "flow store, check at start", checked - begin);
	write_batch(store, BATCH_EDGES);
	printf("%-28s %10.0f edges a second\n", "flow store, writing",
		BATCH_EDGES / (now() - checked));
}

static void measure(const char *path)
{
	const struct flow_store_options options = {.path = path,
		.retention_ns = 365ULL * DAY_SECONDS * NS_PER_SECOND,
		.size_bytes_max = 64ULL << 30};
	struct flow_store *store;
	sd_event *event;

	if (sd_event_new(&event) < 0 || flow_store_new(&options, event, &store) < 0)
		exit(EXIT_FAILURE);
	measure_writing(store);
	ask(store, "30 days", "30d", NULL);
	ask(store, "an odd interval", "29d", "37m");
	flow_store_free(store);
	sd_event_unref(event);
}

int main(int argc, char **argv)
{
	int64_t flows = argc > 1 ? strtoll(argv[1], NULL, 10) : FLOWS_DEFAULT;
	char directory[] = "/tmp/flow-store-XXXXXX", path[64], command[96];

	if (!mkdtemp(directory)) {
		perror("flow_store: make a directory");
		return EXIT_FAILURE;
	}
	snprintf(path, sizeof(path), "%s/flows.db", directory);
	make_store(path, flows);
	measure(path);
	snprintf(command, sizeof(command), "rm -r %s", directory);
	return system(command) ? EXIT_FAILURE : EXIT_SUCCESS;
}
