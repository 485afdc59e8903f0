/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The table in a real kernel, in a network namespace of its own. */
#include "dataplane/nft/layout.h"
#include "dataplane/nft/table.h"

#include "base/cleanup.h"
#include "dataplane/nft/plan.h"
#include "fixture.h"

#include <errno.h>
#include <sched.h>
#include <unistd.h>

#define NFLOG_GROUP 4711
#define SECOND_NS   UINT64_C(1000000000)

static int enter_namespace(void **state)
{
	(void)state;
	if (unshare(CLONE_NEWNET) < 0) {
		print_message("skipped: no network namespace without root\n");
		return -1;
	}
	return 0;
}

static int remove_table(void **state)
{
	struct table *table;

	(void)state;
	if (table_open(&table_of_workloads, NFLOG_GROUP, &table, NULL) < 0)
		return -1;
	table_remove(table, NULL);
	table_free(table);
	return 0;
}

static bool apply(struct table *table, const char *yaml, unsigned int extra, uint64_t now_ns)
{
	struct model *model = fixture_model(extra);
	struct ir *ir = fixture_ir(model, yaml);
	struct error error = ERROR_INIT;
	struct ruleset plan = {0};
	bool changed = false;
	int r;

	assert_int_equal(plan_build(ir, &plan, NULL, &error), 0);
	r = table_apply(table, ir, &plan, "before 1111", now_ns, &changed, &error);
	if (r < 0)
		fail_msg("%s", error_message(&error));
	ruleset_clear(&plan);
	ir_free(ir);
	model_free(model);
	return changed;
}

static struct table *open_table(void)
{
	struct error error = ERROR_INIT;
	struct table *table;

	if (table_open(&table_of_workloads, NFLOG_GROUP, &table, &error) < 0)
		fail_msg("%s", error_message(&error));
	return table;
}

static void test_lists_cleanly(void **state)
{
	_cleanup_(table_freep) struct table *table = open_table();

	(void)state;
	assert_true(apply(table, FIXTURE_POLICY, 3, SECOND_NS));
	assert_int_equal(fixture_run("nft list ruleset >/tmp/nft-list.$PPID 2>/tmp/nft-error.$PPID "
				     "&& ! test -s /tmp/nft-error.$PPID"),
		0);
	/* Raw payload, registers and unknown types look like this. */
	assert_int_equal(
		fixture_run("! grep -nE '@(nh|th|ll),|0x[0-9a-f]{4}|unknown|\\[invalid|integer' "
			    "/tmp/nft-list.$PPID"),
		0);
	assert_int_equal(fixture_run("grep -q 'no rule of SegmentPolicy shop/db-from-api allows' "
				     "/tmp/nft-list.$PPID"),
		0);
	/* Where all that a set holds leads to one place, the rule says where. */
	assert_int_equal(
		fixture_run("grep -qE 'elements = . tcp \\. 5432' /tmp/nft-list.$PPID"), 0);
	assert_int_equal(fixture_run("grep -qE 'meta l4proto \\. th dport @ingress-ports-.*-ports "
				     "return$' /tmp/nft-list.$PPID"),
		0);
	assert_int_equal(fixture_run("nft -c -f /tmp/nft-list.$PPID 2>&1"), 0);
	assert_int_equal(fixture_run("nft -j list ruleset 2>&1 | jq -e '.nftables | length > 50' "
				     ">/dev/null"),
		0);
	fixture_run("rm -f /tmp/nft-list.$PPID /tmp/nft-error.$PPID");
}

static void test_sends_only_what_changed(void **state)
{
	_cleanup_(table_freep) struct table *table = open_table();
	struct table_statistics whole, workload, policy;

	(void)state;
	assert_true(apply(table, FIXTURE_POLICY, 1000, SECOND_NS));
	whole = table_statistics(table);
	assert_false(apply(table, FIXTURE_POLICY, 1000, 2 * SECOND_NS));
	assert_int_equal(table_statistics(table).last_messages, 0);
	assert_int_equal(table_statistics(table).generation, 1);

	/* One workload more: itself in the maps, no chain. */
	assert_true(apply(table, FIXTURE_POLICY, 1001, 3 * SECOND_NS));
	workload = table_statistics(table);
	assert_true(workload.last_messages <= 4);
	assert_true(workload.last_bytes * 20 < whole.last_bytes);
	assert_int_equal(workload.chains, whole.chains);

	assert_true(apply(table, FIXTURE_POLICY_CLOSED, 1001, 4 * SECOND_NS));
	policy = table_statistics(table);
	assert_true(policy.last_messages * 2 < whole.last_messages);
	assert_true(policy.last_bytes * 10 < whole.last_bytes);
}

static void test_sweeps_what_is_not_needed(void **state)
{
	_cleanup_(table_freep) struct table *table = open_table();
	size_t chains, sets;

	(void)state;
	apply(table, FIXTURE_POLICY, 0, SECOND_NS);
	assert_int_equal(table_sweep(table, 9 * SECOND_NS, NULL), 0);
	chains = table_statistics(table).chains;
	sets = table_statistics(table).sets;
	apply(table, FIXTURE_POLICY_CLOSED, 0, 10 * SECOND_NS);
	assert_true(table_statistics(table).chains > chains);
	/* Not at once: packets may still be inside. */
	assert_int_equal(table_sweep(table, 10 * SECOND_NS + SECOND_NS / 2, NULL), 0);
	assert_true(table_statistics(table).chains > chains);
	apply(table, FIXTURE_POLICY, 0, 11 * SECOND_NS);
	assert_int_equal(table_sweep(table, 13 * SECOND_NS, NULL), 0);
	assert_int_equal(table_statistics(table).chains, chains);
	assert_int_equal(table_statistics(table).sets, sets);
}

