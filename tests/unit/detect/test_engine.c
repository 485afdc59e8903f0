/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The engine over detectors whose findings are known: alerts, baseline, state. */
#include "fake_world.h"

#define DAY 86400.0

/* --- alerts -------------------------------------------------------------------------------------
 */

static void test_one_alert(void **state)
{
	struct world world;
	struct alert *alert;

	(void)state;
	begin(&world);
	for (int i = 0; i < 5; i++)
		feed(&world, i, "web", "db", 1, FLOW_NEW);
	alert = only(&world);
	assert_string_equal(alert->detector, "touch");
	assert_string_equal(alert->actor.id, "shop/web");
	assert_string_equal(alert->target.id, "shop/db");
	assert_int_equal(alert->reports, 5);
	assert_int_equal(alert->evidence_count, 5);
	assert_int_equal(alert->raised_ns % 1000, 0);
	assert_int_equal(world.told.count, 1);
	assert_int_equal(world.told.last, ALERT_RAISED);
	/* Another actor is another alert. */
	feed(&world, 5, "api", "db", 1, FLOW_NEW);
	assert_int_equal(engine_alerts(world.engine)->count, 2);
	end(&world);
}

static void test_news(void **state)
{
	struct world world;

	(void)state;
	begin(&world);
	for (int i = 0; i < 6; i++)
		feed(&world, i, "web", "db", 1, FLOW_NEW);
	assert_int_equal(world.told.count, 2);
	assert_int_equal(world.told.last, ALERT_WORSE);
	assert_int_equal(only(&world)->severity, SEVERITY_HIGH);
	feed(&world, 30, "web", "db", 1, FLOW_NEW);
	assert_int_equal(world.told.count, 2);
	feed(&world, 90, "web", "db", 1, FLOW_NEW);
	assert_int_equal(world.told.count, 3);
	assert_int_equal(world.told.last, ALERT_GOES_ON);
	end(&world);
}

static void test_quiet_closes(void **state)
{
	struct world world;
	char first[ALERT_ID_LENGTH + 1];

	(void)state;
	begin(&world);
	feed(&world, 0, "web", "db", 1, FLOW_NEW);
	memcpy(first, only(&world)->id, sizeof(first));
	feed(&world, 3599, "web", "db", 1, FLOW_NEW);
	assert_int_equal(only(&world)->reports, 2);
	feed(&world, 3599 + 3601, "web", "db", 1, FLOW_NEW);
	assert_int_equal(engine_alerts(world.engine)->count, 2);
	assert_false(alerts_find(engine_alerts(world.engine), first)->open);
	assert_true(engine_alerts(world.engine)->by_age->prev->open);
	end(&world);
}

static void test_evidence_keeps_both_ends(void **state)
{
	const struct alert *alert;
	struct world world;
	uint64_t first;

	(void)state;
	begin(&world);
	feed(&world, 0, "web", "db", 1, FLOW_NEW);
	first = only(&world)->evidence[0];
	for (int i = 1; i < 100; i++)
		feed(&world, i, "web", "db", 1, FLOW_NEW);
	alert = only(&world);
	assert_int_equal(alert->evidence_count, ALERT_EVIDENCE_MAX);
	assert_int_equal(alert->evidence[0], first);
	assert_int_equal(alert->evidence[ALERT_EVIDENCE_MAX - 1], first + 99);
	end(&world);
}

static void test_mute(void **state)
{
	struct world world;
	struct mute mute = {.since_ns = BEGIN, .until_ns = BEGIN + 100 * SECOND};
	struct alerts *alerts;

	(void)state;
	begin(&world);
	alerts = engine_alerts(world.engine);
	assert_int_equal(mutes_add(&alerts->mutes, &mute, NULL), -EINVAL);
	mute.actor = strdup("shop/web");
	mute.reason = strdup("a drill");
	mute.user = strdup("alice");
	assert_int_equal(mutes_add(&alerts->mutes, &mute, NULL), 0);
	feed(&world, 0, "web", "db", 1, FLOW_NEW);
	assert_true(only(&world)->muted);
	assert_int_equal(world.told.count, 0);
	/* When it ends, what goes on is news. */
	feed(&world, 101, "web", "db", 1, FLOW_NEW);
	assert_false(only(&world)->muted);
	assert_int_equal(world.told.count, 1);
	assert_int_equal(world.told.last, ALERT_RAISED);
	end(&world);
}

/* A person ends it, and somebody looks at the list before the next report; or the agent starts
 * again. */
