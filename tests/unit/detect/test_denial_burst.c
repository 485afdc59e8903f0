// SPDX-License-Identifier: GPL-2.0-or-later
#include "stage.h"

static void refuse(
	struct stage *stage, double second, const char *from, uint64_t packets, enum reason reason)
{
	struct record record = stage_record(stage, second, from, "db", 5432, FLOW_DENIED);

	record.event.packets[0] = packets;
	record.event.reason = reason;
	stage_play(stage, record);
}

static void a_burst_is_found(void **state)
{
	struct stage stage;

	(void)state;
	stage_open(&stage, &denial_burst_detector);
	for (int i = 0; i < 6; i++)
		refuse(&stage, i, "web", 100, REASON_POLICY_DENIED);
	assert_true(stage.found);
	assert_int_equal(stage.worst, SEVERITY_MEDIUM);
	assert_string_equal(stage.last.technique, "T1498");
	stage_close(&stage);
}

static void what_is_usual_is_not(void **state)
{
	struct stage stage;

	(void)state;
	stage_open(&stage, &denial_burst_detector);
	for (int i = 0; i < 100; i++)
		refuse(&stage, i * 10, "web", 200, REASON_POLICY_DENIED);
	for (int i = 100; i < 200; i++)
		refuse(&stage, i * 10, "web", 800, REASON_POLICY_DENIED);
	assert_int_equal(stage.found, 0);
	refuse(&stage, 2000, "web", 20000, REASON_POLICY_DENIED);
	assert_true(stage.found);
	stage_close(&stage);
}

/* Retries of a locked out service; deny lists and quarantine, which are there to refuse; the world.
 */
static void others_are_not(void **state)
{
	struct stage stage;

	(void)state;
	stage_open(&stage, &denial_burst_detector);
	for (int i = 0; i < 600; i++)
		refuse(&stage, i, "web", 7, REASON_POLICY_DENIED);
	refuse(&stage, 600, "web", 5000, REASON_DENY_LIST);
	refuse(&stage, 601, "api", 5000, REASON_QUARANTINED);
	refuse(&stage, 602, "203.0.113.9", 5000, REASON_POLICY_DENIED);
	assert_int_equal(stage.found, 0);
	stage_close(&stage);
}

static void what_is_remembered_is_bounded(void **state)
{
	struct stage stage;
	char source[32];

	(void)state;
	stage_open(&stage, &denial_burst_detector);
	for (int i = 0; i < 20000; i++) {
		snprintf(source, sizeof(source), "web%d", i);
		refuse(&stage, i, source, 1, REASON_POLICY_DENIED);
	}
	assert_int_equal(stage_state(&stage, "entries"), stage_state(&stage, "size"));
	assert_true(stage_state(&stage, "evicted") > 0);
	stage_close(&stage);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_burst_is_found),
		cmocka_unit_test(what_is_usual_is_not),
		cmocka_unit_test(others_are_not),
		cmocka_unit_test(what_is_remembered_is_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
