// SPDX-License-Identifier: GPL-2.0-or-later
#include "fixture.h"

#include "flow/tally.h"

static struct tally *touch(struct tally_table *table, uint16_t port)
{
	struct record record = {.event = fixture_event(1)};
	struct tally_key key = {.port = port};
	struct tally *tally = tally_touch(table, &key, &record);

	assert_non_null(tally);
	tally_add(tally, record.event.packets, record.event.bytes);
	return tally;
}

static void count_evicted(struct tally *tally, void *userdata)
{
	unsigned int *count = userdata;

	(void)tally;
	++*count;
}

static void the_longest_idle_makes_room(void **state)
{
	unsigned int evicted = 0;
	struct tally_table table = {
		.tallies_max = 3, .evicted = count_evicted, .userdata = &evicted};
	uint64_t packets[2] = {4, 2}, bytes[2] = {400, 200};

	(void)state;
	tally_add(touch(&table, 1), packets, bytes);
	tally_add(touch(&table, 2), packets, bytes);
	touch(&table, 3);
	touch(&table, 1);
	touch(&table, 4);
	assert_int_equal(evicted, 1);
	assert_int_equal(table.evicted_count, 1);
	assert_int_equal(table.evicted_packets, 7);
	assert_int_equal(table.by_age->key.port, 3);
	assert_int_equal(touch(&table, 1)->packets[0], 7);
	tally_table_clear(&table);
	assert_int_equal(evicted, 4);
	assert_null(table.tallies);
}

static void knows_the_whole_time_and_the_last_attributes(void **state)
{
	struct tally_table table = {.tallies_max = 3};
	struct tally_key key = {.port = 5432, .protocol = IPPROTO_TCP, .verdict = FLOW_REFUSED};
	struct record record = {.event = fixture_event(1)}, seen;
	struct tally *tally;

	(void)state;
	record.rule = fixture_name(NULL, "{\"name\": \"old\"}");
	tally_touch(&table, &key, &record);
	record_clear(&record);
	record.event = fixture_event(2);
	record.event.start_ns -= 5;
	record.event.end_ns += 10;
	record.event.tcp_flags = 0x10;
	record.event.reason = REASON_REVOKED;
	record.rule = fixture_name(NULL, "{\"name\": \"new\"}");
	tally = tally_touch(&table, &key, &record);
	record_clear(&record);

	seen = tally_record(tally);
	assert_true(seen.event.start_ns == FIXTURE_TIME_NS - 5);
	assert_true(seen.event.end_ns == FIXTURE_TIME_NS + 10);
	assert_int_equal(seen.event.tcp_flags, 0x12);
	assert_int_equal(seen.event.reason, REASON_REVOKED);
	assert_int_equal(seen.event.verdict, FLOW_REFUSED);
	assert_string_equal(name_member(seen.rule, "name"), "new");
	tally_table_clear(&table);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_longest_idle_makes_room),
		cmocka_unit_test(knows_the_whole_time_and_the_last_attributes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
