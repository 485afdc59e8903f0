// SPDX-License-Identifier: GPL-2.0-or-later
#include "fixture.h"

#include "flow/cache.h"

/* Counts how often the agent is asked. */
struct agent {
	const char *workload;
	unsigned int endpoints, rules, interfaces;
	struct name_pool *pool;
	struct cache *cache;
};

static json_t *resolve_endpoint(const struct address *address, void *userdata)
{
	struct agent *agent = userdata;

	agent->endpoints++;
	if (address->bytes[15] == 255)
		return NULL; /* out of memory */
	if (address->bytes[12] == 10)
		return json_pack("{s:s}", "workload", agent->workload);
	return json_pack("{s:s}", "entity", "world");
}

static json_t *resolve_rule(uint32_t id, void *userdata)
{
	struct agent *agent = userdata;

	agent->rules++;
	return id == 404 ? json_null() : json_pack("{s:i}", "index", (int)id);
}

static const char *resolve_interface(uint32_t ifindex, void *userdata)
{
	struct agent *agent = userdata;

	agent->interfaces++;
	return ifindex == 404 ? NULL : "veth1";
}

static int setup(void **state)
{
	struct agent *agent = calloc(1, sizeof(*agent));
	struct flow_resolver resolver = {.endpoint = resolve_endpoint,
		.rule = resolve_rule,
		.interface = resolve_interface,
		.userdata = agent};

	agent->workload = "web";
	*state = agent;
	return name_pool_new(&agent->pool) || cache_new(&resolver, agent->pool, &agent->cache);
}

static int teardown(void **state)
{
	struct agent *agent = *state;

	cache_free(agent->cache);
	assert_int_equal(name_pool_count(agent->pool), 0);
	name_pool_free(agent->pool);
	free(agent);
	return 0;
}

static void asks_once_until_names_change(void **state)
{
	struct agent *agent = *state;
	struct address address = fixture_address("10.0.0.1");
	struct name *before = cache_endpoint(agent->cache, &address), *after;

	name_release(cache_endpoint(agent->cache, &address));
	name_release(cache_rule(agent->cache, 3));
	name_release(cache_rule(agent->cache, 3));
	name_release(cache_interface(agent->cache, 3));
	name_release(cache_interface(agent->cache, 3));
	assert_int_equal(agent->endpoints, 1);
	assert_int_equal(agent->rules, 1);
	assert_int_equal(agent->interfaces, 1);

	agent->workload = "api";
	cache_invalidate(agent->cache);
	after = cache_endpoint(agent->cache, &address);
	assert_int_equal(agent->endpoints, 2);
	assert_string_equal(name_member(before, "workload"), "web");
	assert_string_equal(name_member(after, "workload"), "api");
	name_release(before);
	name_release(after);
}

static void unknown_things_have_no_name(void **state)
{
	struct agent *agent = *state;
	struct address address = fixture_address("10.0.0.255");

	assert_null(cache_rule(agent->cache, 404));
	assert_null(cache_rule(agent->cache, 404));
	assert_int_equal(agent->rules, 1);
	assert_null(cache_rule(agent->cache, 0));
	assert_null(cache_interface(agent->cache, 404));
	assert_null(cache_endpoint(agent->cache, &address));
}

static void a_flood_of_addresses_is_bounded(void **state)
{
	struct agent *agent = *state;
	struct address address = fixture_address("192.0.2.1");

	for (unsigned int i = 0; i < 100000; i++) {
		address.bytes[13] = (uint8_t)(i >> 16);
		address.bytes[14] = (uint8_t)(i >> 8);
		address.bytes[15] = (uint8_t)(i & 0x7f);
		name_release(cache_endpoint(agent->cache, &address));
	}
	assert_true(cache_count(agent->cache) <= 32768);
	/* All of them share one name. */
	assert_int_equal(name_pool_count(agent->pool), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(asks_once_until_names_change, setup, teardown),
		cmocka_unit_test_setup_teardown(unknown_things_have_no_name, setup, teardown),
		cmocka_unit_test_setup_teardown(a_flood_of_addresses_is_bounded, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
