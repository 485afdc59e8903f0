// SPDX-License-Identifier: GPL-2.0-or-later
#include "stage.h"

static void short_sessions_are_found(void **state)
{
	struct stage stage;

	(void)state;
	stage_open(&stage, &brute_force_detector);
	for (int i = 0; i < 9; i++)
		stage_session(&stage, i * 3, 2, "web", "ops", 22, 2400, 3100);
	assert_int_equal(stage.found, 0);
	stage_session(&stage, 30, 2, "web", "ops", 22, 2400, 3100);
	assert_int_equal(stage.last.count, 10);
	assert_string_equal(stage.last.technique, "T1110");
	assert_int_equal(stage.worst, SEVERITY_MEDIUM);
	stage_close(&stage);
}

static void a_session_that_is_told_twice_counts_once(void **state)
{
	struct stage stage;

	(void)state;
	stage_open(&stage, &brute_force_detector);
	for (int i = 0; i < 8; i++) {
		struct record record;

		stage_open_to(&stage, i, "web", "ops", 22);
		for (int told = 0; told < 2; told++) {
			record = stage_later(&stage, i + 1, i, "web", "ops", 22,
				told ? FLOW_END : FLOW_UPDATE, (uint64_t[]){8, 7},
				(uint64_t[]){2000, 2000});
			record.event.tcp_flags = TH_SYN | TH_FIN;
			stage_play(&stage, record);
		}
	}
	assert_int_equal(stage.found, 0);
	stage_close(&stage);
}

/* So many sessions of five minutes, all at once, that are over one after the other. */
static void slow_sessions(struct stage *stage, int count, double between)
{
	for (int i = 0; i < count; i++) {
		struct record record = stage_later(stage, 300 + between * i, 0, "web", "ops", 22,
			FLOW_END, (uint64_t[]){8, 7}, (uint64_t[]){2400, 3100});

		record.event.id = (uint64_t)i + 1;
		record.event.start_ns += (uint64_t)i * SECOND * 20;
		record.event.tcp_flags = TH_SYN | TH_FIN;
		stage_play(stage, record);
	}
}

static void sessions_longer_than_the_window_are_found(void **state)
{
	struct stage stage;

	(void)state;
	stage_open(&stage, &brute_force_detector);
	slow_sessions(&stage, 12, 5);
	assert_true(stage.found);
	stage_close(&stage);
	stage_open(&stage, &brute_force_detector);
	slow_sessions(&stage, 12, 20);
	assert_int_equal(stage.found, 0);
	stage_close(&stage);
}

/* Who connects and says nothing; who stays; who carries much; who opens a session for each
 * question. */
static void others_are_not(void **state)
{
	struct stage stage;

	(void)state;
	stage_open(&stage, &brute_force_detector);
	for (int i = 0; i < 100; i++)
		stage_session(&stage, i, 0.1, "monitor", "ops", 22, 0, 40);
	for (int i = 0; i < 100; i++)
		stage_open_to(&stage, i, "pool", "db", 5432);
	for (int i = 0; i < 100; i++)
		stage_session(&stage, i, 1, "ci", "ops", 22, 3000, 50000);
	for (int i = 0; i < 100; i++)
		stage_session(&stage, i * 0.5, 0.1, "pages", "db", 5432, 250, 900);
	assert_int_equal(stage.found, 0);
	stage_close(&stage);
}

static void what_the_role_always_did_takes_more(void **state)
{
	struct stage stage;

	(void)state;
	stage_open(&stage, &brute_force_detector);
	stage.has_learnt = true;
	stage.usual_port = 22;
	for (int i = 0; i < 60; i++)
		stage_session(&stage, i, 0.2, "ansible", "ops", 22, 3000, 3500);
	assert_int_equal(stage.found, 0);
	for (int i = 60; i < 110; i++)
		stage_session(&stage, i, 0.2, "ansible", "ops", 22, 3000, 3500);
	assert_true(stage.found);
	stage_close(&stage);
}

static void what_is_remembered_is_bounded(void **state)
{
	struct stage stage;
	char source[32];

	(void)state;
	stage_open(&stage, &brute_force_detector);
	for (int i = 0; i < 20000; i++) {
		snprintf(source, sizeof(source), "web%d", i);
		stage_session(&stage, i * 0.001, 0.1, source, "ops", 22, 2400, 3100);
	}
	assert_int_equal(stage_state(&stage, "entries"), stage_state(&stage, "size"));
	assert_true(stage_state(&stage, "evicted") > 0);
	stage_close(&stage);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(short_sessions_are_found),
		cmocka_unit_test(a_session_that_is_told_twice_counts_once),
		cmocka_unit_test(sessions_longer_than_the_window_are_found),
		cmocka_unit_test(others_are_not),
		cmocka_unit_test(what_the_role_always_did_takes_more),
		cmocka_unit_test(what_is_remembered_is_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
