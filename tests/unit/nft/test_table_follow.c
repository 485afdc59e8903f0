/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Elements that come and go in a real kernel, in a network namespace of its own. */
#include "dataplane/nft/table.h"

#include "base/cleanup.h"
#include "dataplane/nft/layout.h"
#include "dataplane/nft/plan.h"
#include "fixture.h"

#include <linux/netfilter/nf_tables.h>
#include <sched.h>
#include <unistd.h>

#define NFLOG_GROUP 4711
#define SECOND_NS   UINT64_C(1000000000)

static int set_up(void **state)
{
	struct model *model = fixture_model(0);
	struct ir *ir = fixture_ir(model, FIXTURE_POLICY);
	struct ruleset plan = {0};
	struct table *table;
	bool changed;

	assert_int_equal(unshare(CLONE_NEWNET), 0);
	assert_int_equal(table_open(&table_of_workloads, NFLOG_GROUP, &table, NULL), 0);
	assert_int_equal(plan_build(ir, &plan, NULL, NULL), 0);
	assert_int_equal(table_apply(table, ir, &plan, "", SECOND_NS, &changed, NULL), 0);
	table_forget_touched(table);
	ruleset_clear(&plan);
	ir_free(ir);
	model_free(model);
	*state = table;
	return 0;
}

static int tear_down(void **state)
{
	table_remove(*state, NULL);
	table_free(*state);
	return 0;
}

static void add(struct element_list *list, const char *text)
{
	struct element element = {.target.code = TARGET_NONE};
	struct address address = fixture_address(text);

	element_key_add_address(&element, &address);
	assert_int_equal(element_list_add(list, &element), 0);
}

/* One address more in each of two sets. */
static struct plan_changes two_changes(const char *set, const char *other)
{
	struct plan_changes changes = {.items = calloc(2, sizeof(*changes.items)), .count = 2};

	assert_non_null(changes.items);
	snprintf(changes.items[0].set, sizeof(changes.items[0].set), "%s", set);
	add(&changes.items[0].added, "10.9.9.1");
	snprintf(changes.items[1].set, sizeof(changes.items[1].set), "%s", other);
	add(&changes.items[1].added, "10.9.9.2");
	return changes;
}

static bool is_touched(struct table *table, const char *text)
{
	struct address address = fixture_address(text);

	return touched_has(table_touched(table), &address);
}

static bool kernel_has(const char *set, const char *address)
{
	char command[200];

	snprintf(command, sizeof(command), "nft get element inet segd %s '{ %s }' >/dev/null 2>&1",
		set, address);
	return !system(command);
}

static void test_adds_elements(void **state)
{
	const char *set = layout_workloads(true);
	struct plan_changes changes = two_changes(set, set);
	struct table_statistics before = table_statistics(*state), after;
	struct error error = ERROR_INIT;

	if (table_follow(*state, &changes, &error) < 0)
		fail_msg("%s", error_message(&error));
	after = table_statistics(*state);
	assert_true(table_is_sound(*state));
	assert_true(kernel_has(set, "10.9.9.1"));
	assert_true(kernel_has(set, "10.9.9.2"));
	assert_true(is_touched(*state, "10.9.9.1"));
	assert_true(is_touched(*state, "10.9.9.2"));
	assert_false(is_touched(*state, "10.9.9.3"));
	assert_int_equal(after.elements, before.elements + 2);
	assert_int_equal(after.generation, before.generation + 1);
	plan_changes_clear(&changes);
}

/* All or nothing; and what the kernel does not agree to is what somebody else has done. */
static void test_refused_changes_nothing(void **state)
{
	const char *set = layout_workloads(true);
	struct plan_changes changes = two_changes(set, set);
	struct error error = ERROR_INIT;

	add(&changes.items[1].removed, "10.9.9.3");
	assert_true(table_follow(*state, &changes, &error) < 0);
	error_clear(&error);
	assert_false(table_is_sound(*state));
	assert_false(kernel_has(set, "10.9.9.1"));
	assert_false(is_touched(*state, "10.9.9.1"));
	plan_changes_clear(&changes);
}

/* The kernel has taken all of it: also whom the changes concern that could not be remembered. */
static void test_what_is_not_remembered_touches_all(void **state)
{
	const char *set = layout_workloads(true);
	struct plan_changes changes = two_changes("unknown", set);
	struct error error = ERROR_INIT;

	assert_int_equal(
		fixture_run("nft add set inet segd unknown '{ type ipv4_addr; }' 2>&1"), 0);
	if (table_follow(*state, &changes, &error) < 0)
		fail_msg("%s", error_message(&error));
	assert_true(kernel_has(set, "10.9.9.2"));
	assert_true(is_touched(*state, "10.9.9.2"));
	assert_false(table_is_sound(*state));
	plan_changes_clear(&changes);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_adds_elements, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_refused_changes_nothing, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			test_what_is_not_remembered_touches_all, set_up, tear_down),
	};

	if (geteuid() != 0) {
		print_message("skipped: needs root for network namespaces\n");
		return 0;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
