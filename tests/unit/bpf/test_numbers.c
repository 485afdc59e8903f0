/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "dataplane/bpf/numbers.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>

#include <cmocka.h>

static void test_take_until_the_end(void **state)
{
	struct numbers numbers = NUMBERS_INIT(1, 4);
	uint32_t number;

	(void)state;
	for (uint32_t expected = 1; expected < 4; expected++) {
		assert_int_equal(numbers_take(&numbers, &number), 0);
		assert_int_equal(number, expected);
	}
	assert_int_equal(numbers_take(&numbers, &number), -E2BIG);
	numbers_give(&numbers, 2);
	assert_int_equal(numbers_take(&numbers, &number), 0);
	assert_int_equal(number, 2);
	numbers_retire(&numbers, 3);
	assert_int_equal(numbers_take(&numbers, &number), -E2BIG);
	numbers_release(&numbers);
	assert_int_equal(numbers_take(&numbers, &number), 0);
	assert_int_equal(number, 3);
	numbers_clear(&numbers);
}

static void test_adopt(void **state)
{
	struct numbers numbers = NUMBERS_INIT(1, 8);
	uint32_t used[] = {6, 2, 4}, number;
	bool seen[8] = {false};

	(void)state;
	assert_int_equal(numbers_adopt(&numbers, used, 3), 0);
	while (numbers_take(&numbers, &number) == 0) {
		assert_in_range(number, 1, 7);
		assert_false(seen[number]);
		seen[number] = true;
	}
	for (uint32_t i = 1; i < 8; i++)
		assert_int_equal(seen[i], i != 2 && i != 4 && i != 6);
	numbers_clear(&numbers);
}

static void test_adopt_refuses_damage(void **state)
{
	struct numbers numbers = NUMBERS_INIT(1, 8);
	uint32_t twice[] = {3, 3}, low[] = {0}, high[] = {8};

	(void)state;
	assert_int_equal(numbers_adopt(&numbers, twice, 2), -EINVAL);
	assert_int_equal(numbers_adopt(&numbers, low, 1), -EINVAL);
	assert_int_equal(numbers_adopt(&numbers, high, 1), -EINVAL);
	numbers_clear(&numbers);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_take_until_the_end),
		cmocka_unit_test(test_adopt),
		cmocka_unit_test(test_adopt_refuses_damage),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
