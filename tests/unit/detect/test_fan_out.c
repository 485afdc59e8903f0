// SPDX-License-Identifier: GPL-2.0-or-later
#include "stage.h"

static void remote_administration_of_four_is_found(void **state)
{
	static const char *const targets[] = {"a", "b", "c", "d"};
	struct stage stage;

	(void)state;
	stage_open(&stage, &fan_out_detector);
	for (size_t i = 0; i < 4; i++) {
		assert_int_equal(stage.found, 0);
		stage_reset(&stage, (double)i, "web", targets[i], 22);
	}
	assert_string_equal(stage.last.technique, "T1021.004");
	assert_string_equal(stage.actor, "shop/web");
	assert_int_equal(stage.worst, SEVERITY_MEDIUM); /* nobody let it in */
	stage_close(&stage);
}

static void what_works_while_learning_is_low(void **state)
{
	static const char *const targets[] = {"a", "b", "c", "d", "e", "f"};
	struct stage stage;

	(void)state;
	stage_open(&stage, &fan_out_detector);
	for (size_t i = 0; i < 6; i++)
		stage_session(&stage, (double)i, 0.1, "ci", targets[i], 22, 3000, 9000);
	assert_int_equal(stage.kinds, 1);
	assert_int_equal(stage.worst, SEVERITY_LOW);
	stage_close(&stage);
}

static void what_is_new_to_the_role_is_high(void **state)
{
	static const char *const targets[] = {"a", "b", "c"};
	struct stage stage;

	(void)state;
	stage_open(&stage, &fan_out_detector);
	stage.has_learnt = true;
	for (size_t i = 0; i < 3; i++)
		stage_open_to(&stage, (double)i, "web", targets[i], 10250);
	assert_int_equal(stage.worst, SEVERITY_HIGH);
	assert_string_equal(stage.last.technique, "T1613");
	stage_close(&stage);
}

static void what_is_usual_is_nothing(void **state)
{
	struct stage stage;
	char target[32];

	(void)state;
	stage_open(&stage, &fan_out_detector);
	stage.has_learnt = true;
	stage.usual_port = 22;
	for (int i = 0; i < 50; i++) {
		snprintf(target, sizeof(target), "app%d", i);
		stage_session(&stage, i, 0.1, "ansible", target, 22, 3000, 9000);
	}
	assert_int_equal(stage.found, 0);
	stage_close(&stage);
}

/* Some databases and caches, or the same few machines over and over. */
static void an_application_is_nothing(void **state)
{
	struct stage stage;
	char target[32];

	(void)state;
	stage_open(&stage, &fan_out_detector);
	for (int i = 0; i < 9; i++) {
		snprintf(target, sizeof(target), "cache%d", i);
		stage_open_to(&stage, i, "api", target, 6379);
	}
	for (int i = 0; i < 100; i++)
		stage_open_to(&stage, i * 10, "ops", i % 2 ? "db" : "web", 22);
	assert_int_equal(stage.found, 0);
	stage_close(&stage);
}

static void what_is_remembered_is_bounded(void **state)
{
	struct stage stage;
	char source[32];

	(void)state;
	stage_open(&stage, &fan_out_detector);
	for (int i = 0; i < 20000; i++) {
		snprintf(source, sizeof(source), "web%d", i);
		stage_open_to(&stage, i * 0.01, source, "db", 22);
	}
	assert_int_equal(stage_state(&stage, "entries"), stage_state(&stage, "size"));
	assert_true(stage_state(&stage, "evicted") > 0);
	stage_close(&stage);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(remote_administration_of_four_is_found),
		cmocka_unit_test(what_works_while_learning_is_low),
		cmocka_unit_test(what_is_new_to_the_role_is_high),
		cmocka_unit_test(what_is_usual_is_nothing),
		cmocka_unit_test(an_application_is_nothing),
		cmocka_unit_test(what_is_remembered_is_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
