/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "policies/requirement.h"

#include "base/cleanup.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#define _cleanup_selector_ __attribute__((cleanup(selector_clear)))
#define _cleanup_labels_   __attribute__((cleanup(labels_clear)))

static void expect(const char *requirement, enum requirement_gap gap, const char *found)
{
	_cleanup_selector_ struct selector selector = {0};
	_cleanup_labels_ struct labels labels = {0};
	_cleanup_free_ char *problem = NULL, *text = NULL, *formatted = NULL;
	size_t offset;

	assert_int_equal(labels_set(&labels, "team", "payments"), 0);
	assert_int_equal(labels_set(&labels, "env", "prod"), 0);
	assert_int_equal(selector_parse(requirement, &selector, &problem, &offset), 0);
	assert_int_equal(selector.count, 1);
	assert_int_equal(requirement_gap(&selector.requirements[0], &labels), gap);
	text = requirement_found(&selector.requirements[0], &labels);
	assert_string_equal(text, found);
	formatted = requirement_format(&selector.requirements[0]);
	assert_string_equal(formatted, requirement);
}

static void test_gap(void **state)
{
	(void)state;
	expect("team=payments", REQUIREMENT_MET, "team=payments");
	expect("team=pay", REQUIREMENT_NEARLY, "team=payments");
	expect("team=paymnets", REQUIREMENT_NEARLY, "team=payments");
	expect("team in (billing,pay)", REQUIREMENT_NEARLY, "team=payments");
	expect("team=shipping", REQUIREMENT_OTHER, "team=payments");
	expect("teams=payments", REQUIREMENT_NEARLY, "no label teams but team=payments");
	expect("zone=a", REQUIREMENT_ABSENT, "no label zone");
	expect("zone", REQUIREMENT_ABSENT, "no label zone");
	expect("!env", REQUIREMENT_OTHER, "env=prod");
	expect("env!=prod", REQUIREMENT_OTHER, "env=prod");
	expect("!zone", REQUIREMENT_MET, "no label zone");
}

static void test_words(void **state)
{
	(void)state;
	assert_true(requirement_words_alike("web", "wbe"));
	assert_true(requirement_words_alike("web", "web-frontend"));
	assert_false(requirement_words_alike("web", "api"));
	assert_false(requirement_words_alike("w", "web"));
	assert_false(requirement_words_alike("", "web"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_gap),
		cmocka_unit_test(test_words),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
