// SPDX-License-Identifier: GPL-2.0-or-later
#include "fixture.h"

#include "flow/map.h"

struct totals {
	size_t edges, active;
	uint64_t connections, packets[2], bytes[2];
};

static void sum(const struct tally *edge, size_t active, void *userdata)
{
	struct totals *totals = userdata;

	totals->edges++;
	totals->active += active;
	totals->connections += edge->connections;
	for (size_t side = 0; side < 2; side++) {
		totals->packets[side] += edge->packets[side];
		totals->bytes[side] += edge->bytes[side];
	}
}

static struct totals total(const struct map *map)
{
	struct totals totals = {0};

	map_for_each(map, sum, &totals);
	return totals;
}

static bool add(
	struct map *map, uint64_t id, enum flow_event_type type, uint64_t sent, uint64_t received)
{
	struct record record = {.event = fixture_event(id)};

	record.event.type = type;
	record.event.packets[0] = sent;
	record.event.packets[1] = received;
	record.event.bytes[0] = sent * 100;
	record.event.bytes[1] = received * 1000;
	return map_add(map, &record);
}

static void each_packet_counts_once(void **state)
{
	struct map *map;
	struct totals totals;

	(void)state;
	assert_int_equal(map_new(10, 10, &map), 0);
	add(map, 1, FLOW_NEW, 1, 0);
	add(map, 2, FLOW_NEW, 1, 0);
	add(map, 1, FLOW_UPDATE, 5, 4);
	add(map, 1, FLOW_UPDATE, 5, 4);
	totals = total(map);
	assert_int_equal(totals.active, 2);
	assert_int_equal(totals.connections, 2);
	/* The second one's is with what is told of it next. */
	assert_int_equal(totals.packets[0], 5);
	assert_int_equal(totals.bytes[0], 500);
	add(map, 1, FLOW_END, 9, 8);
	totals = total(map);
	assert_int_equal(totals.packets[0], 9);
	add(map, 2, FLOW_END, 1, 0);
	totals = total(map);
	assert_int_equal(totals.edges, 1);
	assert_int_equal(totals.active, 0);
	assert_int_equal(totals.connections, 2);
	assert_int_equal(totals.packets[0], 10);
	assert_int_equal(totals.packets[1], 8);
	assert_int_equal(totals.bytes[0], 1000);
	assert_int_equal(totals.bytes[1], 8000);
	map_free(map);
}

static void an_agent_that_comes_late_counts_in_full(void **state)
{
	struct map *map;
	struct totals totals;

	(void)state;
	assert_int_equal(map_new(10, 10, &map), 0);
	add(map, 1, FLOW_UPDATE, 50, 40);
	add(map, 2, FLOW_END, 7, 7);
	totals = total(map);
	assert_int_equal(totals.connections, 2);
	assert_int_equal(totals.active, 1);
	assert_int_equal(totals.packets[0], 57);
	map_free(map);
}

/* Beyond the bound nothing is lost and nothing counts twice once the connections are over. */
static void connections_without_room_are_counted_at_their_end(void **state)
{
	struct map *map;
	struct totals totals;
	json_t *description;

	(void)state;
	assert_int_equal(map_new(10, 4, &map), 0);
	for (uint64_t id = 0; id < 10; id++)
		add(map, id, FLOW_NEW, 1, 0);
	for (uint64_t id = 0; id < 10; id++)
		add(map, id, FLOW_UPDATE, 3, 2);
	totals = total(map);
	assert_int_equal(totals.active, 4);
	assert_int_equal(totals.packets[0], 12);
	add(map, 0, FLOW_END, 4, 3);
	add(map, 9, FLOW_UPDATE, 4, 3); /* finds the room that this left */
	for (uint64_t id = 1; id < 10; id++)
		add(map, id, FLOW_END, 4, 3);
	totals = total(map);
	assert_int_equal(totals.active, 0);
	assert_int_equal(totals.connections, 10);
	assert_int_equal(totals.packets[0], 40);
	assert_int_equal(totals.packets[1], 30);
	description = map_describe(map);
	assert_int_equal(
		json_integer_value(json_object_get(description, "connections_untracked")), 12);
	json_decref(description);
	map_free(map);
}

