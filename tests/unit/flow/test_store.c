// SPDX-License-Identifier: GPL-2.0-or-later
#include "store_fixture.h"

#include "flow/graph.h"
#include "flow/store_retention.h"
#include "flow/timestamp.h"

#include <errno.h>

/* minutes after the fixture's time; five packets there and four back. */
static void add_from(struct store_fixture *fixture, const char *source, int64_t minutes)
{
	const uint64_t packets[2] = {5, 4}, bytes[2] = {500, 400};
	struct record record = {.event = fixture_event(1),
		.source = store_fixture_workload(source, "web"),
		.destination = store_fixture_workload("db", "db"),
		.rule = name_new(NULL, json_pack("{s:s}", "name", "db-from-web"))};

	record.event.time_ns += (uint64_t)minutes * 60 * FIXTURE_SECOND;
	record.event.start_ns = record.event.end_ns = record.event.time_ns;
	flow_store_add(fixture->store, &record, 1, packets, bytes);
	record_clear(&record);
}

static void set_time(struct flow_filter **filter, const char *key, int64_t minutes)
{
	char text[TIMESTAMP_LENGTH + 1];

	timestamp_format(FIXTURE_TIME_NS + (uint64_t)(minutes * 60) * FIXTURE_SECOND, text);
	assert_int_equal(flow_filter_set(filter, key, text, NULL), 0);
}

static struct totals ask_between(struct store_fixture *fixture, int64_t since, int64_t until)
{
	_cleanup_(flow_filter_freep) struct flow_filter *filter = NULL;

	set_time(&filter, "since", since);
	set_time(&filter, "until", until);
	return store_fixture_ask(fixture, filter);
}

static void sums_outlive_the_agent(void **state)
{
	struct store_fixture *fixture = *state;
	struct totals totals;

	add_from(fixture, "web", 0);
	add_from(fixture, "web", 0);
	add_from(fixture, "cron", 0);
	store_fixture_close(fixture);
	store_fixture_open(fixture);
	add_from(fixture, "web", 0);
	store_fixture_flush(fixture);
	totals = store_fixture_ask(fixture, NULL);
	assert_int_equal(totals.edges, 2);
	assert_int_equal(totals.connections, 4);
	assert_int_equal(totals.packets[0], 20);
	assert_int_equal(totals.packets[1], 16);
	assert_int_equal(totals.bytes[0], 2000);
	assert_int_equal(totals.bytes[1], 1600);
}

static json_int_t describe(const struct store_fixture *fixture, const char *key)
{
	json_t *description = flow_store_describe(fixture->store);
	json_int_t value = json_integer_value(json_object_get(description, key));

	json_decref(description);
	return value;
}

static void events_of_two_minutes_may_come_by_turns(void **state)
{
	const uint64_t none[2] = {0}, minute_ns = 60 * FIXTURE_SECOND;
	struct store_fixture *fixture = *state;
	struct record record = {.event = fixture_event(1)};

	for (int i = 0; i < 50; i++) {
		flow_store_add(fixture->store, &record, 1, none, none);
		record.event.time_ns += minute_ns;
		flow_store_add(fixture->store, &record, 1, none, none);
		record.event.time_ns -= minute_ns;
	}
	assert_int_equal(describe(fixture, "pending"), 2);
	store_fixture_flush(fixture);
	assert_int_equal(store_fixture_ask(fixture, NULL).connections, 100);
}

static void an_interval_has_its_own_sums(void **state)
{
	struct store_fixture *fixture = *state;

	for (int64_t minute = 0; minute < 3000; minute += 10)
		add_from(fixture, "web", minute);
	store_fixture_flush(fixture);
	assert_int_equal(ask_between(fixture, 0, 3000).connections, 300);
	assert_int_equal(ask_between(fixture, 5, 15).connections, 1);
	assert_int_equal(ask_between(fixture, 10, 11).connections, 1);
	assert_int_equal(ask_between(fixture, 11, 20).connections, 0);
	assert_int_equal(ask_between(fixture, 35, 2715).connections, 268);
	assert_int_equal(ask_between(fixture, 3000, 9000).edges, 0);
}

