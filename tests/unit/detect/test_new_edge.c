// SPDX-License-Identifier: GPL-2.0-or-later
#include "stage.h"

#include "detect/waiting.h"

/* Time goes on, so that what waits is judged. */
static void wait_until(struct stage *stage, double second)
{
	stage_session(stage, second, 0.1, "nobody", "elsewhere", 8080, 10, 10);
}

static void nothing_is_new_while_learning(void **state)
{
	struct stage stage;

	(void)state;
	stage_open(&stage, &new_edge_detector);
	stage_open_to(&stage, 0, "web", "db", 5432);
	assert_int_equal(stage.found, 0);
	stage_close(&stage);
}

static void a_new_edge_is_told_once_for_all_of_the_role(void **state)
{
	struct stage stage;

	(void)state;
	stage_open(&stage, &new_edge_detector);
	stage.has_learnt = true;
	stage.usual_port = 8080;
	stage_open_to(&stage, 0, "web1", "api", 8080);
	assert_int_equal(stage.found, 0);
	stage_open_to(&stage, 1, "web1", "db", 5432);
	stage_open_to(&stage, 2, "web2", "db", 5432);
	stage_open_to(&stage, 3, "web1", "db", 5432);
	assert_int_equal(stage.found, 0); /* it may be turned away */
	wait_until(&stage, 10);
	assert_int_equal(stage.found, 1);
	assert_int_equal(stage.worst, SEVERITY_LOW);
	stage_close(&stage);
}

static void power_and_number_make_it_worse(void **state)
{
	struct stage stage;

	(void)state;
	stage_open(&stage, &new_edge_detector);
	stage.has_learnt = true;
	stage_denied(&stage, 0, "web", "db", 22);
	assert_int_equal(stage.worst, SEVERITY_MEDIUM);
	stage_close(&stage);
	stage_open(&stage, &new_edge_detector);
	stage.has_learnt = true;
	for (uint16_t i = 0; i < 4; i++)
		stage_open_to(&stage, i, "web", "db", (uint16_t)(7000 + i));
	stage.usual_port = 8080;
	wait_until(&stage, 10);
	assert_int_equal(stage.worst, SEVERITY_MEDIUM);
	stage_close(&stage);
}

/* Dead backends, and what was tried in vain all the time. */
static void what_fails_is_no_edge(void **state)
{
	struct stage stage;

	(void)state;
	stage_open(&stage, &new_edge_detector);
	stage_denied(&stage, 0, "web", "tracker", 443);
	stage.has_learnt = true;
	stage_reset(&stage, 1, "lb", "db", 9000);
	stage_unanswered(&stage, 2, "lb", "api", 9000);
	stage_denied(&stage, 3, "web", "tracker", 443);
	stage.usual_port = 8080;
	wait_until(&stage, 10);
	assert_int_equal(stage.found, 0);
	stage_close(&stage);
}

static void what_is_remembered_is_bounded(void **state)
{
	struct stage stage;
	char source[32];

	(void)state;
	stage_open(&stage, &new_edge_detector);
	stage.has_learnt = true;
	/* More at once than can wait for an answer. */
	for (int i = 0; i < 600; i++)
		stage_open_to(&stage, i * 0.001, "w", "db", (uint16_t)(31000 + i));
	assert_int_equal(stage_state(&stage, "entries"), 0);
	assert_int_equal(stage_state(&stage, "evicted"), 600 - WAITING_MAX);
	for (int i = 0; i < 20000; i++) {
		snprintf(source, sizeof(source), "w%dx", i);
		stage_open_to(&stage, 1 + i * 0.01, source, "db", (uint16_t)(i % 30000 + 1));
	}
	assert_true(stage_state(&stage, "entries") > 0);
	assert_true(stage_state(&stage, "entries") <= stage_state(&stage, "size"));
	assert_true(stage_state(&stage, "evicted") > 0);
	stage_close(&stage);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_is_new_while_learning),
		cmocka_unit_test(a_new_edge_is_told_once_for_all_of_the_role),
		cmocka_unit_test(power_and_number_make_it_worse),
		cmocka_unit_test(what_fails_is_no_edge),
		cmocka_unit_test(what_is_remembered_is_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
