/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "client.h"
#include "newest.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

/* Of 0, 1, 2, … count - 1 with that limit these are kept: the last so many. */
static void keeps(size_t count, size_t limit, size_t kept)
{
	struct newest newest = newest_make(limit);
	_cleanup_json_ json_t *records = NULL;

	for (size_t i = 0; i < count; i++) {
		_cleanup_json_ json_t *record = json_integer((json_int_t)i);

		newest_add(&newest, record);
		assert_true(!limit || json_array_size(newest.records) < 2 * limit);
	}
	records = newest_take(&newest);
	assert_null(newest.records);
	assert_int_equal(json_array_size(records), kept);
	for (size_t i = 0; i < kept; i++)
		assert_int_equal(json_integer_value(json_array_get(records, i)), count - kept + i);
}

static void test_the_last_so_many(void **state)
{
	(void)state;
	keeps(0, 3, 0);
	keeps(2, 3, 2);
	keeps(3, 3, 3);
	keeps(4, 3, 3);
	keeps(6, 3, 3);
	keeps(1000, 3, 3);
	keeps(1000, 1, 1);
}

static void test_no_limit_keeps_all(void **state)
{
	(void)state;
	keeps(0, 0, 0);
	keeps(1000, 0, 1000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_last_so_many),
		cmocka_unit_test(test_no_limit_keeps_all),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
