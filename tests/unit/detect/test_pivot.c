// SPDX-License-Identifier: GPL-2.0-or-later
#include "stage.h"

/* Time goes on, so that what waits is judged. */
static void wait_until(struct stage *stage, double second)
{
	stage_session(stage, second, 0.1, "nobody", "elsewhere", 9, 10, 10);
}

static void two_hops_are_one_chain(void **state)
{
	struct stage stage;

	(void)state;
	stage_open(&stage, &pivot_detector);
	stage_open_to(&stage, 0, "intruder", "web", 8022);
	stage_open_to(&stage, 0.01, "web", "api", 8023);
	stage_open_to(&stage, 0.02, "api", "ops", 22);
	assert_int_equal(stage.found, 0);
	wait_until(&stage, 6);
	assert_true(stage.found);
	assert_string_equal(stage.actor, "shop/api");
	assert_string_equal(stage.origin, "shop/intruder");
	assert_non_null(strstr(stage.last.sentence, "shop/intruder -tcp/8022-> shop/web"));
	assert_int_equal(stage.worst, SEVERITY_HIGH);
	stage_close(&stage);
}

static void ssh_through_a_workload_is_found(void **state)
{
	struct stage stage;

	(void)state;
	stage_open(&stage, &pivot_detector);
	stage_open_to(&stage, 0, "web", "jump", 22);
	stage_open_to(&stage, 60, "jump", "db", 22);
	wait_until(&stage, 66);
	assert_string_equal(stage.last.technique, "T1021.004");
	assert_int_equal(stage.worst, SEVERITY_MEDIUM);
	stage_close(&stage);
}

static void each_chain_begins_anew(void **state)
{
	struct stage stage;

	(void)state;
	stage_open(&stage, &pivot_detector);
	for (int day = 0; day < 3; day++) {
		double second = day * 86400;

		stage_open_to(&stage, second, "web", "jump", 22);
		stage_open_to(&stage, second + 60, "jump", "db", 22);
		wait_until(&stage, second + 66);
		assert_int_equal(stage.found, day + 1);
		assert_int_equal(stage.last.count, 1);
		assert_int_equal(stage.last.first_ns, BEGIN + (uint64_t)(second + 60) * SECOND);
	}
	stage_close(&stage);
}

static void a_proxy_leads_anywhere(void **state)
{
	struct stage stage;

	(void)state;
	stage_open(&stage, &pivot_detector);
	stage_open_to(&stage, 0, "web", "proxy", 1080);
	stage_open_to(&stage, 0.1, "proxy", "db", 5432);
	wait_until(&stage, 6);
	assert_string_equal(stage.last.technique, "T1090.001");
	stage_close(&stage);
}

/* Three tiers and a load balancer do nothing else all day. */
static void tiers_are_no_chain(void **state)
{
	struct stage stage;

	(void)state;
	stage_open(&stage, &pivot_detector);
	for (int i = 0; i < 50; i++) {
		stage_open_to(&stage, i, "lb", "web", 80);
		stage_open_to(&stage, i + 0.01, "web", "api", 8080);
		stage_open_to(&stage, i + 0.02, "api", "db", 5432);
	}
	wait_until(&stage, 60);
	assert_int_equal(stage.found, 0);
	stage_close(&stage);
}

static void who_was_turned_away_is_no_cause(void **state)
{
	struct stage stage;

	(void)state;
	stage_open(&stage, &pivot_detector);
	stage.has_learnt = true;
	stage_reset(&stage, 0, "scanner", "ops", 22);
	stage_open_to(&stage, 0.5, "ops", "db", 22);
	wait_until(&stage, 6);
	assert_int_equal(stage.found, 0);
	stage_close(&stage);
}

/* Monitoring pings everybody, and everybody then goes on with what he does. */
static void a_ping_is_no_session(void **state)
{
	struct stage stage;
	struct record ping;

	(void)state;
	stage_open(&stage, &pivot_detector);
	ping = stage_record(&stage, 0, "monitor", "ops", 0, FLOW_NEW);
	ping.event.protocol = IPPROTO_ICMP;
	stage_play(&stage, ping);
	stage_open_to(&stage, 0.5, "ops", "web", 22);
	wait_until(&stage, 6);
	assert_int_equal(stage.found, 0);
	stage_close(&stage);
}

/* Somebody has a look at a machine that asks its database all day. */
static void habits_are_no_effect(void **state)
{
	struct stage stage;

	(void)state;
	stage_open(&stage, &pivot_detector);
	stage_open_to(&stage, 0, "reader", "db", 5432);
	stage_open_to(&stage, 10, "admin", "reader", 22);
	stage_open_to(&stage, 11, "reader", "db", 5432);
	wait_until(&stage, 17);
	assert_int_equal(stage.found, 0);
	stage_open_to(&stage, 18, "reader", "cache", 6379);
	wait_until(&stage, 24);
	assert_int_equal(stage.found, 1);
	/* What has been found out is no habit by being done again. */
	stage_open_to(&stage, 300, "admin", "reader", 22);
	stage_open_to(&stage, 301, "reader", "cache", 6379);
	wait_until(&stage, 307);
	assert_int_equal(stage.found, 2);
	stage_close(&stage);
}

/* Something new behind a customer of every day is new_edge's. */
static void usual_visits_are_no_cause(void **state)
{
	struct stage stage;

	(void)state;
	stage_open(&stage, &pivot_detector);
	stage.has_learnt = true;
	stage.usual_port = 80;
	stage_open_to(&stage, 0, "lb", "web", 80);
	stage_open_to(&stage, 1, "web", "db", 5432);
	wait_until(&stage, 7);
	assert_int_equal(stage.found, 0);
	stage_close(&stage);
}

static void what_is_remembered_is_bounded(void **state)
{
	struct stage stage;
	char target[32];

	(void)state;
	stage_open(&stage, &pivot_detector);
	for (int i = 0; i < 20000; i++) {
		snprintf(target, sizeof(target), "web%d", i);
		stage_open_to(&stage, i * 0.0001, "ops", target, 22);
		stage_open_to(&stage, i * 0.0001, target, "db", 22);
	}
	assert_int_equal(stage_state(&stage, "entries"), stage_state(&stage, "size"));
	assert_true(stage_state(&stage, "evicted") > 0);
	stage_close(&stage);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(two_hops_are_one_chain),
		cmocka_unit_test(ssh_through_a_workload_is_found),
		cmocka_unit_test(each_chain_begins_anew),
		cmocka_unit_test(a_proxy_leads_anywhere),
		cmocka_unit_test(tiers_are_no_chain),
		cmocka_unit_test(who_was_turned_away_is_no_cause),
		cmocka_unit_test(a_ping_is_no_session),
		cmocka_unit_test(habits_are_no_effect),
		cmocka_unit_test(usual_visits_are_no_cause),
		cmocka_unit_test(what_is_remembered_is_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
