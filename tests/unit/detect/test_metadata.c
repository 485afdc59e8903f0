// SPDX-License-Identifier: GPL-2.0-or-later
#include "stage.h"

static void the_clouds_addresses_are_known(void **state)
{
	static const char *const addresses[] = {"169.254.169.254", "169.254.170.2", "fd00:ec2::254",
		"168.63.129.16", "100.100.100.200"};
	struct stage stage;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(addresses); i++) {
		stage_open(&stage, &metadata_detector);
		stage_open_to(&stage, 0, "web", addresses[i], 80);
		assert_int_equal(stage.found, 1);
		assert_int_equal(stage.worst, SEVERITY_LOW);
		assert_string_equal(stage.last.technique, "T1552.005");
		stage_close(&stage);
	}
}

static void refused_or_new_is_worse(void **state)
{
	struct stage stage;

	(void)state;
	stage_open(&stage, &metadata_detector);
	stage_denied(&stage, 0, "web", "169.254.169.254", 80);
	assert_int_equal(stage.worst, SEVERITY_MEDIUM);
	stage_close(&stage);
	stage_open(&stage, &metadata_detector);
	stage.has_learnt = true;
	stage_session(&stage, 0, 0.1, "web", "169.254.169.254", 80, 100, 900);
	assert_int_equal(stage.worst, SEVERITY_HIGH);
	stage_open_to(&stage, 1, "web", "api", 6443);
	assert_string_equal(stage.last.technique, "T1613");
	assert_int_equal(stage.kinds, 2);
	stage_close(&stage);
}

/* It is told at once that somebody tries, and that he was answered when that is so. */
static void what_is_not_answered_was_not_reached(void **state)
{
	struct stage stage;

	(void)state;
	stage_open(&stage, &metadata_detector);
	stage.has_learnt = true;
	stage_reset(&stage, 0, "web", "169.254.169.254", 80);
	stage_unanswered(&stage, 2, "web", "169.254.169.254", 80);
	stage_session(&stage, 20, 0.1, "api", "db", 5432, 100, 100);
	assert_int_equal(stage.found, 2);
	assert_int_equal(stage.worst, SEVERITY_MEDIUM);
	assert_non_null(strstr(stage.last.sentence, "turned to"));
	/* Silence for long enough is an answer, too. */
	stage_open_to(&stage, 30, "web", "169.254.169.254", 80);
	assert_int_equal(stage.worst, SEVERITY_MEDIUM);
	stage_session(&stage, 36, 0.1, "api", "db", 5432, 100, 100);
	assert_int_equal(stage.worst, SEVERITY_HIGH);
	assert_non_null(strstr(stage.last.sentence, "reached"));
	assert_int_equal(stage.kinds, 1);
	/* And was one an hour ago. */
	stage.worst = SEVERITY_LOW;
	stage_reset(&stage, 7200, "web", "169.254.169.254", 80);
	assert_int_equal(stage.worst, SEVERITY_MEDIUM);
	assert_int_equal(stage.last.count, 1);
	stage_close(&stage);
}

static void others_are_not(void **state)
{
	struct stage stage;

	(void)state;
	stage_open(&stage, &metadata_detector);
	stage_open_to(&stage, 0, "web", "169.254.1.1", 80);
	stage_open_to(&stage, 1, "operator", "203.0.113.9", 6443); /* while learning */
	stage.has_learnt = true;
	stage.usual_port = 80;
	stage_open_to(&stage, 2, "web", "169.254.169.254", 80);
	assert_int_equal(stage.found, 0);
	stage_close(&stage);
}

static void what_is_remembered_is_bounded(void **state)
{
	struct stage stage;
	char source[32];

	(void)state;
	stage_open(&stage, &metadata_detector);
	for (int i = 0; i < 10000; i++) {
		snprintf(source, sizeof(source), "web%d", i);
		stage_open_to(&stage, i, source, "169.254.169.254", 80);
	}
	assert_int_equal(stage_state(&stage, "entries"), stage_state(&stage, "size"));
	assert_true(stage_state(&stage, "evicted") > 0);
	stage_close(&stage);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_clouds_addresses_are_known),
		cmocka_unit_test(refused_or_new_is_worse),
		cmocka_unit_test(what_is_not_answered_was_not_reached),
		cmocka_unit_test(others_are_not),
		cmocka_unit_test(what_is_remembered_is_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
