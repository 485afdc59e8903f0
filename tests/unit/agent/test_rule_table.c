/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "rule_table.h"

#include "policies/ir_shared.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static struct ir compiled(struct ir_rule *rules, size_t count)
{
	return (struct ir){.rules = rules, .rules_count = count};
}

static void count(struct rule_table *table, enum flow_event_type type, uint32_t rule,
	uint32_t other_rule, uint64_t packets)
{
	const struct flow_event event = {
		.type = type,
		.rule = rule,
		.other_rule = other_rule,
		.packets = {packets, 7},
	};

	rule_table_count(table, &event);
}

static void test_hits(void **state)
{
	struct ir_rule rules[] = {{.id = 1, .index = 0}, {.id = 2, .index = 1}};
	struct ir ir = compiled(rules, 2);
	struct rule_table *table;

	(void)state;
	assert_int_equal(rule_table_new(&table), 0);
	assert_int_equal(rule_table_update(table, &ir), 0);
	assert_int_equal(rule_table_hits(table, 1), 0);
	count(table, FLOW_NEW, 1, 2, 1);
	count(table, FLOW_NEW, 1, 1, 1);
	count(table, FLOW_UPDATE, 1, 2, 100);
	count(table, FLOW_END, 1, 2, 100);
	count(table, FLOW_DENIED, 2, 0, 40);
	count(table, FLOW_DENIED, 9, 0, 40);
	assert_int_equal(rule_table_hits(table, 1), 2);
	assert_int_equal(rule_table_hits(table, 2), 41);
	assert_int_equal(rule_table_hits(table, 9), 0);
	rule_table_free(table);
}

static void count_rules(const json_t *rule, uint64_t hits, void *userdata)
{
	(void)hits;
	assert_string_equal(json_string_value(json_object_get(rule, "kind")), "Default");
	++*(size_t *)userdata;
}

static void test_a_retired_rule_keeps_its_name_and_hits(void **state)
{
	struct ir_rule rules[] = {{.id = 1, .index = 0}, {.id = 5, .index = 1}};
	struct ir both = compiled(rules, 2), one = compiled(rules, 1);
	struct rule_table *table;
	size_t in_force = 0;
	json_t *json;

	(void)state;
	assert_int_equal(rule_table_new(&table), 0);
	assert_int_equal(rule_table_update(table, &both), 0);
	count(table, FLOW_DENIED, 5, 0, 3);
	assert_int_equal(rule_table_update(table, &one), 0);
	rule_table_for_each(table, count_rules, &in_force);
	assert_int_equal(in_force, 1);
	assert_int_equal(rule_table_hits(table, 5), 3);
	json = rule_table_json(table, 5);
	assert_string_equal(json_string_value(json_object_get(json, "tier")), "default");
	json_decref(json);
	json = rule_table_json(table, 77);
	assert_true(json_is_null(json));
	json_decref(json);
	rule_table_free(table);
}

static void test_retired_rules_are_bounded(void **state)
{
	enum {
		MANY = RULE_TABLE_RETIRED_MAX + 10
	};
	struct ir_rule *rules = calloc(MANY, sizeof(*rules));
	struct ir all = compiled(rules, MANY), none = compiled(rules, 0);
	struct rule_table *table;
	json_t *json;

	(void)state;
	assert_non_null(rules);
	for (uint32_t i = 0; i < MANY; i++)
		rules[i].id = i + 1;
	assert_int_equal(rule_table_new(&table), 0);
	assert_int_equal(rule_table_update(table, &all), 0);
	assert_int_equal(rule_table_update(table, &none), 0);
	json = rule_table_json(table, 1);
	assert_true(json_is_null(json));
	json_decref(json);
	json = rule_table_json(table, MANY);
	assert_true(json_is_object(json));
	json_decref(json);
	rule_table_free(table);
	free(rules);
}

static size_t count_in_force(const struct rule_table *table)
{
	size_t in_force = 0;

	rule_table_for_each(table, count_rules, &in_force);
	return in_force;
}

/* As when a policy was tried that the kernel did not take. */
static void test_goes_back_to_the_rules_before(void **state)
{
	struct ir_rule rules[] = {{.id = 1, .index = 0}, {.id = 5, .index = 1}};
	struct ir both = compiled(rules, 2), one = compiled(rules, 1);
	struct rule_table *table;

	(void)state;
	assert_int_equal(ir_shared_new(&both, &both.shared), 0);
	assert_int_equal(ir_shared_new(&one, &one.shared), 0);
	assert_int_equal(rule_table_new(&table), 0);
	assert_int_equal(rule_table_update(table, &both), 0);
	assert_int_equal(rule_table_update(table, &both), 0);
	assert_int_equal(count_in_force(table), 2);
	assert_int_equal(rule_table_update(table, &one), 0);
	assert_int_equal(count_in_force(table), 1);
	assert_int_equal(rule_table_update(table, &both), 0);
	assert_int_equal(count_in_force(table), 2);
	rule_table_free(table);
	ir_shared_release(both.shared);
	ir_shared_release(one.shared);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_hits),
		cmocka_unit_test(test_a_retired_rule_keeps_its_name_and_hits),
		cmocka_unit_test(test_retired_rules_are_bounded),
		cmocka_unit_test(test_goes_back_to_the_rules_before),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
