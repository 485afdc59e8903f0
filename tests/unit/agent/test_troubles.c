/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What went wrong, for status: each kind once, the newest first, a bounded number. */
#include "troubles.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

static void test_same_is_counted(void **state)
{
	struct troubles troubles = {0};
	json_t *json, *first;

	(void)state;
	troubles_add(&troubles, "a", false);
	troubles_add(&troubles, "b", true);
	troubles_add(&troubles, "a", true);
	assert_true(troubles_know(&troubles, "a"));
	assert_false(troubles_know(&troubles, "c"));
	json = troubles_to_json(&troubles);
	assert_int_equal(json_array_size(json), 2);
	first = json_array_get(json, 0);
	assert_string_equal(json_string_value(json_object_get(first, "message")), "a");
	assert_true(json_is_true(json_object_get(first, "repaired")));
	assert_int_equal(json_integer_value(json_object_get(first, "count")), 2);
	json_decref(json);
	troubles_clear(&troubles);
}

static void test_oldest_makes_room(void **state)
{
	struct troubles troubles = {0};
	char message[16];

	(void)state;
	for (int i = 0; i <= TROUBLES_MAX; i++) {
		snprintf(message, sizeof(message), "%d", i);
		troubles_add(&troubles, message, false);
	}
	assert_int_equal(troubles.count, TROUBLES_MAX);
	assert_false(troubles_know(&troubles, "0"));
	assert_true(troubles_know(&troubles, "1"));
	assert_string_equal(troubles.items[0].message, message);
	troubles_clear(&troubles);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_same_is_counted),
		cmocka_unit_test(test_oldest_makes_room),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
