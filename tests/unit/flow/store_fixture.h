/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A flow store in a directory of its own. */
#pragma once

#include "fixture.h"

#include "base/cleanup.h"
#include "flow/store.h"
#include "flow/store_database.h"

#include <sys/stat.h>

#define DAY_SECONDS 86400LL

struct store_fixture {
	char directory[32];
	char path[64];
	sd_event *event;
	struct flow_store *store;
};

static inline void store_fixture_open(struct store_fixture *fixture)
{
	const struct flow_store_options options = {.path = fixture->path,
		.retention_ns = 10000 * DAY_SECONDS * FIXTURE_SECOND,
		.size_bytes_max = 1 << 30};

	assert_int_equal(flow_store_new(&options, fixture->event, &fixture->store), 0);
}

static inline int store_fixture_set_up(void **state)
{
	struct store_fixture *fixture = calloc(1, sizeof(*fixture));

	assert_non_null(fixture);
	strcpy(fixture->directory, "/tmp/segd-store.XXXXXX");
	assert_non_null(mkdtemp(fixture->directory));
	snprintf(fixture->path, sizeof(fixture->path), "%s/flows.db", fixture->directory);
	assert_true(sd_event_new(&fixture->event) >= 0);
	store_fixture_open(fixture);
	*state = fixture;
	return 0;
}

static inline int store_fixture_tear_down(void **state)
{
	static const char *const suffixes[] = {"", "-wal", "-shm", ".damaged"};
	struct store_fixture *fixture = *state;

	flow_store_free(fixture->store);
	sd_event_unref(fixture->event);
	for (size_t i = 0; i < ARRAY_SIZE(suffixes); i++) {
		char path[96];

		snprintf(path, sizeof(path), "%s%s", fixture->path, suffixes[i]);
		unlink(path);
	}
	assert_int_equal(rmdir(fixture->directory), 0);
	free(fixture);
	return 0;
}

static inline void store_fixture_close(struct store_fixture *fixture)
{
	flow_store_free(TAKE_PTR(fixture->store));
}

static inline struct name *store_fixture_workload(const char *name, const char *app)
{
	return name_new(NULL, json_pack("{s:s, s:s, s:{s:s}}", "workload", name, "namespace",
				      "shop", "labels", "app", app));
}

static inline void store_fixture_flush(struct store_fixture *fixture)
{
	_cleanup_error_ struct error error = ERROR_INIT;

	if (flow_store_flush(fixture->store, &error) < 0)
		fail_msg("%s", error_message(&error));
}

struct totals {
	size_t edges;
	uint64_t connections, packets[2], bytes[2];
};

static inline void store_fixture_sum(const struct tally *edge, void *userdata)
{
	struct totals *totals = userdata;

	totals->edges++;
	totals->connections += edge->connections;
	for (size_t side = 0; side < 2; side++) {
		totals->packets[side] += edge->packets[side];
		totals->bytes[side] += edge->bytes[side];
	}
}

static inline struct totals store_fixture_ask(
	struct store_fixture *fixture, const struct flow_filter *filter)
{
	_cleanup_error_ struct error error = ERROR_INIT;
	struct totals totals = {0};

	if (flow_store_for_each(fixture->store, filter, store_fixture_sum, &totals, &error) < 0)
		fail_msg("%s", error_message(&error));
	return totals;
}

static inline int64_t store_fixture_ask_file(const struct store_fixture *fixture, const char *sql)
{
	_cleanup_(sqlite3_closep) sqlite3 *database = NULL;
	_cleanup_(sqlite3_finalizep) sqlite3_stmt *statement = NULL;

	assert_int_equal(store_open_to_read(fixture->path, &database, NULL), 0);
	assert_int_equal(store_prepare(database, sql, &statement, NULL), 0);
	assert_int_equal(sqlite3_step(statement), SQLITE_ROW);
	return sqlite3_column_int64(statement, 0);
}
