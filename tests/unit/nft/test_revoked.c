/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "dataplane/nft/revoked.h"

#include "fixture.h"

static struct connection_key opened_from(uint16_t port)
{
	return (struct connection_key){.source = fixture_address("10.0.0.1"),
		.destination = fixture_address("10.0.0.2"),
		.source_port = port,
		.destination_port = 50051};
}

static void test_is_known_until_then(void **state)
{
	const struct connection_key one = opened_from(40000), other = opened_from(40001);
	struct connection_key again = one;
	struct revoked revoked = {0};

	(void)state;
	again.id = 7;
	revoked_add(&revoked, &one, 10, 20);
	assert_true(revoked_has(&revoked, &again, 19));
	assert_false(revoked_has(&revoked, &again, 20));
	assert_false(revoked_has(&revoked, &other, 19));
	revoked_add(&revoked, &again, 15, 25);
	assert_int_equal(HASH_COUNT(revoked.items), 1);
	assert_true(revoked_has(&revoked, &one, 20));
	revoked_add(&revoked, &other, 25, 35);
	assert_int_equal(HASH_COUNT(revoked.items), 1);
	revoked_clear(&revoked);
	assert_int_equal(HASH_COUNT(revoked.items), 0);
}

static void test_the_oldest_makes_room(void **state)
{
	const struct connection_key oldest = opened_from(0);
	struct revoked revoked = {0};
	struct connection_key one;

	(void)state;
	for (uint32_t i = 0; i <= REVOKED_MAX; i++) {
		one = opened_from((uint16_t)i);
		one.destination_port += i > UINT16_MAX;
		revoked_add(&revoked, &one, 0, 1);
	}
	assert_int_equal(HASH_COUNT(revoked.items), REVOKED_MAX);
	assert_false(revoked_has(&revoked, &oldest, 0));
	assert_true(revoked_has(&revoked, &one, 0));
	revoked_clear(&revoked);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_is_known_until_then),
		cmocka_unit_test(test_the_oldest_makes_room),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
