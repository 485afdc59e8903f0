// SPDX-License-Identifier: GPL-2.0-or-later
#include "fixture.h"

#include "flow/cache.h"

/* Counts how often the agent is asked. */
struct agent {
	const char *workload;
	bool all_differ; /* each address is a workload of its own */
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
	if (agent->all_differ)
		return json_pack("{s:i}", "workload", (int)agent->endpoints);
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

static struct record resolved(struct agent *agent, uint32_t rule, uint32_t ifindex)
{
	struct record record = {.event = fixture_event(1)};

	record.event.rule = rule;
	record.event.ifindex = ifindex;
	cache_resolve(agent->cache, &record);
	return record;
}

static void resolve_and_forget(struct agent *agent, uint32_t rule, uint32_t ifindex)
{
	struct record record = resolved(agent, rule, ifindex);

	record_clear(&record);
}

/* For each of count addresses of the world. */
static void ask_for_world(struct agent *agent, unsigned int count)
{
	struct address address = fixture_address("192.0.0.1");

	for (unsigned int i = 0; i < count; i++) {
		address.bytes[13] = (uint8_t)(i >> 14);
		address.bytes[14] = (uint8_t)(i >> 7);
		address.bytes[15] = (uint8_t)(i & 0x7f);
		name_release(cache_endpoint(agent->cache, &address));
	}
}

static void asks_once_until_names_change(void **state)
{
	struct agent *agent = *state;
	struct address address = fixture_address("10.0.0.1");
	struct name *before = cache_endpoint(agent->cache, &address), *after;

	name_release(cache_endpoint(agent->cache, &address));
	assert_int_equal(agent->endpoints, 1);
	resolve_and_forget(agent, 3, 3);
	resolve_and_forget(agent, 3, 3);
	assert_int_equal(agent->endpoints, 3);
	assert_int_equal(agent->rules, 1);
	assert_int_equal(agent->interfaces, 1);

	agent->workload = "api";
	cache_invalidate(agent->cache);
	after = cache_endpoint(agent->cache, &address);
	assert_int_equal(agent->endpoints, 4);
	assert_string_equal(name_workload(before), "web");
	assert_string_equal(name_workload(after), "api");
	name_release(before);
	name_release(after);
}

static void unknown_things_have_no_name(void **state)
{
	struct agent *agent = *state;
	struct address address = fixture_address("10.0.0.255");

	for (unsigned int i = 0; i < 2; i++) {
		struct record record = resolved(agent, 404, 404);

		assert_null(record.rule);
		assert_null(record.interface);
		record_clear(&record);
	}
	assert_int_equal(agent->rules, 1);
	assert_int_equal(agent->interfaces, 1);
	resolve_and_forget(agent, 0, 0);
	assert_int_equal(agent->rules, 1);
	assert_int_equal(agent->interfaces, 1);
	assert_null(cache_endpoint(agent->cache, &address));
}

/* An id is no address, and a rule's no interface's. */
static void same_numbers_of_different_things_differ(void **state)
{
	struct agent *agent = *state;
	struct address address = {{0}};
	struct record record = resolved(agent, 1, 1);

	assert_string_equal(record.rule->text, "{\"index\":1}");
	assert_string_equal(record.interface->text, "\"veth1\"");
	record_clear(&record);
	address.bytes[0] = 1;
	name_release(cache_endpoint(agent->cache, &address));
	assert_int_equal(agent->endpoints, 3);
}

static void keeps_ten_thousand_addresses(void **state)
{
	struct agent *agent = *state;

	ask_for_world(agent, 10000);
	ask_for_world(agent, 10000);
	assert_int_equal(agent->endpoints, 10000);
	/* All of them share one name. */
	assert_int_equal(name_pool_count(agent->pool), 1);
}

static void a_flood_of_addresses_is_bounded(void **state)
{
	struct agent *agent = *state;

	agent->all_differ = true;
	ask_for_world(agent, 100000);
	assert_true(name_pool_count(agent->pool) <= 32768);
	/* What is of before a change of names makes room first. */
	cache_invalidate(agent->cache);
	agent->all_differ = false;
	ask_for_world(agent, 100000);
	assert_true(name_pool_count(agent->pool) <= 32768);
	assert_int_equal(agent->endpoints, 200000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(asks_once_until_names_change, setup, teardown),
		cmocka_unit_test_setup_teardown(unknown_things_have_no_name, setup, teardown),
		cmocka_unit_test_setup_teardown(
			same_numbers_of_different_things_differ, setup, teardown),
		cmocka_unit_test_setup_teardown(keeps_ten_thousand_addresses, setup, teardown),
		cmocka_unit_test_setup_teardown(a_flood_of_addresses_is_bounded, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
