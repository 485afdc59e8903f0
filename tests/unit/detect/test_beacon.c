// SPDX-License-Identifier: GPL-2.0-or-later
#include "stage.h"

/* Calls every interval, shaken by up to a share either way, the same in each run. */
static void call(struct stage *stage, const char *from, const char *to, uint16_t port,
	double interval, double jitter, unsigned int count)
{
	uint64_t random = 88172645463325252ULL;
	double second = 0;

	for (unsigned int i = 0; i < count; i++) {
		stage_open_to(stage, second, from, to, port);
		random ^= random << 13;
		random ^= random >> 7;
		random ^= random << 17;
		second += interval * (1 + jitter * ((double)(random % 2001) / 1000 - 1));
	}
}

static void shaken_calls_to_the_outside_are_found(void **state)
{
	struct stage stage;

	(void)state;
	stage_open(&stage, &beacon_detector);
	call(&stage, "web", "203.0.113.9", 443, 60, 0.2, 13);
	assert_true(stage.found);
	assert_int_equal(stage.worst, SEVERITY_MEDIUM);
	assert_string_equal(stage.last.technique, "T1071");
	stage_close(&stage);
}

static void clockwork_to_the_outside_is_low(void **state)
{
	struct stage stage;

	(void)state;
	stage_open(&stage, &beacon_detector);
	call(&stage, "web", "203.0.113.9", 443, 60, 0.005, 30);
	assert_int_equal(stage.kinds, 1);
	assert_int_equal(stage.worst, SEVERITY_LOW);
	stage_close(&stage);
}

static void what_is_new_is_worse(void **state)
{
	struct stage stage;

	(void)state;
	stage_open(&stage, &beacon_detector);
	stage.has_learnt = true;
	call(&stage, "web", "203.0.113.9", 443, 60, 0.2, 14);
	assert_int_equal(stage.worst, SEVERITY_HIGH);
	stage_close(&stage);
	stage_open(&stage, &beacon_detector);
	stage.has_learnt = true;
	call(&stage, "web", "db", 4444, 60, 0.2, 14);
	assert_int_equal(stage.worst, SEVERITY_MEDIUM);
	stage_close(&stage);
}

/* Load, people, clockwork inside, time and names, and what the role always did. */
static void others_are_not(void **state)
{
	struct stage stage;

	(void)state;
	stage_open(&stage, &beacon_detector);
	call(&stage, "web", "203.0.113.9", 443, 60, 0.9, 30);
	call(&stage, "api", "203.0.113.9", 443, 0.5, 0.1, 30);
	call(&stage, "prometheus", "app", 9100, 15, 0.01, 50);
	call(&stage, "web", "203.0.113.10", 123, 64, 0.01, 50);
	call(&stage, "web", "203.0.113.11", 53, 64, 0.01, 50);
	stage.has_learnt = true;
	stage.usual_port = 8443;
	call(&stage, "api", "203.0.113.12", 8443, 60, 0.1, 50);
	assert_int_equal(stage.found, 0);
	stage_close(&stage);
}

static void what_is_remembered_is_bounded(void **state)
{
	struct stage stage;
	char source[32];

	(void)state;
	stage_open(&stage, &beacon_detector);
	for (int i = 0; i < 20000; i++) {
		snprintf(source, sizeof(source), "web%d", i);
		stage_open_to(&stage, i, source, "203.0.113.9", 443);
	}
	assert_true(stage_state(&stage, "entries") <= stage_state(&stage, "size"));
	assert_true(stage_state(&stage, "evicted") > 0);
	stage_close(&stage);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(shaken_calls_to_the_outside_are_found),
		cmocka_unit_test(clockwork_to_the_outside_is_low),
		cmocka_unit_test(what_is_new_is_worse),
		cmocka_unit_test(others_are_not),
		cmocka_unit_test(what_is_remembered_is_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
