// SPDX-License-Identifier: GPL-2.0-or-later
/* Which names are found again, and which were forgotten. */
#include "observe/dns_names.h"

#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

#define NOW       1795248000000000000ULL
#define WORKLOADS 30
#define EACH      400 /* addresses of which a workload is told */
#define TOLD      (WORKLOADS * EACH)

static struct name_pool *pool;
static struct name *workloads[WORKLOADS];
static struct name *world;
static struct dns_names *names;

static int set_up(void **state)
{
	(void)state;
	if (name_pool_new(&pool) < 0 || dns_names_new(&names) < 0)
		return -1;
	for (int i = 0; i < WORKLOADS; i++)
		workloads[i] = name_new(pool, json_pack("{s:i}", "workload", i));
	world = name_new(pool, json_pack("{s:s}", "entity", "world"));
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	dns_names_free(names);
	for (int i = 0; i < WORKLOADS; i++)
		name_release(workloads[i]);
	name_release(world);
	assert_int_equal(name_pool_count(pool), 0);
	name_pool_free(pool);
	return 0;
}

static struct address address_of(unsigned int number)
{
	const uint32_t be = htonl(0xc6120000 + number);

	return address_from_ipv4(&be);
}

static void tell(unsigned int number)
{
	const struct address address = address_of(number);
	char text[32];

	snprintf(text, sizeof(text), "host-%u.example", number);
	dns_names_learn(names, workloads[number / EACH], &address, text, NOW, 300);
}

static bool is_known(unsigned int workload, unsigned int number)
{
	const struct address address = address_of(number);
	struct name *named = dns_names_apply(names, workloads[workload], &address, world, NOW);
	char expected[64];

	if (!named)
		return false;
	snprintf(expected, sizeof(expected), "\"names\":[\"host-%u.example\"]", number);
	assert_non_null(strstr(named->text, expected));
	name_release(named);
	return true;
}

static unsigned int described(const char *key)
{
	json_t *json = dns_names_describe(names);
	unsigned int value = (unsigned int)json_integer_value(json_object_get(json, key));

	json_decref(json);
	return value;
}

static void what_one_was_told_another_does_not_know(void **state)
{
	(void)state;
	assert_false(is_known(0, 1));
	tell(1);
	assert_true(is_known(0, 1));
	assert_false(is_known(1, 1));
	assert_false(is_known(0, 2));
}

/* More is told than there is room for, twice: those told last are found, no others. */
static void those_told_last_are_found(void **state)
{
	(void)state;
	for (unsigned int round = 0; round < 2; round++) {
		unsigned int kept;

		for (unsigned int i = 0; i < TOLD; i++)
			tell(i);
		kept = described("addresses");
		assert_in_range(kept, 1000, DNS_NAMES_ADDRESSES);
		for (unsigned int i = 0; i < TOLD - kept; i++)
			assert_false(is_known(i / EACH, i));
		for (unsigned int i = TOLD - kept; i < TOLD; i++)
			assert_true(is_known(i / EACH, i));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			what_one_was_told_another_does_not_know, set_up, tear_down),
		cmocka_unit_test_setup_teardown(those_told_last_are_found, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
