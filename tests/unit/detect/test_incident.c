/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which alerts are one story. */
#include "fake_world.h"

#include <utlist.h>

static int alerts_of(const struct incident *incident)
{
	const struct alert *alert;
	int count;

	DL_COUNT2(incident->alerts, alert, count, incident_next);
	return count;
}

static void test_story(void **state)
{
	struct world world;
	struct alerts *alerts;

	(void)state;
	begin(&world);
	alerts = engine_alerts(world.engine);
	feed(&world, 0, "web", "db", 1, FLOW_NEW);   /* scans, … */
	feed(&world, 1, "web", "api", 22, FLOW_NEW); /* enters, … */
	feed(&world, 2, "api", "db", 23, FLOW_NEW);  /* and goes on from there */
	feed(&world, 3, "cron", "db", 1, FLOW_NEW);  /* somebody else */
	feed(&world, 4, "db", "mail", 1, FLOW_NEW);  /* was looked at and then entered */
	assert_int_equal(alerts->count, 5);
	assert_int_equal(alerts->incidents.count, 2);
	assert_int_equal(alerts_of(alerts->incidents.by_age), 1);
	assert_int_equal(alerts_of(alerts->incidents.by_age->next), 4);
	assert_int_equal(incident_severity(alerts->incidents.by_age), SEVERITY_MEDIUM);
	assert_int_equal(incident_severity(alerts->incidents.by_age->next), SEVERITY_CRITICAL);
	end(&world);
}

/* Sentence and target are of the same report, and whoever was got into later is in the story. */
static void test_the_target_follows(void **state)
{
	struct world world;
	struct alerts *alerts;

	(void)state;
	begin(&world);
	alerts = engine_alerts(world.engine);
	feed(&world, 0, "web", "api", 22, FLOW_NEW);
	feed(&world, 1, "web", "db", 22, FLOW_NEW);
	assert_string_equal(only(&world)->target.id, "shop/db");
	for (int i = 0; i < 2; i++)
		feed(&world, 2 + i, i ? "db" : "api", "mail", 1, FLOW_NEW);
	assert_int_equal(alerts->count, 3);
	assert_int_equal(alerts->incidents.count, 1);
	end(&world);
}

static void test_a_story_of_too_many(void **state)
{
	struct world world;
	char name[16];

	(void)state;
	begin(&world);
	for (int i = 0; i < 70; i++) {
		snprintf(name, sizeof(name), "h%d", i);
		feed(&world, i, "web", name, 22, FLOW_NEW);
	}
	assert_int_equal(engine_alerts(world.engine)->incidents.parties_turned_away, 6);
	assert_int_equal(engine_alerts(world.engine)->incidents.by_age->reached.count, 64);
	end(&world);
}

static void test_being_scanned_is_no_guilt(void **state)
{
	struct world world;

	(void)state;
	begin(&world);
	feed(&world, 0, "web", "db", 1, FLOW_NEW);
	feed(&world, 1, "db", "mail", 1, FLOW_NEW);
	assert_int_equal(engine_alerts(world.engine)->incidents.count, 2);
	end(&world);
}

static void test_stories_join(void **state)
{
	struct world world;
	struct alerts *alerts;

	(void)state;
	begin(&world);
	alerts = engine_alerts(world.engine);
	feed(&world, 0, "web", "db", 1, FLOW_NEW);
	feed(&world, 1, "api", "db", 1, FLOW_NEW);
	assert_int_equal(alerts->incidents.count, 2);
	feed(&world, 2, "web", "api", 22, FLOW_NEW);
	feed(&world, 3, "api", "mail", 22, FLOW_NEW);
	assert_int_equal(alerts->incidents.count, 1);
	assert_int_equal(alerts_of(alerts->incidents.by_age), 4);
	end(&world);
}

/* Who it was that came in may be known later only, when both have a story of their own. */
static void test_an_origin_joins(void **state)
{
	struct record record = fake_record(2, "api", "mail", 23, FLOW_NEW);
	struct world world;
	struct alerts *alerts;

	(void)state;
	begin(&world);
	alerts = engine_alerts(world.engine);
	feed(&world, 0, "9.9.9.5", "db", 1, FLOW_NEW);
	feed(&world, 1, "api", "mail", 23, FLOW_NEW);
	assert_int_equal(alerts->incidents.count, 2);
	record.event.source_port = 5;
	engine_record(world.engine, &record);
	assert_int_equal(alerts->count, 2);
	assert_int_equal(alerts->incidents.count, 1);
	assert_int_equal(alerts_of(alerts->incidents.by_age), 2);
	assert_string_equal(alerts->incidents.by_age->actors.ids[0], "9.9.9.5");
	record_clear(&record);
	end(&world);
}

static void test_campaign_ends(void **state)
{
	struct world world;

	(void)state;
	begin(&world);
	feed(&world, 0, "web", "db", 1, FLOW_NEW);
	feed(&world, 7 * 3600, "web", "db", 1, FLOW_NEW);
	assert_int_equal(engine_alerts(world.engine)->incidents.count, 2);
	end(&world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_story),
		cmocka_unit_test(test_the_target_follows),
		cmocka_unit_test(test_a_story_of_too_many),
		cmocka_unit_test(test_being_scanned_is_no_guilt),
		cmocka_unit_test(test_stories_join),
		cmocka_unit_test(test_an_origin_joins),
		cmocka_unit_test(test_campaign_ends),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