static void a_connection_that_fell_silent_makes_room(void **state)
{
	struct map *map;
	struct record record = {.event = fixture_event(2)};

	(void)state;
	assert_int_equal(map_new(10, 1, &map), 0);
	add(map, 1, FLOW_NEW, 1, 0);
	map_add(map, &record);
	assert_int_equal(total(map).connections, 1);
	record.event.time_ns += 25 * 3600 * FIXTURE_SECOND;
	map_add(map, &record);
	assert_int_equal(total(map).connections, 2);
	assert_int_equal(total(map).active, 1);
	map_free(map);
}

static void an_evicted_edge_leaves_its_connections_behind(void **state)
{
	struct map *map;
	struct record other = {.event = fixture_event(2)};

	(void)state;
	assert_int_equal(map_new(1, 10, &map), 0);
	add(map, 1, FLOW_UPDATE, 1, 0);
	other.event.destination_port = 22;
	map_add(map, &other);
	assert_int_equal(total(map).edges, 1);
	assert_int_equal(total(map).active, 1);
	/* Only what came since. */
	add(map, 1, FLOW_UPDATE, 5, 0);
	assert_int_equal(total(map).edges, 1);
	assert_int_equal(total(map).packets[0], 4);
	map_free(map);
}

static void refusals_and_other_verdicts_are_edges_of_their_own(void **state)
{
	struct map *map;
	struct record denied = {.event = fixture_denied(3)};
	struct totals totals;

	(void)state;
	assert_int_equal(map_new(10, 10, &map), 0);
	add(map, 1, FLOW_UPDATE, 1, 0);
	map_add(map, &denied);
	map_add(map, &denied);
	totals = total(map);
	assert_int_equal(totals.edges, 2);
	assert_int_equal(totals.connections, 1);
	assert_int_equal(totals.packets[0], 3);
	map_free(map);
}

static void updates_become_records_only_now_and_then(void **state)
{
	struct map *map;
	struct record record = {.event = fixture_event(1)};

	(void)state;
	assert_int_equal(map_new(10, 10, &map), 0);
	assert_true(map_add(map, &record));
	record.event.type = FLOW_UPDATE;
	record.event.packets[0] = 5;
	record.event.packets[1] = 4;
	assert_false(map_add(map, &record));
	record.event.time_ns += 11 * FIXTURE_SECOND;
	assert_false(map_add(map, &record)); /* nothing new */
	record.event.packets[0] = 6;
	assert_true(map_add(map, &record));
	record.event.packets[0] = 7;
	assert_false(map_add(map, &record));
	assert_int_equal(total(map).packets[0], 7);
	record.event.type = FLOW_END;
	assert_true(map_add(map, &record));
	map_free(map);
}

static void what_nobody_answers_is_told_once(void **state)
{
	struct map *map;
	struct record record = {.event = fixture_event(1)};

	(void)state;
	assert_int_equal(map_new(10, 10, &map), 0);
	assert_true(map_add(map, &record));
	record.event.type = FLOW_UPDATE;
	record.event.time_ns += FIXTURE_SECOND;
	assert_false(map_add(map, &record)); /* an answer may be on its way */
	record.event.time_ns += FIXTURE_SECOND;
	assert_true(map_add(map, &record));
	assert_false(map_add(map, &record));
	map_free(map);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_packet_counts_once),
		cmocka_unit_test(an_agent_that_comes_late_counts_in_full),
		cmocka_unit_test(connections_without_room_are_counted_at_their_end),
		cmocka_unit_test(a_connection_that_fell_silent_makes_room),
		cmocka_unit_test(an_evicted_edge_leaves_its_connections_behind),
		cmocka_unit_test(refusals_and_other_verdicts_are_edges_of_their_own),
		cmocka_unit_test(updates_become_records_only_now_and_then),
		cmocka_unit_test(what_nobody_answers_is_told_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
