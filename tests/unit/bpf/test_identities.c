/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "dataplane/bpf/identities.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static struct identity_key address_key(const char *text)
{
	struct address address;

	assert_int_equal(address_parse(text, &address), 0);
	return identity_key_address(&address);
}

static struct identity_key prefix_key(const char *text)
{
	struct prefix prefix;

	assert_int_equal(prefix_parse(text, &prefix), 0);
	return identity_key_prefix(&prefix);
}

static struct identity *want(struct identities *identities, struct identity_key key)
{
	struct identity *identity;

	assert_int_equal(identities_want(identities, &key, &identity), 0);
	return identity;
}

static void test_numbers_stay(void **state)
{
	struct identities identities;
	struct identity *web, *api, *whole;

	(void)state;
	identities_init(&identities);
	web = want(&identities, address_key("10.0.0.1"));
	api = want(&identities, address_key("2001:db8::1"));
	whole = want(&identities, prefix_key("10.0.0.1/32"));
	assert_int_not_equal(web->number, api->number);
	assert_int_not_equal(web->number, whole->number);
	assert_ptr_equal(want(&identities, address_key("10.0.0.1")), web);
	assert_int_equal(web->use, USE_NEXT);
	assert_int_equal(identities.counts[IDENTITY_ADDRESS], 2);
	assert_int_equal(identities.counts[IDENTITY_PREFIX], 1);
	identities_clear(&identities);
}

/* A packet under way may hold a number that was just given up. */
static void test_numbers_rest_before_they_return(void **state)
{
	struct identities identities;
	struct identity *first;
	uint32_t number;

	(void)state;
	identities_init(&identities);
	first = want(&identities, address_key("10.0.0.1"));
	number = first->number;
	identities_remove(&identities, first);
	assert_int_not_equal(want(&identities, address_key("10.0.0.2"))->number, number);
	numbers_release(&identities.numbers);
	assert_int_equal(want(&identities, address_key("10.0.0.3"))->number, number);
	identities_clear(&identities);
}

static void test_cover(void **state)
{
	struct identities identities;
	struct identity *all4, *all6, *ten, *narrow;
	struct identity_key key;

	(void)state;
	identities_init(&identities);
	all4 = want(&identities, prefix_key("0.0.0.0/0"));
	all6 = want(&identities, prefix_key("::/0"));
	ten = want(&identities, prefix_key("10.0.0.0/8"));
	narrow = want(&identities, prefix_key("10.1.2.3/32"));
	narrow->use = USE_RUNNING;

	key = address_key("10.1.2.3");
	assert_ptr_equal(identities_cover(&identities, &key, USE_RUNNING), narrow);
	assert_ptr_equal(identities_cover(&identities, &key, USE_NEXT), ten);
	key = address_key("192.0.2.1");
	assert_ptr_equal(identities_cover(&identities, &key, USE_NEXT), all4);
	key = address_key("2001:db8::1");
	assert_ptr_equal(identities_cover(&identities, &key, USE_NEXT), all6);
	assert_null(identities_cover(&identities, &key, USE_RUNNING));
	key = prefix_key("10.0.0.0/8");
	assert_ptr_equal(identities_cover(&identities, &key, USE_NEXT), all4);
	key = prefix_key("::/0");
	assert_null(identities_cover(&identities, &key, USE_NEXT));
	identities_clear(&identities);
}

static void test_bound(void **state)
{
	struct identities identities;
	struct identity *identity;
	struct identity_key key;

	(void)state;
	identities_init(&identities);
	for (uint32_t i = 1; i <= ABI_MAX_ENDPOINTS; i++)
		want(&identities, identity_key_interface(i));
	key = identity_key_interface(ABI_MAX_ENDPOINTS + 1);
	assert_int_equal(identities_want(&identities, &key, &identity), -E2BIG);
	/* One that is there is still found, and others have their own bound. */
	want(&identities, identity_key_interface(1));
	want(&identities, address_key("10.0.0.1"));
	identities_clear(&identities);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_numbers_stay),
		cmocka_unit_test(test_numbers_rest_before_they_return),
		cmocka_unit_test(test_cover),
		cmocka_unit_test(test_bound),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
