// SPDX-License-Identifier: GPL-2.0-or-later
#include "store_fixture.h"

#include "flow/store_running.h"

/* An event of a connection with the counters it has by then, as the map would add it: whole where
 * this agent has not seen it before. */
static void add_event_of(struct store_fixture *fixture, uint64_t id, enum flow_event_type type,
	uint64_t counter, uint64_t before, bool first)
{
	const uint64_t packets[2] = {counter - before, 0}, bytes[2] = {100 * packets[0], 0};
	struct record record = {.event = fixture_event(id),
		.source = store_fixture_workload("web", "web"),
		.destination = store_fixture_workload("db", "db")};

	record.event.type = type;
	record.event.lasting_id = id;
	record.event.packets[0] = counter;
	record.event.bytes[0] = 100 * counter;
	flow_store_add(fixture->store, &record, first, packets, bytes);
	record_clear(&record);
}

static void add_event(struct store_fixture *fixture, enum flow_event_type type, uint64_t counter,
	uint64_t before, bool first)
{
	add_event_of(fixture, 42, type, counter, before, first);
}

static void restart(struct store_fixture *fixture)
{
	store_fixture_close(fixture);
	store_fixture_open(fixture);
}

static void a_restart_counts_nothing_twice_and_misses_nothing(void **state)
{
	struct store_fixture *fixture = *state;
	struct totals totals;

	add_event(fixture, FLOW_NEW, 1, 1, true);
	restart(fixture);
	add_event(fixture, FLOW_UPDATE, 10, 0, true);
	add_event(fixture, FLOW_UPDATE, 15, 10, false);
	restart(fixture);
	/* Five packets while no agent ran. */
	add_event(fixture, FLOW_END, 20, 0, true);
	restart(fixture);
	totals = store_fixture_ask(fixture, NULL);
	assert_int_equal(totals.connections, 1);
	assert_int_equal(totals.packets[0], 20);
	assert_int_equal(totals.bytes[0], 2000);
	/* It is over: the next connection under this number is another one. */
	add_event(fixture, FLOW_NEW, 1, 1, true);
	add_event(fixture, FLOW_END, 3, 0, false);
	store_fixture_flush(fixture);
	totals = store_fixture_ask(fixture, NULL);
	assert_int_equal(totals.connections, 2);
	assert_int_equal(totals.packets[0], 23);
}

#define COUNT_RUNNING "SELECT count(*) FROM running"

static void those_that_only_began_have_no_row(void **state)
{
	struct store_fixture *fixture = *state;

	add_event_of(fixture, 1, FLOW_NEW, 1, 1, true);
	add_event_of(fixture, 2, FLOW_NEW, 1, 1, true);
	add_event_of(fixture, 2, FLOW_UPDATE, 5, 0, false);
	store_fixture_flush(fixture);
	assert_int_equal(store_fixture_ask_file(fixture, COUNT_RUNNING), 1);
	add_event_of(fixture, 1, FLOW_END, 4, 0, false);
	add_event_of(fixture, 2, FLOW_END, 6, 5, false);
	store_fixture_flush(fixture);
	assert_int_equal(store_fixture_ask_file(fixture, COUNT_RUNNING), 0);
	assert_int_equal(
		store_fixture_ask_file(fixture, "SELECT time FROM begun"), FIXTURE_TIME_NS);
	assert_int_equal(store_fixture_ask(fixture, NULL).packets[0], 10);
}

static void what_begins_between_two_agents_is_counted(void **state)
{
	const uint64_t packets[2] = {4, 0}, bytes[2] = {400, 0};
	struct store_fixture *fixture = *state;
	struct record record = {.event = fixture_event(2),
		.source = store_fixture_workload("web", "web"),
		.destination = store_fixture_workload("db", "db")};

	add_event_of(fixture, 1, FLOW_NEW, 1, 1, true);
	restart(fixture);
	record.event.type = FLOW_END;
	record.event.lasting_id = 2;
	record.event.start_ns++;
	flow_store_add(fixture->store, &record, 1, packets, bytes);
	record_clear(&record);
	store_fixture_flush(fixture);
	assert_int_equal(store_fixture_ask(fixture, NULL).connections, 2);
	assert_int_equal(store_fixture_ask(fixture, NULL).packets[0], 4);
}

