/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "policies/selector.h"

#include "base/cleanup.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static bool matches(const char *text, const struct labels *labels)
{
	_cleanup_(selector_clear) struct selector selector = {0};
	_cleanup_free_ char *problem = NULL;
	size_t offset;

	if (selector_parse(text, &selector, &problem, &offset) < 0)
		fail_msg("%s: %s", text, problem);
	return selector_matches(&selector, labels);
}

static void test_kubernetes_semantics(void **state)
{
	static const struct {
		const char *text;
		bool with, without; /* the labels app=db,env=; none */
	} cases[] = {
		{"*", true, true},
		{"app=db", true, false},
		{"app==db", true, false},
		{"app=web", false, false},
		{"app!=web", true, true},
		{"app!=db", false, true},
		{"app in (web,db)", true, false},
		{"app notin (web, db)", false, true},
		{"app", true, false},
		{"!app", false, true},
		{"env=", true, false},
		{"env!=", false, true},
		{"env in (,x)", true, false},
		{" app = db , env ", true, false},
		{"app=db,tier", false, false},
		{"in,notin", false, false},
	};
	_cleanup_(labels_clear) struct labels labels = {0};
	const struct labels none = {0};

	(void)state;
	labels_set(&labels, "app", "db");
	labels_set(&labels, "env", "");
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		if (matches(cases[i].text, &labels) != cases[i].with)
			fail_msg("%s with labels", cases[i].text);
		if (matches(cases[i].text, &none) != cases[i].without)
			fail_msg("%s without labels", cases[i].text);
	}
}

static void test_canonical_form(void **state)
{
	static const char *const cases[][2] = {
		{"*", "*"},
		{"env in (b, a,b),app==db", "app=db,env in (a,b)"},
		{"x notin(a)", "x!=a"},
		{"!b,a,a!=1,a notin (3,2)", "a!=1,a notin (2,3),a,!b"},
		{"a in (,b)", "a in (,b)"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_(selector_clear) struct selector selector = {0};
		_cleanup_(selector_clear) struct selector again = {0};
		_cleanup_free_ char *problem = NULL;
		_cleanup_free_ char *text = NULL;
		_cleanup_free_ char *twice = NULL;
		size_t offset;

		assert_int_equal(selector_parse(cases[i][0], &selector, &problem, &offset), 0);
		text = selector_format(&selector);
		assert_string_equal(text, cases[i][1]);
		assert_int_equal(selector_parse(text, &again, &problem, &offset), 0);
		twice = selector_format(&again);
		assert_string_equal(twice, text);
	}
}

static void test_refusals(void **state)
{
	static const struct {
		const char *text;
		size_t offset;
	} cases[] = {
		{"", 0},
		{"  ", 2},
		{"app=db,", 7},
		{",app", 0},
		{"app=db env", 7},
		{"app in db", 7},
		{"app in (db", 10},
		{"app in ()", 7},
		{"app>1", 3},
		{"app=-", 4},
		{"!", 1},
		{"!app=db", 4},
		{"app!db", 3},
		{"* ,app", 2},
		{"a/b/c", 0},
		{"app like db", 4},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct selector selector = {.count = 77};
		_cleanup_free_ char *problem = NULL;
		size_t offset = 99;

		if (selector_parse(cases[i].text, &selector, &problem, &offset) != -EINVAL)
			fail_msg("\"%s\" was taken", cases[i].text);
		assert_int_equal(selector.count, 77);
		assert_non_null(problem);
		if (offset != cases[i].offset)
			fail_msg("\"%s\": %s at %zu", cases[i].text, problem, offset);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_kubernetes_semantics),
		cmocka_unit_test(test_canonical_form),
		cmocka_unit_test(test_refusals),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
