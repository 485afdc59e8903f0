// SPDX-License-Identifier: GPL-2.0-or-later
/* What stands for sets that would grow: how much it forgets, and how much it makes up. */
#include "detect/distinct.h"
#include "detect/seen.h"
#include "stage.h"

/* As many as detectors remember: a power of two, so that lines are as full as they get. */
#define ITEMS 65536

static void what_was_seen_is_known(void **state)
{
	struct seen seen;

	(void)state;
	assert_int_equal(seen_open(&seen, ITEMS), 0);
	for (uint64_t i = 0; i < ITEMS; i++)
		seen_add(&seen, i);
	for (uint64_t i = 0; i < ITEMS; i++)
		assert_true(seen_has(&seen, i));
	seen_close(&seen);
}

static void little_is_made_up(void **state)
{
	struct seen seen;
	size_t wrong = 0;

	(void)state;
	assert_int_equal(seen_open(&seen, ITEMS), 0);
	for (uint64_t i = 0; i < 2 * ITEMS; i++)
		seen_add(&seen, i);
	for (uint64_t i = 10 * ITEMS; i < 11 * ITEMS; i++)
		wrong += seen_has(&seen, i);
	assert_true(wrong <= ITEMS / 250);
	seen_close(&seen);
}

static void the_elder_are_forgotten(void **state)
{
	struct seen seen;
	size_t known = 0;

	(void)state;
	assert_int_equal(seen_open(&seen, ITEMS), 0);
	for (uint64_t i = 0; i < 4 * ITEMS; i++)
		seen_add(&seen, i);
	for (uint64_t i = 0; i < ITEMS; i++)
		known += seen_has(&seen, i);
	assert_true(known < ITEMS / 20);
	assert_true(seen.forgotten >= 2 * ITEMS);
	for (uint64_t i = 3 * ITEMS; i < 4 * ITEMS; i++)
		assert_true(seen_has(&seen, i));
	seen_close(&seen);
}

static void different_ones_are_counted(void **state)
{
	static const unsigned int counts[] = {0, 1, 2, 5, 10, 50, 200};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(counts); i++) {
		struct distinct distinct = {0};
		unsigned int counted;

		for (unsigned int round = 0; round < 3; round++)
			for (uint64_t item = 0; item < counts[i]; item++)
				distinct_add(&distinct, item * 0x2545f4914f6cdd1dULL);
		counted = distinct_count(&distinct);
		assert_in_range(counted, counts[i] - counts[i] / 4, counts[i] + counts[i] / 4 + 1);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_was_seen_is_known),
		cmocka_unit_test(little_is_made_up),
		cmocka_unit_test(the_elder_are_forgotten),
		cmocka_unit_test(different_ones_are_counted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