static void make_older(struct store_fixture *fixture, const char *sql)
{
	_cleanup_(sqlite3_closep) sqlite3 *database = NULL;

	add_event(fixture, FLOW_UPDATE, 10, 0, true);
	store_fixture_close(fixture);
	assert_int_equal(store_open(fixture->path, false, &database, NULL), 0);
	assert_int_equal(store_execute(database, sql, NULL), 0);
	store_fixture_open(fixture);
}

/* Which has a row of all that go on, and does not know when the last began. */
static void a_file_of_the_first_version_goes_on(void **state)
{
	struct store_fixture *fixture = *state;

	make_older(fixture, "ALTER TABLE running DROP COLUMN record; DROP TABLE begun;"
			    "PRAGMA user_version = 1");
	add_event(fixture, FLOW_UPDATE, 15, 0, true);
	store_fixture_flush(fixture);
	assert_int_equal(store_fixture_ask(fixture, NULL).connections, 1);
	assert_int_equal(store_fixture_ask(fixture, NULL).packets[0], 15);
	assert_int_equal(store_fixture_ask_file(fixture, "SELECT count(*) FROM begun"), 1);
}

/* Which knows no ids of records. */
static void a_file_of_the_second_version_goes_on(void **state)
{
	const struct flow_event event = {.lasting_id = 42, .id = 8};
	struct store_fixture *fixture = *state;

	make_older(fixture, "ALTER TABLE running DROP COLUMN record; PRAGMA user_version = 2");
	assert_int_equal(flow_store_record_id(fixture->store, &event), 8);
	add_event(fixture, FLOW_UPDATE, 15, 0, true);
	restart(fixture);
	assert_int_equal(store_fixture_ask(fixture, NULL).packets[0], 15);
	assert_int_equal(store_fixture_ask_file(fixture, "SELECT record = id FROM running"), 1);
}

static void add_record(
	struct store_fixture *fixture, uint64_t lasting_id, uint64_t id, enum flow_event_type type)
{
	struct record record = {.event = fixture_event(id),
		.source = store_fixture_workload("web", "web"),
		.destination = store_fixture_workload("db", "db")};

	record.event.type = type;
	record.event.lasting_id = lasting_id;
	record.event.id = flow_store_record_id(fixture->store, &record.event);
	flow_store_add(fixture->store, &record, 1, record.event.packets, record.event.bytes);
	record_clear(&record);
}

static uint64_t record_id(const struct store_fixture *fixture, uint64_t lasting_id, uint64_t id)
{
	const struct flow_event event = {.lasting_id = lasting_id, .id = id};

	return flow_store_record_id(fixture->store, &event);
}

static void records_keep_their_id_over_restarts(void **state)
{
	struct store_fixture *fixture = *state;

	add_record(fixture, 42, 7, FLOW_UPDATE);
	add_record(fixture, 43, 8, FLOW_UPDATE);
	assert_int_equal(record_id(fixture, 42, 70), 70); /* this agent's own are its own */
	for (unsigned int i = 0; i < 2; i++) {
		restart(fixture);
		assert_int_equal(record_id(fixture, 42, 70), 7);
		assert_int_equal(record_id(fixture, 43, 80), 8);
		assert_int_equal(record_id(fixture, 44, 90), 90);
		assert_int_equal(record_id(fixture, 0, 90), 90); /* one that begins */
		add_record(fixture, 42, 70, FLOW_UPDATE);
	}
	add_record(fixture, 43, 80, FLOW_END);
	assert_int_equal(record_id(fixture, 42, 70), 7);
	assert_int_equal(record_id(fixture, 43, 80), 80); /* another one under its number */
	restart(fixture);
	assert_int_equal(record_id(fixture, 43, 80), 80);
}

