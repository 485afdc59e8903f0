// SPDX-License-Identifier: GPL-2.0-or-later
#include "fixture.h"

#include "flow/name.h"

static void equal_values_are_one_name(void **state)
{
	struct name_pool *pool;
	struct name *first, *second, *other;

	(void)state;
	assert_int_equal(name_pool_new(&pool), 0);
	first = fixture_name(pool, "{\"workload\": \"web\", \"namespace\": \"shop\"}");
	second = fixture_name(pool, "{\"workload\":\"web\",\"namespace\":\"shop\"}");
	other = fixture_name(pool, "{\"entity\": \"world\"}");
	assert_ptr_equal(first, second);
	assert_ptr_not_equal(first, other);
	assert_int_equal(name_pool_count(pool), 2);
	name_release(first);
	assert_int_equal(name_pool_count(pool), 2);
	name_release(second);
	name_release(other);
	assert_int_equal(name_pool_count(pool), 0);
	name_pool_free(pool);
}

static void knows_its_id_and_references(void **state)
{
	struct name *web = fixture_name(NULL, "{\"workload\": \"web\", \"namespace\": \"shop\"}");
	struct name *world = fixture_name(NULL, "{\"entity\": \"world\"}");
	char id[NAME_ID_MAX];

	(void)state;
	assert_string_equal(name_id(web, id), "shop/web");
	assert_string_equal(name_id(world, id), "world");
	assert_string_equal(name_id(NULL, id), "unknown");
	assert_true(name_matches(web, "workload", "web"));
	assert_true(name_matches(web, "workload", "shop/web"));
	assert_false(name_matches(web, "workload", "shop/we"));
	assert_false(name_matches(web, "workload", "sho/web"));
	assert_false(name_matches(web, "workload", "shops/web"));
	assert_false(name_matches(world, "workload", "world"));
	assert_false(name_matches(NULL, "workload", "web"));
	name_release(web);
	name_release(world);
}

static void any_json_value_can_be_a_name(void **state)
{
	struct name *interface = fixture_name(NULL, "\"veth\\u00e9\\\"\"");

	(void)state;
	assert_string_equal(interface->text, "\"veth\u00e9\\\"\"");
	assert_null(name_workload(interface));
	name_release(interface);
	assert_null(name_new(NULL, NULL));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(equal_values_are_one_name),
		cmocka_unit_test(knows_its_id_and_references),
		cmocka_unit_test(any_json_value_can_be_a_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
