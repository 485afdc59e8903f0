// SPDX-License-Identifier: GPL-2.0-or-later
#include "stage.h"

#define MB 1000000ULL

/* One connection that carries so much by then. */
static void transfer(struct stage *stage, double second, const char *from, const char *to,
	uint16_t port, uint64_t sent, uint64_t received)
{
	stage_open_to(stage, second, from, to, port);
	stage_play(stage, stage_later(stage, second + 30, second, from, to, port, FLOW_UPDATE,
				  (uint64_t[]){1000, 1000}, (uint64_t[]){sent / 2, received / 2}));
	stage_play(stage, stage_later(stage, second + 60, second, from, to, port, FLOW_END,
				  (uint64_t[]){2000, 2000}, (uint64_t[]){sent, received}));
}

static void much_to_the_outside_is_found(void **state)
{
	struct stage stage;

	(void)state;
	stage_open(&stage, &exfiltration_detector);
	transfer(&stage, 0, "db", "203.0.113.9", 22, 90 * MB, 1 * MB);
	assert_int_equal(stage.found, 0);
	transfer(&stage, 100, "db", "203.0.113.9", 22, 90 * MB, 1 * MB);
	assert_true(stage.found);
	assert_int_equal(stage.worst, SEVERITY_MEDIUM);
	assert_int_equal(stage.last.count, 180 * MB);
	assert_string_equal(stage.last.technique, "T1048");
	stage_close(&stage);
}

/* One connection, told every 30 s with so much more each time, of which the first two hours carry
 * next to nothing. */
static void lasting(struct stage *stage, uint64_t sent_each)
{
	uint64_t sent = 0;

	stage_open_to(stage, 0, "db", "203.0.113.9", 22);
	for (int second = 30; second < 3 * 3600; second += 30) {
		sent += second < 2 * 3600 ? 3000 : sent_each;
		stage_play(stage,
			stage_later(stage, second, 0, "db", "203.0.113.9", 22, FLOW_UPDATE,
				(uint64_t[]){(uint64_t)second, 10}, (uint64_t[]){sent, 1000}));
	}
}

static void a_connection_older_than_the_window_is_found(void **state)
{
	struct stage stage;

	(void)state;
	stage_open(&stage, &exfiltration_detector);
	lasting(&stage, 2 * MB);
	assert_true(stage.found);
	assert_true(stage.last.evidence_count > 0);
	stage_close(&stage);
	/* Never so much within a window, however long it lasts. */
	stage_open(&stage, &exfiltration_detector);
	lasting(&stage, MB / 2);
	assert_int_equal(stage.found, 0);
	stage_close(&stage);
}

static void the_web_is_low_while_learning_and_high_after(void **state)
{
	struct stage stage;

	(void)state;
	stage_open(&stage, &exfiltration_detector);
	transfer(&stage, 0, "db", "203.0.113.9", 443, 300 * MB, 1 * MB);
	assert_int_equal(stage.worst, SEVERITY_LOW);
	stage_close(&stage);
	stage_open(&stage, &exfiltration_detector);
	stage.has_learnt = true;
	transfer(&stage, 0, "db", "203.0.113.9", 443, 300 * MB, 1 * MB);
	assert_int_equal(stage.worst, SEVERITY_HIGH);
	stage_close(&stage);
}

static void a_usual_destination_and_an_unusual_hour(void **state)
{
	struct stage stage;

	(void)state;
	stage_open(&stage, &exfiltration_detector);
	stage.has_learnt = true;
	stage.usual_port = 443;
	for (int hour = 0; hour < 30; hour++)
		transfer(&stage, hour * 3600 + 1, "db", "203.0.113.9", 443, 150 * MB, 1 * MB);
	assert_int_equal(stage.found, 0);
	transfer(&stage, 31 * 3600, "db", "203.0.113.9", 443, 2000 * MB, 1 * MB);
	assert_true(stage.found);
	assert_int_equal(stage.worst, SEVERITY_MEDIUM);
	stage_close(&stage);
}

/* Backups inside, downloads, and a service's answers. */
static void others_are_not(void **state)
{
	struct stage stage;

	(void)state;
	stage_open(&stage, &exfiltration_detector);
	transfer(&stage, 0, "db", "backup", 873, 5000 * MB, 1 * MB);
	transfer(&stage, 0, "ci", "203.0.113.9", 443, 20 * MB, 3000 * MB);
	transfer(&stage, 0, "ci", "203.0.113.10", 443, 200 * MB, 100 * MB);
	transfer(&stage, 0, "203.0.113.11", "web", 443, 1 * MB, 900 * MB);
	assert_int_equal(stage.found, 0);
	stage.has_learnt = true;
	stage.usual_port = 873;
	transfer(&stage, 100, "db", "backup", 873, 5000 * MB, 1 * MB);
	assert_int_equal(stage.found, 0);
	stage_close(&stage);
}

static void what_is_remembered_is_bounded(void **state)
{
	struct stage stage;
	char source[32];

	(void)state;
	stage_open(&stage, &exfiltration_detector);
	for (int i = 0; i < 40000; i++) {
		snprintf(source, sizeof(source), "web%d", i);
		stage_session(&stage, i * 0.01, 1, source, "203.0.113.9", 443, 5000, 0);
	}
	assert_true(stage_state(&stage, "entries") <= stage_state(&stage, "size"));
	assert_true(stage_state(&stage, "evicted") > 0);
	stage_close(&stage);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(much_to_the_outside_is_found),
		cmocka_unit_test(a_connection_older_than_the_window_is_found),
		cmocka_unit_test(the_web_is_low_while_learning_and_high_after),
		cmocka_unit_test(a_usual_destination_and_an_unusual_hour),
		cmocka_unit_test(others_are_not),
		cmocka_unit_test(what_is_remembered_is_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