static void test_adopts_what_an_earlier_agent_left(void **state)
{
	_cleanup_(table_freep) struct table *first = open_table();
	_cleanup_(table_freep) struct table *second = NULL;

	(void)state;
	assert_false(table_adopted(first));
	apply(first, FIXTURE_POLICY, 20, SECOND_NS);
	second = open_table();
	assert_true(table_adopted(second));
	assert_string_equal(table_note(second), "before 1111");
	assert_int_equal(table_statistics(second).chains, table_statistics(first).chains);
	assert_int_equal(table_statistics(second).sets, table_statistics(first).sets);
	assert_false(apply(second, FIXTURE_POLICY, 20, 2 * SECOND_NS));
	assert_true(apply(second, FIXTURE_POLICY_CLOSED, 20, 3 * SECOND_NS));
	assert_int_equal(table_sweep(second, 5 * SECOND_NS, NULL), 0);
}

static void test_replaces_another_layout(void **state)
{
	_cleanup_(table_freep) struct table *table = NULL;
	char command[96];

	(void)state;
	assert_int_equal(
		fixture_run(
			"nft 'add table inet segd { comment \"segd layout 0 nflog 4711; x\"; }' "
			"&& nft add chain inet segd judge"),
		0);
	table = open_table();
	assert_false(table_adopted(table));
	assert_true(apply(table, FIXTURE_POLICY, 0, SECOND_NS));
	snprintf(command, sizeof(command), "nft list table inet segd | grep -q 'layout %u'",
		LAYOUT_VERSION);
	assert_int_equal(fixture_run(command), 0);
}

static void test_keeps_the_old_rules_when_refused(void **state)
{
	_cleanup_(table_freep) struct table *table = open_table();
	struct model *model = fixture_model(0);
	struct ir *ir = fixture_ir(model, FIXTURE_POLICY_CLOSED);
	struct error error = ERROR_INIT;
	struct ruleset plan = {0};
	struct ruleset_set *set;
	bool changed;

	(void)state;
	apply(table, FIXTURE_POLICY, 0, SECOND_NS);
	assert_int_equal(fixture_run("nft list table inet segd | grep -v '^.*packets' "
				     ">/tmp/nft-before.$PPID"),
		0);
	assert_int_equal(plan_build(ir, &plan, NULL, &error), 0);
	/* Keys that are too long for their map. */
	set = ruleset_find_set(&plan, "ingress4");
	for (size_t i = 0; i < set->elements.count; i++)
		set->elements.items[i].key_length = 8;
	assert_true(table_apply(table, ir, &plan, "", SECOND_NS, &changed, &error) < 0);
	assert_non_null(strstr(error_message(&error), "ingress4"));
	assert_int_equal(table_sweep(table, 9 * SECOND_NS, NULL), 0);
	assert_int_equal(fixture_run("nft list table inet segd | grep -v '^.*packets' "
				     ">/tmp/nft-after.$PPID; "
				     "diff /tmp/nft-before.$PPID /tmp/nft-after.$PPID 2>&1"),
		0);
	fixture_run("rm -f /tmp/nft-before.$PPID /tmp/nft-after.$PPID");
	error_clear(&error);
	ruleset_clear(&plan);
	ir_free(ir);
	model_free(model);
}

static void test_heals_when_somebody_flushed_the_table(void **state)
{
	_cleanup_(table_freep) struct table *table = open_table();

	(void)state;
	apply(table, FIXTURE_POLICY, 0, SECOND_NS);
	assert_int_equal(fixture_run("nft delete table inet segd"), 0);
	assert_int_equal(table_sweep(table, SECOND_NS, NULL), -ENOENT);
	assert_int_equal(table_sweep(table, SECOND_NS, NULL), 0);
	assert_true(apply(table, FIXTURE_POLICY, 0, SECOND_NS));
	assert_int_equal(fixture_run("nft delete table inet segd"), 0);
	assert_true(apply(table, FIXTURE_POLICY_CLOSED, 0, 2 * SECOND_NS));
	assert_int_equal(fixture_run("nft list table inet segd | grep -q 'tcp . 5432'"), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(test_lists_cleanly, remove_table),
		cmocka_unit_test_teardown(test_sends_only_what_changed, remove_table),
		cmocka_unit_test_teardown(test_sweeps_what_is_not_needed, remove_table),
		cmocka_unit_test_teardown(test_adopts_what_an_earlier_agent_left, remove_table),
		cmocka_unit_test_teardown(test_replaces_another_layout, remove_table),
		cmocka_unit_test_teardown(test_keeps_the_old_rules_when_refused, remove_table),
		cmocka_unit_test_teardown(test_heals_when_somebody_flushed_the_table, remove_table),
	};

	return cmocka_run_group_tests(tests, enter_namespace, NULL);
}
