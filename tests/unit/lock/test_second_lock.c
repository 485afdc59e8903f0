/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The table in the kernel, in a network namespace of the test's own. */
#include "dataplane/lock/second_lock.h"

#include "base/cleanup.h"
#include "dataplane/lock/lock_layout.h"

#include <net/if.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

struct fixture {
	sd_event *event;
	struct attachment attachments[2];
	size_t troubles;
};

static void on_flow(const struct flow_event *event, void *userdata)
{
	(void)event;
	(void)userdata;
}

static void on_trouble(const char *message, bool repaired, void *userdata)
{
	struct fixture *fixture = userdata;

	(void)repaired;
	print_message("trouble: %s\n", message);
	fixture->troubles++;
}

static int set_up(void **state)
{
	struct fixture *fixture = calloc(1, sizeof(*fixture));

	if (!fixture || unshare(CLONE_NEWNET) < 0 || sd_event_new(&fixture->event) < 0 ||
		system("ip link add one type veth peer name two") != 0)
		return -1;
	strcpy(fixture->attachments[0].name, "one");
	strcpy(fixture->attachments[1].name, "two");
	for (size_t i = 0; i < 2; i++)
		fixture->attachments[i].ifindex = if_nametoindex(fixture->attachments[i].name);
	*state = fixture;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *fixture = *state;

	sd_event_unref(fixture->event);
	free(fixture);
	return 0;
}

static struct second_lock *open_lock(struct fixture *fixture, uint32_t mark)
{
	const struct dataplane_callbacks callbacks = {
		.flow = on_flow, .trouble = on_trouble, .userdata = fixture};
	_cleanup_error_ struct error error = ERROR_INIT;
	struct second_lock *lock = NULL;

	assert_int_equal(second_lock_open(mark, &callbacks, fixture->event, &lock, &error), 0);
	return lock;
}

static json_int_t locked(const struct second_lock *lock)
{
	json_t *description = second_lock_describe(lock);
	json_int_t interfaces = json_integer_value(json_object_get(description, "interfaces"));

	json_decref(description);
	return interfaces;
}

static bool kernel_has(const char *pattern)
{
	char command[128];

	snprintf(command, sizeof(command), "nft list ruleset | grep -q '%s'", pattern);
	return system(command) == 0;
}

static void test_names_of_chains(void **state)
{
	(void)state;
	assert_int_equal(lock_layout_interface("leaves-7"), 7);
	assert_int_equal(lock_layout_interface("enters-4294967295"), UINT32_MAX);
	assert_int_equal(lock_layout_interface("seal"), 0);
	assert_int_equal(lock_layout_interface("marked-0x10"), 0);
	assert_int_equal(lock_layout_mark("marked-0x80001000"), 0x80001000);
	assert_int_equal(lock_layout_mark("leaves-16"), 0);
}

static void test_follows_the_attachments(void **state)
{
	struct fixture *fixture = *state;
	struct second_lock *lock = open_lock(fixture, SECOND_LOCK_MARK);

	assert_non_null(lock);
	second_lock_apply(lock, fixture->attachments, 1);
	assert_int_equal(locked(lock), 1);
	assert_true(kernel_has("hook ingress device .one.")); /* quoted */
	assert_true(kernel_has("hook egress device .one."));
	assert_false(kernel_has("device .two."));
	second_lock_apply(lock, fixture->attachments, 2);
	assert_int_equal(locked(lock), 2);
	second_lock_release(lock, fixture->attachments + 1, 1);
	assert_int_equal(locked(lock), 1);
	assert_false(kernel_has("device .one."));
	assert_true(kernel_has("device .two."));
	second_lock_close(lock, true);
	assert_false(kernel_has(LOCK_TABLE));
	assert_int_equal(fixture->troubles, 0);
}

static void test_goes_on_with_the_same_mark_only(void **state)
{
	struct fixture *fixture = *state;
	struct second_lock *lock = open_lock(fixture, 0x40000);

	second_lock_apply(lock, fixture->attachments, 2);
	second_lock_close(lock, false);
	assert_true(kernel_has("meta mark & 0x00040000"));
	lock = open_lock(fixture, 0x40000);
	assert_true(kernel_has("device .one."));
	second_lock_apply(lock, fixture->attachments, 2);
	assert_int_equal(locked(lock), 2);
	second_lock_close(lock, false);
	lock = open_lock(fixture, 0x80000); /* before programs that set another mark */
	assert_false(kernel_has(LOCK_TABLE));
	second_lock_apply(lock, fixture->attachments, 2);
	second_lock_close(lock, false);
	assert_true(kernel_has("meta mark & 0x00080000"));
	assert_null(open_lock(fixture, 0));
	assert_false(kernel_has(LOCK_TABLE));
}

static void test_without_the_interface(void **state)
{
	struct fixture *fixture = *state;
	const struct attachment gone = {.ifindex = 4711, .name = "gone"};
	const struct attachment inside = {.ifindex = 1U << 31 | 1, .netns = (char *)"somewhere"};
	const struct attachment attachments[] = {fixture->attachments[0], gone, inside};
	struct second_lock *lock = open_lock(fixture, SECOND_LOCK_MARK);
	json_t *description;

	second_lock_apply(lock, attachments, ARRAY_SIZE(attachments));
	description = second_lock_describe(lock);
	assert_int_equal(json_integer_value(json_object_get(description, "interfaces")), 1);
	assert_int_equal(json_integer_value(json_object_get(description, "open")), 2);
	json_decref(description);
	second_lock_close(lock, true);
	assert_int_equal(fixture->troubles, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_names_of_chains),
		cmocka_unit_test_setup_teardown(test_follows_the_attachments, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			test_goes_on_with_the_same_mark_only, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_without_the_interface, set_up, tear_down),
	};

	return cmocka_run_group_tests_name("second_lock", tests, NULL, NULL);
}