static void many_go_on_over_restarts(void **state)
{
	struct store_fixture *fixture = *state;
	const uint64_t count = 39;
	struct totals totals;

	for (uint64_t id = 1; id <= count; id++)
		add_event_of(fixture, id, FLOW_NEW, 1, 1, true);
	restart(fixture);
	for (uint64_t id = 1; id <= count; id++)
		add_event_of(fixture, id, id % 5 ? FLOW_UPDATE : FLOW_END, 100 + id, 0, true);
	restart(fixture);
	for (uint64_t id = 1; id <= count; id++)
		if (id % 5)
			add_event_of(fixture, id, FLOW_END, 1000 + id, 0, true);
	restart(fixture);
	totals = store_fixture_ask(fixture, NULL);
	assert_int_equal(totals.connections, count);
	assert_int_equal(totals.packets[0],
		count * (count + 1) / 2 + 1000 * (count - count / 5) + 100 * (count / 5));
	/* All are over: those that come under their numbers are counted from their beginning. */
	for (uint64_t id = 1; id <= count; id++)
		add_event_of(fixture, id, FLOW_END, 1000 + id, 0, true);
	restart(fixture);
	assert_int_equal(store_fixture_ask(fixture, NULL).packets[0],
		totals.packets[0] + count * (count + 1) / 2 + 1000 * count);
}

static void note(struct store_running *running, enum flow_event_type type, uint64_t id,
	uint64_t packets, size_t connections_max)
{
	const struct flow_event event = {.type = type,
		.lasting_id = id,
		.packets = {packets, 1},
		.bytes = {packets * 60, 2}};

	store_running_note(running, &event, true, connections_max);
}

static const struct store_connection *noted(const struct store_running *running, uint64_t id)
{
	const struct store_connection *connection = running->connections;

	while (connection && connection->id != id)
		connection = connection->hh.next;
	return connection;
}

static void the_last_note_of_each_stays(void **state)
{
	struct store_running running = {0};

	(void)state;
	note(&running, FLOW_UPDATE, 3, 5, 100);
	note(&running, FLOW_UPDATE, 9, 7, 100);
	note(&running, FLOW_UPDATE, 3, 6, 100);
	note(&running, FLOW_END, 4, 8, 100);
	note(&running, FLOW_UPDATE, 4, 9, 100); /* another one under its number */
	note(&running, FLOW_END, 9, 8, 100);
	assert_int_equal(HASH_COUNT(running.connections), 3);
	assert_int_equal(noted(&running, 3)->packets[0], 6);
	assert_int_equal(noted(&running, 3)->packets[1], 1);
	assert_int_equal(noted(&running, 3)->bytes[0], 360);
	assert_int_equal(noted(&running, 3)->bytes[1], 2);
	assert_false(noted(&running, 3)->ended);
	assert_false(noted(&running, 4)->ended);
	assert_true(noted(&running, 9)->ended);
	store_running_clear(&running);
	assert_null(running.connections);
}

static void notes_are_bounded_by_connections(void **state)
{
	struct store_running running = {0};

	(void)state;
	for (uint64_t i = 0; i < 5000; i++)
		note(&running, FLOW_UPDATE, i, 1, 100);
	assert_int_equal(HASH_COUNT(running.connections), 100);
	assert_null(noted(&running, 100));
	/* What those do is still told. */
	note(&running, FLOW_END, 99, 2, 100);
	assert_int_equal(noted(&running, 99)->packets[0], 2);
	assert_true(noted(&running, 99)->ended);
	store_running_clear(&running);
}

#define test(function) \
	cmocka_unit_test_setup_teardown(function, store_fixture_set_up, store_fixture_tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		test(a_restart_counts_nothing_twice_and_misses_nothing),
		test(those_that_only_began_have_no_row),
		test(what_begins_between_two_agents_is_counted),
		test(a_file_of_the_first_version_goes_on),
		test(a_file_of_the_second_version_goes_on),
		test(records_keep_their_id_over_restarts),
		test(many_go_on_over_restarts),
		cmocka_unit_test(the_last_note_of_each_stays),
		cmocka_unit_test(notes_are_bounded_by_connections),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
