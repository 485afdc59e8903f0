/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "guards.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

static void test_bridges(void **state)
{
	struct guards *guards;

	(void)state;
	assert_int_equal(guards_new(&guards), 0);
	assert_false(guards_cover(guards, "br0"));
	assert_int_equal(guards_set_bridge(guards, "br0", true), 0);
	assert_int_equal(guards_set_bridge(guards, "br0", true), 0);
	assert_true(guards_cover(guards, "br0"));
	assert_false(guards_cover(guards, "br1"));
	assert_int_equal(guards_set_bridge(guards, "br0", false), 0);
	assert_false(guards_cover(guards, "br0"));
	assert_int_equal(guards_set_bridge(guards, "br0", false), 0);
	guards_free(guards);
}

static void test_attachments_are_merged_in_order(void **state)
{
	struct attachment *list = calloc(2, sizeof(*list));
	struct guards *guards;
	size_t count = 2;

	(void)state;
	list[0].ifindex = 4;
	list[1].ifindex = 9;
	assert_int_equal(guards_new(&guards), 0);
	assert_int_equal(guards_add(guards, 7, "veth7"), 0);
	assert_int_equal(guards_add(guards, 2, "veth2"), 0);
	assert_int_equal(guards_add(guards, 9, "veth9"), 0);
	assert_int_equal(guards_add_attachments(guards, &list, &count), 0);
	assert_int_equal(count, 4);
	assert_int_equal(list[0].ifindex, 2);
	assert_int_equal(list[0].workload, -1);
	assert_string_equal(list[0].name, "veth2");
	assert_int_equal(list[1].ifindex, 4);
	assert_int_equal(list[1].workload, 0);
	assert_int_equal(list[2].ifindex, 7);
	assert_int_equal(list[2].workload, -1);
	assert_int_equal(list[3].ifindex, 9);
	assert_int_equal(list[3].workload, 0);
	free(list);
	guards_free(guards);
}

static void test_a_known_interface_is_guarded_no_longer(void **state)
{
	struct attachment *list = calloc(1, sizeof(*list)), *none = NULL;
	struct guards *guards;
	size_t count = 1;

	(void)state;
	list[0].ifindex = 9;
	assert_int_equal(guards_new(&guards), 0);
	assert_int_equal(guards_add(guards, 9, "veth9"), 0);
	assert_int_equal(guards_add_attachments(guards, &list, &count), 0);
	assert_int_equal(count, 1);
	count = 0;
	assert_int_equal(guards_add_attachments(guards, &none, &count), 0);
	assert_int_equal(count, 0);
	guards_remove(guards, 9);
	free(list);
	guards_free(guards);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_bridges),
		cmocka_unit_test(test_attachments_are_merged_in_order),
		cmocka_unit_test(test_a_known_interface_is_guarded_no_longer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
