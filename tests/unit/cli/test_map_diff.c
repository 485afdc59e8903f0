/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "client.h"
#include "map.h"
#include "map_diff.h"
#include "record.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

/* "a>b:80 allowed r1" each. */
static json_t *make(const char *const *edges)
{
	json_t *nodes = json_array(), *list = json_array();
	_cleanup_json_ json_t *seen = json_object();

	for (; *edges; edges++) {
		char from[16], to[16], verdict[16], rule[16];
		const char *const ends[] = {from, to};
		int port;

		assert_int_equal(sscanf(*edges, "%15[^>]>%15[^:]:%d %15s %15s", from, to, &port,
					 verdict, rule),
			5);
		json_array_append_new(
			list, json_pack("{s:s, s:s, s:s, s:i, s:s, s:{s:s}, s:[i, i]}", "from",
				      from, "to", to, "protocol", "tcp", "port", port, "verdict",
				      verdict, "rule", "name", rule, "packets", 1, 1));
		for (size_t i = 0; i < 2; i++) {
			if (json_object_get(seen, ends[i]))
				continue;
			json_object_set_new(seen, ends[i], json_true());
			json_array_append_new(nodes, json_pack("{s:s}", "id", ends[i]));
		}
	}
	return json_pack("{s:o, s:o}", "nodes", nodes, "edges", list);
}

/* "added a>b:80 allowed; …" in the order in which a person is shown them. */
static void diff_is(const char *const *before, const char *const *after, const char *expected,
	const char *nodes)
{
	_cleanup_json_ json_t *left = make(before), *right = make(after);
	_cleanup_json_ json_t *diff = map_diff(left, right);
	char text[512] = "";
	const json_t *item;
	size_t i;

	map_sort(diff, MAP_BY_NAME);
	json_array_foreach (json_object_get(diff, "edges"), i, item) {
		size_t end = strlen(text);
		const char *was = field_text(json_object_get(item, "before"), "verdict");

		snprintf(text + end, sizeof(text) - end, "%s%s %s>%s:%.0f %s%s%s", i ? "; " : "",
			field_text(item, "change"), field_text(item, "from"),
			field_text(item, "to"), field_number(item, "port"),
			field_text(item, "verdict"), *was ? " was " : "", was);
	}
	assert_string_equal(text, expected);
	text[0] = '\0';
	json_array_foreach (json_object_get(diff, "nodes"), i, item) {
		size_t end = strlen(text);

		snprintf(text + end, sizeof(text) - end, "%s%s %s", i ? "; " : "",
			field_text(item, "change"), field_text(item, "id"));
	}
	assert_string_equal(text, nodes);
}

#define EDGES(...) ((const char *const[]){__VA_ARGS__ __VA_OPT__(, ) NULL})

static void test_new_and_gone(void **state)
{
	(void)state;
	diff_is(EDGES("a>b:80 allowed r", "a>c:22 allowed r"),
		EDGES("a>b:80 allowed r", "d>b:80 denied r"),
		"added d>b:80 denied; gone a>c:22 allowed; same a>b:80 allowed",
		"same a; same b; added d; gone c");
	diff_is(EDGES(), EDGES("a>b:80 allowed r"), "added a>b:80 allowed", "added a; added b");
	diff_is(EDGES("a>b:80 allowed r"), EDGES(), "gone a>b:80 allowed", "gone a; gone b");
	diff_is(EDGES(), EDGES(), "", "");
}

static void test_another_verdict_or_rule_is_a_change(void **state)
{
	(void)state;
	diff_is(EDGES("a>b:80 allowed r"), EDGES("a>b:80 denied s"),
		"changed a>b:80 denied was allowed", "same a; same b");
	diff_is(EDGES("a>b:80 allowed r"), EDGES("a>b:80 allowed s"),
		"changed a>b:80 allowed was allowed", "same a; same b");
}

/* The refusal is what came; that it was allowed as well, before and after, is no change. */
static void test_both_verdicts_of_one_connection(void **state)
{
	(void)state;
	diff_is(EDGES("a>b:80 allowed r"), EDGES("a>b:80 denied s", "a>b:80 allowed r"),
		"added a>b:80 denied; same a>b:80 allowed", "same a; same b");
	diff_is(EDGES("a>b:80 denied s", "a>b:80 allowed r"), EDGES("a>b:80 allowed r"),
		"gone a>b:80 denied; same a>b:80 allowed", "same a; same b");
}

/* Rules of one verdict find each other whatever their order. */
static void test_several_rules_of_one_connection(void **state)
{
	(void)state;
	diff_is(EDGES("a>b:80 allowed r", "a>b:80 allowed s"),
		EDGES("a>b:80 allowed s", "a>b:80 allowed r"),
		"same a>b:80 allowed; same a>b:80 allowed", "same a; same b");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_new_and_gone),
		cmocka_unit_test(test_another_verdict_or_rule_is_a_change),
		cmocka_unit_test(test_both_verdicts_of_one_connection),
		cmocka_unit_test(test_several_rules_of_one_connection),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
