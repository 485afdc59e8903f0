/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/laps.h"

#include "base/cleanup.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static void test_laps_of_one_name_add_up(void **state)
{
	struct laps laps;
	uint64_t start_ns;

	(void)state;
	laps_start(&laps);
	start_ns = laps.since_ns;
	laps_end(&laps, "one");
	laps_end(&laps, "two");
	laps_end(&laps, "one");
	assert_int_equal(laps.count, 2);
	assert_string_equal(laps.items[0].name, "one");
	assert_string_equal(laps.items[1].name, "two");
	/* All of the time is in one of them. */
	assert_int_equal(laps.items[0].ns + laps.items[1].ns, laps.since_ns - start_ns);
	laps_start(&laps);
	assert_int_equal(laps.count, 0);
}

static void test_too_many_names_count_with_the_last(void **state)
{
	static const char names[LAPS_MAX + 2][2] = {"a", "b", "c", "d", "e", "f", "g", "h", "i",
		"j", "k", "l", "m", "n", "o", "p", "q", "r", "s", "t", "u", "v"};
	struct laps laps;
	uint64_t start_ns, total_ns = 0;

	(void)state;
	laps_start(&laps);
	start_ns = laps.since_ns;
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		laps_end(&laps, names[i]);
	laps_end(NULL, "nobody's");
	assert_int_equal(laps.count, LAPS_MAX);
	assert_string_equal(laps.items[LAPS_MAX - 1].name, names[LAPS_MAX - 1]);
	for (size_t i = 0; i < laps.count; i++)
		total_ns += laps.items[i].ns;
	assert_int_equal(total_ns, laps.since_ns - start_ns);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_laps_of_one_name_add_up),
		cmocka_unit_test(test_too_many_names_count_with_the_last),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
