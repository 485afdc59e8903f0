/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "map.h"
#include "record.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static json_t *map;

static int set_up(void **state)
{
	(void)state;
	map = json_loads(
		"{\"edges\": ["
		"{\"from\": \"b\", \"to\": \"x\", \"protocol\": \"tcp\", \"port\": 80,"
		" \"verdict\": \"allowed\", \"packets\": [5, 5], \"end\": \"2021-01-01T00:00:03Z\"},"
		"{\"from\": \"a\", \"to\": \"x\", \"protocol\": \"tcp\", \"port\": 443,"
		" \"verdict\": \"allowed\", \"packets\": [1, 0], \"end\": \"2021-01-01T00:00:02Z\"},"
		"{\"from\": \"a\", \"to\": \"x\", \"protocol\": \"tcp\", \"port\": 80,"
		" \"verdict\": \"allowed\", \"packets\": [7, 0], \"end\": \"2021-01-01T00:00:01Z\"},"
		"{\"from\": \"z\", \"to\": \"x\", \"protocol\": \"tcp\", \"port\": 22,"
		" \"verdict\": \"denied\", \"packets\": [0, 0], \"end\": \"2020-01-01T00:00:00Z\"}]}",
		0, NULL);
	return map ? 0 : -1;
}

static int tear_down(void **state)
{
	(void)state;
	json_decref(map);
	return 0;
}

/* "z22 a80 …": source and port of each edge in order. */
static void order_is(enum map_order order, const char *expected)
{
	char text[64] = "";
	const json_t *edge;
	size_t i;

	map_sort(map, order);
	json_array_foreach (json_object_get(map, "edges"), i, edge) {
		size_t end = strlen(text);

		snprintf(text + end, sizeof(text) - end, "%s%s%.0f", i ? " " : "",
			field_text(edge, "from"), field_number(edge, "port"));
	}
	assert_string_equal(text, expected);
}

static void test_denied_comes_first_in_every_order(void **state)
{
	(void)state;
	order_is(MAP_BY_NAME, "z22 a80 a443 b80");
	order_is(MAP_BY_PACKETS, "z22 b80 a80 a443");
	order_is(MAP_BY_TIME, "z22 b80 a443 a80");
}

static void test_an_empty_map_can_be_sorted(void **state)
{
	(void)state;
	json_array_clear(json_object_get(map, "edges"));
	order_is(MAP_BY_NAME, "");
	map_sort(NULL, MAP_BY_TIME);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			test_denied_comes_first_in_every_order, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_an_empty_map_can_be_sorted, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
