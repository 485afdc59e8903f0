/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "policies/labels.h"

#include "base/cleanup.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void test_sorted_and_replaced(void **state)
{
	_cleanup_(labels_clear) struct labels labels = {0};

	(void)state;
	assert_int_equal(labels_set(&labels, "tier", "front"), 0);
	assert_int_equal(labels_set(&labels, "app", "web"), 0);
	assert_int_equal(labels_set(&labels, "env", ""), 0);
	assert_int_equal(labels_set(&labels, "app", "api"), 0);
	assert_int_equal(labels.count, 3);
	assert_string_equal(labels.items[0].key, "app");
	assert_string_equal(labels.items[2].key, "tier");
	assert_string_equal(labels_get(&labels, "app"), "api");
	assert_string_equal(labels_get(&labels, "env"), "");
	assert_null(labels_get(&labels, "ap"));
	assert_null(labels_get(&labels, "zone"));
}

static void test_copy_equals(void **state)
{
	_cleanup_(labels_clear) struct labels labels = {0};
	_cleanup_(labels_clear) struct labels copy = {0};

	(void)state;
	for (char key[] = "a"; *key <= 'z'; ++*key)
		assert_int_equal(labels_set(&labels, key, "1"), 0);
	assert_int_equal(labels_copy(&labels, &copy), 0);
	assert_true(labels_equal(&labels, &copy));
	assert_int_equal(labels_set(&copy, "m", "2"), 0);
	assert_false(labels_equal(&labels, &copy));
	assert_string_equal(labels_get(&labels, "m"), "1");
}

static void test_syntax(void **state)
{
	static const char *const good_keys[] = {
		"app", "a", "App_1.2-x", "kubernetes.io/name", "a-b.example/A"};
	static const char *const bad_keys[] = {"", "-a", "a-", "a b", "/a", "a/", "A.b/c", "a..b/c",
		"-a/b", "a-/b", "a.-b/c", "a/b/c", "\xc3\xa4"};
	static const char *const bad_values[] = {"-", "a ", "a/b", "a,b", "=", "\n"};
	char text[65] = {0};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(good_keys); i++)
		assert_null(label_key_problem(good_keys[i]));
	for (size_t i = 0; i < ARRAY_SIZE(bad_keys); i++)
		assert_non_null(label_key_problem(bad_keys[i]));
	for (size_t i = 0; i < ARRAY_SIZE(bad_values); i++)
		assert_non_null(label_value_problem(bad_values[i]));
	assert_null(label_value_problem(""));
	assert_null(label_value_problem("1.2_3-x"));
	memset(text, 'a', 63);
	assert_null(label_value_problem(text));
	assert_null(label_key_problem(text));
	text[63] = 'a';
	assert_non_null(label_value_problem(text));
	assert_non_null(label_key_problem(text));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sorted_and_replaced),
		cmocka_unit_test(test_copy_equals),
		cmocka_unit_test(test_syntax),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
