// SPDX-License-Identifier: GPL-2.0-or-later
#include "fixture.h"

#include "base/cleanup.h"
#include "flow/denied.h"

static int setup(void **state)
{
	return denied_new(100, (struct denied **)state);
}

static int teardown(void **state)
{
	denied_free(*state);
	return 0;
}

static void add(struct denied *denied, uint16_t source_port, uint16_t port, uint64_t packets)
{
	struct record record = {.event = fixture_denied(1)};

	record.event.source_port = source_port;
	record.event.destination_port = port;
	record.event.packets[0] = packets;
	record.event.bytes[0] = packets * 60;
	denied_add(denied, &record);
}

static json_t *query(struct denied *denied, const char *key, const char *value)
{
	_cleanup_(flow_filter_freep) struct flow_filter *filter = NULL;
	json_t *answer, *refusals;

	if (key)
		assert_int_equal(flow_filter_set(&filter, key, value, NULL), 0);
	answer = denied_to_json(denied, filter);
	assert_non_null(answer);
	refusals = json_incref(json_object_get(answer, "denied"));
	json_decref(answer);
	return refusals;
}

static json_int_t number(const json_t *object, const char *key)
{
	return json_integer_value(json_object_get(object, key));
}

static void sums_up_whatever_the_source_port(void **state)
{
	json_t *refusals, *refusal;

	add(*state, 40000, 5432, 2);
	add(*state, 40001, 5432, 3);
	add(*state, 40002, 22, 9);
	refusals = query(*state, NULL, NULL);
	assert_int_equal(json_array_size(refusals), 2);
	assert_int_equal(number(json_array_get(refusals, 0), "port"), 22);
	refusal = json_array_get(refusals, 1);
	assert_int_equal(number(refusal, "packets"), 5);
	assert_int_equal(number(refusal, "bytes"), 300);
	assert_null(json_object_get(json_object_get(refusal, "source"), "port"));
	assert_int_equal(number(json_object_get(refusal, "destination"), "port"), 5432);
	assert_string_equal(
		json_string_value(json_object_get(refusal, "sentence")), "policy refuses it");
	assert_string_equal(json_string_value(json_object_get(refusal, "verdict")), "denied");
	assert_true(json_is_null(json_object_get(refusal, "rule")));
	json_decref(refusals);
}

static void filters_and_limits(void **state)
{
	json_t *refusals;

	for (uint16_t port = 1; port <= 50; port++)
		add(*state, 40000, port, port);
	refusals = query(*state, "port", "17");
	assert_int_equal(json_array_size(refusals), 1);
	assert_int_equal(number(json_array_get(refusals, 0), "packets"), 17);
	json_decref(refusals);
	refusals = query(*state, "limit", "3");
	assert_int_equal(json_array_size(refusals), 3);
	assert_int_equal(number(json_array_get(refusals, 2), "port"), 48);
	json_decref(refusals);
	refusals = query(*state, "since", "2026-11-21T08:00:01Z");
	assert_int_equal(json_array_size(refusals), 0);
	json_decref(refusals);
}

static void tells_types_of_icmp_apart(void **state)
{
	struct record record = {.event = fixture_denied(1)};
	json_t *refusals;

	record.event.protocol = IPPROTO_ICMP;
	record.event.source_port = record.event.destination_port = 0;
	record.event.icmp_type = 8;
	denied_add(*state, &record);
	record.event.icmp_type = 13;
	denied_add(*state, &record);
	denied_add(*state, &record);
	refusals = query(*state, "protocol", "icmp");
	assert_int_equal(json_array_size(refusals), 2);
	assert_int_equal(number(json_object_get(json_array_get(refusals, 0), "icmp"), "type"), 13);
	json_decref(refusals);
}

static void a_scan_is_bounded_and_counted(void **state)
{
	json_t *description;

	for (uint16_t port = 1; port <= 1000; port++)
		add(*state, 40000, port, 2);
	description = denied_describe(*state);
	assert_int_equal(number(description, "refusals"), 100);
	assert_int_equal(number(description, "evicted"), 900);
	assert_int_equal(number(description, "evicted_packets"), 1800);
	json_decref(description);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(sums_up_whatever_the_source_port, setup, teardown),
		cmocka_unit_test_setup_teardown(filters_and_limits, setup, teardown),
		cmocka_unit_test_setup_teardown(tells_types_of_icmp_apart, setup, teardown),
		cmocka_unit_test_setup_teardown(a_scan_is_bounded_and_counted, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
