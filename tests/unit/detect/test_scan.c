// SPDX-License-Identifier: GPL-2.0-or-later
#include "stage.h"

/* Failed first contacts after which the first report came. */
static unsigned int probes_until_found(struct stage *stage,
	void (*probe)(struct stage *, double, const char *, const char *, uint16_t), double pace)
{
	unsigned int probes = 0;

	while (!stage->found && probes < 100) {
		probe(stage, probes * pace, "web", "db", (uint16_t)(1 + probes));
		probes++;
	}
	return probes;
}

static void each_kind_of_failure_is_found_within_ten(void **state)
{
	void (*const probes[])(struct stage *, double, const char *, const char *, uint16_t) = {
		stage_reset, stage_unanswered, stage_denied};
	struct stage stage;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(probes); i++) {
		stage_open(&stage, &scan_detector);
		assert_in_range(probes_until_found(&stage, probes[i], 0.01), 5, 10);
		assert_string_equal(stage.last.key, "vertical:shop/db");
		assert_string_equal(stage.last.technique, "T1046");
		assert_string_equal(stage.actor, "shop/web");
		assert_int_equal(stage.worst, SEVERITY_MEDIUM);
		stage_close(&stage);
	}
}

static void slow_ones_are_found(void **state)
{
	struct stage stage;

	(void)state;
	stage_open(&stage, &scan_detector);
	assert_in_range(probes_until_found(&stage, stage_reset, 900), 5, 12);
	assert_non_null(strstr(stage.last.because, "slow"));
	stage_close(&stage);
}

static void a_good_history_is_little_help(void **state)
{
	struct stage stage;

	(void)state;
	stage_open(&stage, &scan_detector);
	for (uint16_t i = 0; i < 100; i++)
		stage_session(&stage, i, 0.1, "web", "cache", (uint16_t)(1000 + i), 100, 100);
	for (uint16_t i = 0; i < 10; i++)
		stage_reset(&stage, 200 + i, "web", "db", (uint16_t)(1 + i));
	assert_true(stage.found);
	stage_close(&stage);
}

static void targets_in_a_row_are_horizontal(void **state)
{
	struct stage stage;

	(void)state;
	stage_open(&stage, &scan_detector);
	for (unsigned int i = 0; i < 12; i++) {
		char target[32];

		snprintf(target, sizeof(target), "10.9.0.%u", i + 1);
		stage_unanswered(&stage, i, "web", target, 22);
	}
	assert_string_equal(stage.last.key, "horizontal:tcp/22");
	stage_close(&stage);
}

static void four_sources_are_found_together(void **state)
{
	static const char *const sources[] = {"web1", "web2", "web3", "web4"};
	struct stage stage;

	(void)state;
	stage_open(&stage, &scan_detector);
	for (uint16_t i = 0; i < 10; i++)
		stage_reset(&stage, i, sources[i % 4], "db", (uint16_t)(1 + i));
	assert_true(stage.found);
	assert_string_equal(stage.last.key, "distributed:shop/db");
	stage_close(&stage);
}

/* A service that many clients know is away: a rolling restart, or a database that is down. */
static void a_service_that_is_away_is_no_scan(void **state)
{
	struct stage stage;

	(void)state;
	stage_open(&stage, &scan_detector);
	for (unsigned int i = 0; i < 30; i++) {
		char client[32];

		snprintf(client, sizeof(client), "web%u", i);
		if (!i)
			stage_session(&stage, 0, 1, client, "db", 5432, 500, 500);
		else
			stage_reset(&stage, i, client, "db", 5432);
	}
	assert_int_equal(stage.found, 0);
	stage_close(&stage);
}

/* Three of eight are dead, and each check tries all of them. */
static void dead_backends_are_no_scan(void **state)
{
	struct stage stage;

	(void)state;
	stage_open(&stage, &scan_detector);
	for (unsigned int round = 0; round < 20; round++)
		for (unsigned int i = 0; i < 8; i++) {
			char backend[32];

			snprintf(backend, sizeof(backend), "app%u", i);
			if (i < 3)
				stage_unanswered(&stage, round * 10, "lb", backend, 8080);
			else
				stage_session(
					&stage, round * 10, 0.1, "lb", backend, 8080, 90, 300);
		}
	assert_int_equal(stage.found, 0);
	stage_close(&stage);
}