static void test_unmute(void **state)
{
	(void)state;
	for (int restart = 0; restart < 2; restart++) {
		struct mute mute = {.since_ns = BEGIN, .until_ns = BEGIN + 100 * SECOND};
		struct world worlds[2], *world = &worlds[0];
		struct alerts *alerts;
		json_t *saved;

		begin(world);
		alerts = engine_alerts(world->engine);
		mute.actor = strdup("shop/web");
		mute.reason = strdup("a drill");
		mute.user = strdup("alice");
		assert_int_equal(mutes_add(&alerts->mutes, &mute, NULL), 0);
		feed(world, 0, "web", "db", 1, FLOW_NEW);
		mutes_clear(&alerts->mutes);
		alerts_mute(alerts, BEGIN + 2 * SECOND);
		assert_false(only(world)->muted);
		assert_int_equal(world->told.count, 0);
		if (restart) {
			saved = alerts_save(alerts);
			end(world);
			begin(++world);
			assert_int_equal(alerts_load(engine_alerts(world->engine), saved), 0);
			json_decref(saved);
		}
		feed(world, 3, "web", "db", 1, FLOW_NEW);
		assert_int_equal(world->told.count, 1);
		assert_int_equal(world->told.last, ALERT_RAISED);
		feed(world, 4, "web", "db", 1, FLOW_NEW);
		assert_int_equal(world->told.count, 1);
		end(world);
	}
}

static void test_bound(void **state)
{
	struct world world;
	struct alerts *alerts;

	(void)state;
	begin(&world);
	alerts = engine_alerts(world.engine);
	alerts->options.alerts_max = 4;
	feed(&world, 0, "web", "db", 23, FLOW_NEW);
	for (int i = 0; i < 8; i++) {
		char name[16];

		snprintf(name, sizeof(name), "w%d", i);
		feed(&world, 1 + i, name, "db", 1, FLOW_NEW);
	}
	assert_int_equal(alerts->count, 4);
	assert_int_equal(alerts->evicted, 5);
	assert_int_equal(alerts->incidents.count, 4);
	/* The more severe one outlived what came after it. */
	assert_string_equal(alerts->by_age->detector, "pivot");
	end(&world);
}

/* --- the same offline ---------------------------------------------------------------------------
 */

static json_t *found(struct world *world)
{
	return alerts_save(engine_alerts(world->engine));
}

static void test_offline_is_live(void **state)
{
	struct world live, offline;
	struct name *node = name_new(NULL, json_string("n"));
	struct writer writer = WRITER_INIT;
	json_t *a, *b;

	(void)state;
	begin(&live);
	begin(&offline);
	for (int i = 0; i < 400; i++) {
		static const uint16_t ports[] = {1, 22, 80, 23, 443};
		static const char *const names[] = {"web", "api", "db", "9.9.9.9", "mail", "cron"};
		struct record record = fake_record(i * 3607.1234567, names[i % 6],
			names[(i * 5 + 1) % 6], ports[i % 5], i % 3 ? FLOW_NEW : FLOW_END);
		json_t *json = record_to_json(&record, node, &writer);

		engine_record(live.engine, &record);
		assert_int_equal(engine_json(offline.engine, json), 0);
		json_decref(json);
		record_clear(&record);
	}
	a = found(&live);
	b = found(&offline);
	assert_true(json_array_size(json_object_get(a, "alerts")) > 10);
	assert_true(json_equal(a, b));
	json_decref(a);
	json_decref(b);
	writer_clear(&writer);
	name_release(node);
	end(&live);
	end(&offline);
}

static void test_what_is_no_record(void **state)
{
	struct world world;
	json_t *json = json_pack("{s:s, s:s, s:s, s:{s:s, s:i, s:[]}, s:{s:{}, s:i}, s:i}", "event",
		"new", "time", "2027-01-15T08:00:00Z", "protocol", "tcp", "source", "ip",
		"10.0.0.1", "workload", 7, "labels", "destination", "workload", "namespace", 7,
		"id", 7);

	(void)state;
	begin(&world);
	assert_int_equal(engine_json(world.engine, json), 0);
	json_decref(json);
	json = json_array();
	assert_int_equal(engine_json(world.engine, json), -EINVAL);
	json_decref(json);
	end(&world);
}

/* --- the state ----------------------------------------------------------------------------------
 */

static void test_restart(void **state)
{
	struct world before, after;
	json_t *alerts, *again, *detectors_state;

	(void)state;
	begin(&before);
	feed(&before, 0, "web", "db", 1, FLOW_NEW);
	feed(&before, 1, "web", "api", 22, FLOW_NEW);
	feed(&before, 2, "9.9.9.9", "api", 22, FLOW_NEW);
	assert_int_equal(alert_acknowledge(engine_alerts(before.engine),
				 engine_alerts(before.engine)->by_age, "alice", "seen", BEGIN),
		0);
	alerts = found(&before);
	detectors_state = engine_save(before.engine);
	end(&before);

	begin(&after);
	assert_int_equal(alerts_load(engine_alerts(after.engine), alerts), 0);
	assert_int_equal(engine_load(after.engine, detectors_state, NULL), 0);
	again = found(&after);
	assert_true(json_equal(alerts, again));
	/* What goes on belongs to the alert that was there, and to its story. */
	feed(&after, 10, "web", "api", 22, FLOW_NEW);
	assert_int_equal(engine_alerts(after.engine)->count, 3);
	assert_int_equal(engine_alerts(after.engine)->incidents.count, 2);
	/* Two came into api: whose story this is, nobody can tell. */
	feed(&after, 11, "api", "db", 23, FLOW_NEW);
	assert_int_equal(engine_alerts(after.engine)->incidents.count, 1);
	end(&after);
	json_decref(alerts);
	json_decref(again);
	json_decref(detectors_state);
}