static void filters_choose_as_in_the_live_stream(void **state)
{
	static const struct {
		const char *key, *value;
		size_t edges;
	} cases[] = {
		{"from", "shop/web", 1},
		{"to", "shop/web", 0},
		{"workload", "db", 2},
		{"label", "app=web", 2},
		{"namespace", "shop", 2},
		{"namespace", "other", 0},
		{"port", "5432", 2},
		{"port", "80", 0},
		{"protocol", "tcp", 2},
		{"protocol", "udp", 0},
		{"verdict", "allowed", 2},
		{"verdict", "denied", 0},
		{"reason", "policy_allowed", 2},
		{"rule", "db-from-web", 2},
		{"rule", "another", 0},
	};
	struct store_fixture *fixture = *state;

	add_from(fixture, "web", 0);
	add_from(fixture, "cron", 0);
	store_fixture_flush(fixture);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_(flow_filter_freep) struct flow_filter *filter = NULL;

		assert_int_equal(flow_filter_set(&filter, cases[i].key, cases[i].value, NULL), 0);
		assert_int_equal(store_fixture_ask(fixture, filter).edges, cases[i].edges);
	}
}

/* The world is kept by address, a workload by its name. */
static void only_the_world_has_addresses(void **state)
{
	struct store_fixture *fixture = *state;
	const uint64_t none[2] = {0};

	for (int i = 0; i < 4; i++) {
		struct record record = {.event = fixture_event(1),
			.destination = store_fixture_workload("a", "a"),
			.source = name_new(NULL, json_pack("{s:s}", "entity", "world"))};

		record.event.source.bytes[15] = (uint8_t)(i / 2);
		record.event.destination.bytes[15] = (uint8_t)i;
		flow_store_add(fixture->store, &record, 1, none, none);
		record_clear(&record);
	}
	store_fixture_flush(fixture);
	assert_int_equal(store_fixture_ask(fixture, NULL).edges, 2);
	assert_int_equal(store_fixture_ask(fixture, NULL).connections, 4);
}

static void a_damaged_store_is_set_aside(void **state)
{
	struct store_fixture *fixture = *state;
	_cleanup_free_ char *aside = NULL;
	struct stat status;
	json_t *description;

	add_from(fixture, "web", 0);
	store_fixture_close(fixture);
	for (long offset = 0; offset < 16384; offset += 512) {
		_cleanup_file_ FILE *file = fopen(fixture->path, "r+");

		assert_non_null(file);
		assert_int_equal(fseek(file, offset + 100, SEEK_SET), 0);
		assert_int_equal(fwrite("damaged damaged", 1, 15, file), 15);
	}
	store_fixture_open(fixture);
	add_from(fixture, "web", 0);
	store_fixture_flush(fixture);
	assert_int_equal(store_fixture_ask(fixture, NULL).connections, 1);
	description = flow_store_describe(fixture->store);
	assert_non_null(json_string_value(json_object_get(description, "set_aside")));
	assert_int_equal(
		stat(json_string_value(json_object_get(description, "set_aside")), &status), 0);
	assert_true(json_is_null(json_object_get(description, "error")));
	json_decref(description);
}

/* What cannot be written waits, and is written when the directory is back. */
static void a_store_that_cannot_be_written_is_tried_again(void **state)
{
	struct store_fixture *fixture = *state;
	_cleanup_error_ struct error error = ERROR_INIT;
	char away[48];

	store_fixture_close(fixture);
	snprintf(away, sizeof(away), "%s.away", fixture->directory);
	assert_int_equal(rename(fixture->directory, away), 0);
	store_fixture_open(fixture);
	add_from(fixture, "web", 0);
	assert_int_equal(flow_store_flush(fixture->store, &error), -EIO);
	assert_non_null(strstr(error_message(&error), "unable to open"));
	assert_int_equal(rename(away, fixture->directory), 0);
	/* The try before that may have been of the file alone, the next one on its way by then. */
	for (int i = 0; i < 3 && flow_store_flush(fixture->store, NULL) < 0; i++)
		;
	store_fixture_flush(fixture);
	assert_int_equal(store_fixture_ask(fixture, NULL).connections, 1);
}

