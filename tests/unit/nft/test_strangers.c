/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "dataplane/nft/strangers.h"

#include "fixture.h"

#include <errno.h>

static struct connection_key key(uint32_t id)
{
	return (struct connection_key){.source = fixture_address("10.0.0.1"),
		.destination = fixture_address("10.0.0.2"),
		.id = id};
}

static void test_counts_each_once(void **state)
{
	const struct connection_key one = key(1), other = key(2);
	struct strangers strangers = {0};

	(void)state;
	assert_int_equal(strangers_add(&strangers, &one), 0);
	assert_int_equal(strangers_add(&strangers, &one), 0);
	assert_int_equal(strangers_add(&strangers, &other), 0);
	assert_int_equal(strangers_count(&strangers), 2);
	assert_true(strangers_remove(&strangers, &one));
	assert_false(strangers_remove(&strangers, &one));
	assert_int_equal(strangers_count(&strangers), 1);
	strangers_clear(&strangers);
	assert_int_equal(strangers_count(&strangers), 0);
}

static void test_is_bounded(void **state)
{
	struct strangers strangers = {0};
	struct connection_key one;

	(void)state;
	for (uint32_t i = 0; i < STRANGERS_MAX; i++) {
		one = key(i);
		assert_int_equal(strangers_add(&strangers, &one), 0);
	}
	one = key(STRANGERS_MAX);
	assert_int_equal(strangers_add(&strangers, &one), -ENOSPC);
	assert_int_equal(strangers_count(&strangers), STRANGERS_MAX);
	strangers_clear(&strangers);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_counts_each_once),
		cmocka_unit_test(test_is_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
