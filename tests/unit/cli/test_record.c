/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "client.h"
#include "record.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void is(char *text, const char *expected)
{
	assert_string_equal(text, expected);
	free(text);
}

static json_t *parse(const char *text)
{
	json_t *json = json_loads(text, 0, NULL);

	assert_non_null(json);
	return json;
}

static void test_fields_that_are_not_there_are_empty(void **state)
{
	_cleanup_json_ json_t *json =
		parse("{\"a\": 1, \"b\": \"x\", \"c\": [1, 2.5], \"d\": null}");

	(void)state;
	assert_string_equal(field_text(json, "a"), "");
	assert_string_equal(field_text(json, "b"), "x");
	assert_string_equal(field_text(json, "d"), "");
	assert_string_equal(field_text(NULL, "b"), "");
	assert_true(field_number(json, "a") == 1);
	assert_true(field_number(json, "b") == 0);
	assert_true(field_sum(json, "c") == 3.5);
	assert_true(field_sum(json, "a") == 1);
}

static void test_totals_are_whole_and_do_not_overflow(void **state)
{
	_cleanup_json_ json_t *json = parse(
		"{\"a\": [9223372036854775807, 1], \"b\": [1e30, 2], \"c\": [3, 4], \"d\": 5}");

	(void)state;
	assert_true(field_total(json, "a") == INT64_MAX);
	assert_int_equal(field_total(json, "b"), 2);
	assert_int_equal(field_total(json, "c"), 7);
	assert_int_equal(field_total(json, "d"), 5);
	assert_int_equal(field_total(json, "e"), 0);
}

static void test_end_is_a_name_or_an_address(void **state)
{
	_cleanup_json_ json_t *ends = parse("[{\"ip\": \"10.0.0.1\", \"workload\": \"db\","
					    " \"namespace\": \"shop\"}, {\"ip\": \"10.0.0.1\","
					    " \"entity\": \"host\"}, {\"ip\": \"192.0.2.1\","
					    " \"entity\": \"world\"}, {}]");

	(void)state;
	is(record_end(json_array_get(ends, 0)), "shop/db");
	is(record_end(json_array_get(ends, 1)), "host");
	is(record_end(json_array_get(ends, 2)), "192.0.2.1");
	is(record_end(json_array_get(ends, 3)), "unknown");
}

static void test_port(void **state)
{
	_cleanup_json_ json_t *records =
		parse("[{\"protocol\": \"tcp\", \"port\": 80},"
		      " {\"protocol\": \"udp\", \"destination\": {\"port\": 53}},"
		      " {\"protocol\": \"icmp\", \"icmp\": {\"type\": 8, \"code\": 0}},"
		      " {\"protocol\": \"icmpv6\", \"icmp\": {\"type\": 128, \"code\": 0}},"
		      " {\"protocol\": \"icmp\", \"icmp\": {\"type\": 200, \"code\": 0}},"
		      " {\"protocol\": \"132\"}]");

	(void)state;
	is(record_port(json_array_get(records, 0)), "tcp/80");
	is(record_port(json_array_get(records, 1)), "udp/53");
	is(record_port(json_array_get(records, 2)), "icmp/echo-request");
	is(record_port(json_array_get(records, 3)), "icmpv6/echo-request");
	is(record_port(json_array_get(records, 4)), "icmp/200");
	is(record_port(json_array_get(records, 5)), "132");
}

static void test_why(void **state)
{
	_cleanup_json_ json_t *records =
		parse("[{\"rule\": {\"text\": \"as the agent says\"}},"
		      " {\"direction\": \"ingress\", \"rule\": {\"kind\": \"NetworkPolicy\","
		      "  \"namespace\": \"shop\", \"name\": \"db\", \"index\": 2}},"
		      " {\"rule\": {\"kind\": \"NetworkPolicy\", \"namespace\": \"shop\","
		      "  \"name\": \"db\", \"index\": null}},"
		      " {\"rule\": null, \"reason\": \"spoofed_source\"},"
		      " {\"rule\": null, \"reason\": \"of_a_later_version\"}]");

	(void)state;
	is(record_why(json_array_get(records, 0)), "as the agent says");
	is(record_why(json_array_get(records, 1)), "NetworkPolicy shop/db ingress[2]");
	is(record_why(json_array_get(records, 2)), "no rule of NetworkPolicy shop/db allows");
	is(record_why(json_array_get(records, 3)), "source address is not the workload's");
	is(record_why(json_array_get(records, 4)), "of_a_later_version");
}

static void test_lists(void **state)
{
	_cleanup_json_ json_t *json =
		parse("{\"labels\": {\"a\": \"1\", \"b\": \"\"}, \"list\": [\"x\", \"y\"]}");

	(void)state;
	is(record_labels(json_object_get(json, "labels")), "a=1, b=");
	is(record_labels(NULL), "");
	is(record_list(json_object_get(json, "list")), "x, y");
	is(record_list(NULL), "");
}

static void test_colors_of_both_tenses(void **state)
{
	(void)state;
	assert_int_equal(record_color("allow"), TABLE_GOOD);
	assert_int_equal(record_color("allowed"), TABLE_GOOD);
	assert_int_equal(record_color("deny"), TABLE_BAD);
	assert_int_equal(record_color("denied"), TABLE_BAD);
	assert_int_equal(record_color("audited"), TABLE_WARNING);
	assert_int_equal(record_color(""), TABLE_PLAIN);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_fields_that_are_not_there_are_empty),
		cmocka_unit_test(test_totals_are_whole_and_do_not_overflow),
		cmocka_unit_test(test_end_is_a_name_or_an_address),
		cmocka_unit_test(test_port),
		cmocka_unit_test(test_why),
		cmocka_unit_test(test_lists),
		cmocka_unit_test(test_colors_of_both_tenses),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