static void what_finds_no_room_is_counted(void **state)
{
	struct store_fixture *fixture = *state;
	char away[48], name[32];

	store_fixture_close(fixture);
	snprintf(away, sizeof(away), "%s.away", fixture->directory);
	assert_int_equal(rename(fixture->directory, away), 0);
	store_fixture_open(fixture);
	for (int i = 0; i < STORE_PENDING_MAX + 10; i++) {
		snprintf(name, sizeof(name), "web-%d", i);
		add_from(fixture, name, 0);
	}
	assert_int_equal(describe(fixture, "turned_away"), 10);
	assert_int_equal(rename(away, fixture->directory), 0);
	store_fixture_flush(fixture);
	assert_int_equal(
		store_fixture_ask_file(fixture, "SELECT count(*) FROM edges"), STORE_PENDING_MAX);
}

static void a_later_version_is_left_alone(void **state)
{
	struct store_fixture *fixture = *state;
	_cleanup_error_ struct error error = ERROR_INIT;
	_cleanup_(sqlite3_closep) sqlite3 *database = NULL;

	store_fixture_flush(fixture);
	store_fixture_close(fixture);
	assert_int_equal(store_open(fixture->path, false, &database, NULL), 0);
	assert_int_equal(store_execute(database, "PRAGMA user_version = 99", NULL), 0);
	store_fixture_open(fixture);
	add_from(fixture, "web", 0);
	assert_int_equal(flow_store_flush(fixture->store, &error), -EIO);
	assert_non_null(strstr(error_message(&error), "schema 99"));
}

static void age_and_size_are_kept(void **state)
{
	const struct store_retention by_age = {
		.age_seconds = 5 * DAY_SECONDS, .size_bytes_max = INT64_MAX};
	struct store_fixture *fixture = *state;
	_cleanup_(sqlite3_closep) sqlite3 *database = NULL;
	struct store_retention by_size = by_age;
	int64_t now = (int64_t)(FIXTURE_TIME_NS / FIXTURE_SECOND) + 10 * DAY_SECONDS, before, after;
	struct totals kept;

	for (int64_t minute = 0; minute < 10 * 1440; minute += 2)
		add_from(fixture, "web", minute);
	store_fixture_flush(fixture);
	store_fixture_close(fixture);
	assert_int_equal(store_open(fixture->path, true, &database, NULL), 0);
	assert_int_equal(store_retain(database, &by_age, now, NULL), 0);
	store_fixture_open(fixture);
	kept = store_fixture_ask(fixture, NULL);
	/* Whole days: the fixture begins at eight in the morning. */
	assert_int_equal(kept.connections, 5 * 720 + 8 * 30);

	assert_int_equal(store_used_bytes(database, &before, NULL), 0);
	by_size.size_bytes_max = before / 2;
	assert_int_equal(store_retain(database, &by_size, now, NULL), 0);
	assert_int_equal(store_used_bytes(database, &after, NULL), 0);
	assert_true(after <= before / 2);
	/* Hours and days still know. */
	assert_int_equal(store_fixture_ask(fixture, NULL).connections, kept.connections);
}

#define test(function) \
	cmocka_unit_test_setup_teardown(function, store_fixture_set_up, store_fixture_tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		test(sums_outlive_the_agent),
		test(events_of_two_minutes_may_come_by_turns),
		test(an_interval_has_its_own_sums),
		test(filters_choose_as_in_the_live_stream),
		test(only_the_world_has_addresses),
		test(a_damaged_store_is_set_aside),
		test(a_store_that_cannot_be_written_is_tried_again),
		test(what_finds_no_room_is_counted),
		test(a_later_version_is_left_alone),
		test(age_and_size_are_kept),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