/* The one that is quiet for longest makes room first, after a restart, too. */
static void test_restart_keeps_the_order(void **state)
{
	struct world before, after;
	json_t *alerts;

	(void)state;
	begin(&before);
	feed(&before, 0, "web", "db", 1, FLOW_NEW);
	feed(&before, 1, "cron", "db", 1, FLOW_NEW);
	feed(&before, 2, "web", "api", 23, FLOW_NEW);
	assert_string_equal(
		engine_alerts(before.engine)->incidents.by_age->actors.ids[0], "shop/cron");
	alerts = found(&before);
	end(&before);
	begin(&after);
	assert_int_equal(alerts_load(engine_alerts(after.engine), alerts), 0);
	assert_int_equal(engine_alerts(after.engine)->incidents.count, 2);
	assert_string_equal(
		engine_alerts(after.engine)->incidents.by_age->actors.ids[0], "shop/cron");
	end(&after);
	json_decref(alerts);
}

static void test_damaged_state(void **state)
{
	struct world world;
	json_t *json = json_pack("{s:[{s:s}, n], s:[{}]}", "alerts", "id", "x", "mutes");

	(void)state;
	begin(&world);
	assert_int_equal(alerts_load(engine_alerts(world.engine), json), -EBADMSG);
	assert_int_equal(alerts_load(engine_alerts(world.engine), NULL), -EBADMSG);
	json_decref(json);
	json = json_pack("{s:s}", "touch", "x");
	assert_int_equal(engine_load(world.engine, json, NULL), -EBADMSG);
	json_decref(json);
	end(&world);
}

/* --- the baseline -------------------------------------------------------------------------------
 */

static void test_learning(void **state)
{
	struct world world;

	(void)state;
	begin(&world);
	for (int day = 0; day < 8; day++)
		feed(&world, day * DAY, "web", "db", 5432, FLOW_END);
	assert_int_equal(engine_alerts(world.engine)->count, 0);
	/* An attempt that is not answered is as new as one that is. */
	feed(&world, 8 * DAY, "web", "mail", 25, FLOW_NEW);
	assert_string_equal(only(&world)->detector, "novel");
	/* And does not become usual by lasting, … */
	for (int i = 0; i < 50; i++)
		feed(&world, 8 * DAY + 60 * i, "web", "mail", 25, FLOW_END);
	assert_int_equal(only(&world)->reports, 51);
	/* … but by somebody who says so. */
	baseline_release(engine_baseline(world.engine), only(&world)->id);
	assert_int_equal(
		alert_acknowledge(engine_alerts(world.engine), only(&world), "alice", NULL, 1), 0);
	feed(&world, 8 * DAY + 3001, "web", "mail", 25, FLOW_END);
	feed(&world, 8 * DAY + 3002, "web", "mail", 25, FLOW_END);
	assert_int_equal(only(&world)->reports, 52);
	end(&world);
}

static void test_suspects_teach_nothing(void **state)
{
	struct world world;
	struct record record = fake_record(3, "web", "mail", 25, FLOW_END);

	(void)state;
	begin(&world);
	feed(&world, 0, "web", "db", 5432, FLOW_END);
	feed(&world, 1, "web", "db", 1, FLOW_NEW); /* medium */
	feed(&world, 2, "web", "mail", 25, FLOW_END);
	assert_int_equal(baseline_edge_days(engine_baseline(world.engine), &record), 0);
	record_clear(&record);
	record = fake_record(3, "web", "db", 5432, FLOW_END);
	assert_int_equal(baseline_edge_days(engine_baseline(world.engine), &record), 1);
	record_clear(&record);
	end(&world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_one_alert),
		cmocka_unit_test(test_news),
		cmocka_unit_test(test_quiet_closes),
		cmocka_unit_test(test_evidence_keeps_both_ends),
		cmocka_unit_test(test_mute),
		cmocka_unit_test(test_unmute),
		cmocka_unit_test(test_bound),
		cmocka_unit_test(test_offline_is_live),
		cmocka_unit_test(test_what_is_no_record),
		cmocka_unit_test(test_restart),
		cmocka_unit_test(test_restart_keeps_the_order),
		cmocka_unit_test(test_damaged_state),
		cmocka_unit_test(test_learning),
		cmocka_unit_test(test_suspects_teach_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
