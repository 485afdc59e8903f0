/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "doctor/findings.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static const json_t *at(const json_t *report, size_t i)
{
	return json_array_get(json_object_get(report, "findings"), i);
}

static const char *text(const json_t *object, const char *key)
{
	return json_string_value(json_object_get(object, key));
}

static void test_report(void **state)
{
	struct findings findings;
	json_t *report;

	(void)state;
	assert_int_equal(findings_init(&findings), 0);
	findings.area = "kernel";
	findings_add(&findings, FINDING_OK, "one", NULL, "%d is fine", 1);
	findings_add(&findings, FINDING_NOTE, "two", "do", "a note");
	report = findings_to_json(&findings);
	assert_true(json_is_true(json_object_get(report, "healthy")));
	assert_string_equal(text(at(report, 0), "what"), "1 is fine");
	assert_string_equal(text(at(report, 0), "area"), "kernel");
	assert_true(json_is_null(json_object_get(at(report, 0), "advice")));
	assert_string_equal(text(at(report, 1), "level"), "note");
	assert_string_equal(text(at(report, 1), "advice"), "do");
	json_decref(report);
	findings_clear(&findings);
}

static void test_health(void **state)
{
	static const enum finding_level ill[] = {FINDING_WARNING, FINDING_ERROR};

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct findings findings;
		json_t *report;

		assert_int_equal(findings_init(&findings), 0);
		findings_add(&findings, ill[i], "check", NULL, "wrong");
		report = findings_to_json(&findings);
		assert_true(json_is_false(json_object_get(report, "healthy")));
		assert_int_equal(
			json_integer_value(json_object_get(
				json_object_get(report, "counts"), finding_level_name(ill[i]))),
			1);
		json_decref(report);
		findings_clear(&findings);
	}
}

static void test_advice_with_names(void **state)
{
	struct findings findings;
	json_t *report;

	(void)state;
	assert_int_equal(findings_init(&findings), 0);
	findings_add(&findings, FINDING_WARNING, "check", NULL, "first");
	findings_add(&findings, FINDING_WARNING, "check", NULL, "second");
	findings_advise(&findings, "take %s off", "it");
	report = findings_to_json(&findings);
	assert_true(json_is_null(json_object_get(at(report, 0), "advice")));
	assert_string_equal(text(at(report, 1), "advice"), "take it off");
	json_decref(report);
	findings_clear(&findings);
}

/* Programs and files of others may be called anything. */
static void test_names_that_are_no_text(void **state)
{
	struct findings findings;
	json_t *report;

	(void)state;
	assert_int_equal(findings_init(&findings), 0);
	findings_add(&findings, FINDING_ERROR, "check", NULL, "program %s", "\xff\xfe");
	findings_advise(&findings, "%s", "\xff");
	report = findings_to_json(&findings);
	assert_non_null(report);
	assert_int_equal(json_array_size(json_object_get(report, "findings")), 1);
	assert_true(json_is_null(json_object_get(at(report, 0), "advice")));
	json_decref(report);
	findings_clear(&findings);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_report),
		cmocka_unit_test(test_health),
		cmocka_unit_test(test_advice_with_names),
		cmocka_unit_test(test_names_that_are_no_text),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