/* Of connections that go on, nothing is told but that they began. */
static void silence_is_an_answer(void **state)
{
	struct stage stage;

	(void)state;
	stage_open(&stage, &scan_detector);
	for (uint16_t i = 0; i < 50; i++)
		stage_open_to(&stage, i * 0.1, "prometheus", "app", (uint16_t)(9100 + i));
	for (uint16_t i = 0; i < 6; i++)
		stage_reset(&stage, 60 + i, "prometheus", "db", (uint16_t)(9100 + i));
	assert_int_equal(stage.found, 0);
	stage_close(&stage);
}

static void a_server_late_to_its_clients_is_no_scan(void **state)
{
	struct stage stage;

	(void)state;
	stage_open(&stage, &scan_detector);
	for (uint16_t i = 0; i < 100; i++) {
		struct record record =
			stage_record(&stage, i, "web", "lb", (uint16_t)(40000 + i), FLOW_DENIED);

		record.event.reason = REASON_NO_CONNECTION;
		stage_play(&stage, record);
	}
	assert_int_equal(stage.found, 0);
	stage_close(&stage);
}

static void what_is_remembered_is_bounded(void **state)
{
	struct stage stage;

	(void)state;
	stage_open(&stage, &scan_detector);
	for (unsigned int i = 0; i < 40000; i++) {
		char source[32];

		snprintf(source, sizeof(source), "web%u", i);
		stage_denied(&stage, i * 0.001, source, "db", (uint16_t)(i % 1000 + 1));
	}
	assert_true(stage_state(&stage, "entries") <= stage_state(&stage, "size"));
	assert_true(stage_state(&stage, "evicted") > 0);
	stage_close(&stage);
}

static void a_restart_does_not_help(void **state)
{
	struct stage before, after;
	json_t *saved;

	(void)state;
	stage_open(&before, &scan_detector);
	for (uint16_t i = 0; i < 5; i++)
		stage_reset(&before, i, "web", "db", (uint16_t)(1 + i));
	assert_int_equal(before.found, 0);
	saved = scan_detector.save(before.detector);
	stage_open(&after, &scan_detector);
	assert_int_equal(scan_detector.load(after.detector, saved), 0);
	for (uint16_t i = 5; i < 10; i++)
		stage_reset(&after, i, "web", "db", (uint16_t)(1 + i));
	assert_true(after.found);
	json_decref(saved);
	saved = json_pack("{s:[i]}", "sources", 7);
	assert_int_equal(scan_detector.load(after.detector, saved), -EBADMSG);
	json_decref(saved);
	stage_close(&before);
	stage_close(&after);
}

/* What fails for ever is tried anew by whoever needs it, and with each start of the agent. */
static void the_same_again_after_a_restart_is_no_scan(void **state)
{
	struct stage stage;
	json_t *saved = NULL;

	(void)state;
	for (int start = 0; start < 4; start++) {
		stage_open(&stage, &scan_detector);
		if (saved)
			assert_int_equal(scan_detector.load(stage.detector, saved), 0);
		json_decref(saved);
		for (uint16_t i = 0; i < 5; i++)
			stage_reset(&stage, start * 100 + i, "web", "db", (uint16_t)(1 + i));
		assert_int_equal(stage.found, 0);
		saved = scan_detector.save(stage.detector);
		if (start < 3)
			stage_close(&stage);
	}
	/* Others count. */
	for (uint16_t i = 5; i < 10; i++)
		stage_reset(&stage, 400 + i, "web", "db", (uint16_t)(1 + i));
	assert_true(stage.found);
	json_decref(saved);
	saved = json_pack("{s:[[s, f, i, s]]}", "sources", "7", 1.0, 7, "no bits");
	assert_int_equal(scan_detector.load(stage.detector, saved), -EBADMSG);
	json_decref(saved);
	stage_close(&stage);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_kind_of_failure_is_found_within_ten),
		cmocka_unit_test(slow_ones_are_found),
		cmocka_unit_test(a_good_history_is_little_help),
		cmocka_unit_test(targets_in_a_row_are_horizontal),
		cmocka_unit_test(four_sources_are_found_together),
		cmocka_unit_test(a_service_that_is_away_is_no_scan),
		cmocka_unit_test(dead_backends_are_no_scan),
		cmocka_unit_test(silence_is_an_answer),
		cmocka_unit_test(a_server_late_to_its_clients_is_no_scan),
		cmocka_unit_test(what_is_remembered_is_bounded),
		cmocka_unit_test(a_restart_does_not_help),
		cmocka_unit_test(the_same_again_after_a_restart_is_no_scan),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
