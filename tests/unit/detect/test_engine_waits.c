/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The engine over the detectors as they are: what one reports of a record that came earlier. */
#include "detect/engine.h"

#include "stage.h"

#define DAY 86400

struct world {
	struct stage stage; /* makes records */
	struct detect_settings settings;
	struct engine *engine;
};

static void feed(struct world *world, struct record record)
{
	engine_record(world->engine, &record);
	record_clear(&record);
}

static void opens(struct world *world, double second, const char *to)
{
	feed(world, stage_record(&world->stage, second, "web", to, 25, FLOW_NEW));
}

/* The latest, which is answered. */
static void goes_on(struct world *world, double second, double started, const char *to,
	enum flow_event_type type)
{
	struct record record = stage_later(&world->stage, second, started, "web", to, 25, type,
		(uint64_t[]){9, 8}, (uint64_t[]){900, 1800});

	feed(world, record);
}

/* Somebody else, so that time goes on. */
static void passes(struct world *world, double second)
{
	feed(world, stage_record(&world->stage, second, "api", "db", 5432, FLOW_NEW));
}

static unsigned int days(struct world *world, const char *to)
{
	struct record record = stage_record(&world->stage, 9 * DAY, "web", to, 25, FLOW_END);
	unsigned int days = baseline_edge_days(engine_baseline(world->engine), &record);

	record_clear(&record);
	return days;
}

/* A week in which web sends mail to the relay. */
static void begin(struct world *world)
{
	struct engine_options options = {.settings = &world->settings};

	memset(world, 0, sizeof(*world));
	assert_int_equal(detect_settings_init(&world->settings), 0);
	assert_int_equal(engine_new(&options, &world->engine, NULL), 0);
	for (int day = 0; day < 8; day++) {
		opens(world, day * DAY, "relay");
		goes_on(world, day * DAY + 1, day * DAY, "relay", FLOW_END);
		passes(world, day * DAY + 10);
	}
	assert_int_equal(engine_alerts(world->engine)->count, 0);
	assert_int_equal(days(world, "relay"), 8);
}

static void end(struct world *world)
{
	engine_free(world->engine);
	detect_settings_clear(&world->settings);
}

static void test_what_is_told_late_is_not_learnt(void **state)
{
	struct world world;

	(void)state;
	begin(&world);
	opens(&world, 8 * DAY, "mail");
	passes(&world, 8 * DAY + 6);
	world.stage.last_id--;
	assert_int_equal(engine_alerts(world.engine)->count, 1);
	assert_string_equal(engine_alerts(world.engine)->by_age->detector, "new_edge");
	goes_on(&world, 8 * DAY + 10, 8 * DAY, "mail", FLOW_UPDATE);
	assert_int_equal(days(&world, "mail"), 0);
	assert_int_equal(days(&world, "relay"), 8);
	end(&world);
}

/* It is over, and learnt, before it is told; the second one belongs to an alert that was raised
 * before. */
static void test_what_was_learnt_meanwhile_is_forgotten(void **state)
{
	static const char *const targets[] = {"mail", "files"};
	struct world world;

	(void)state;
	begin(&world);
	for (int i = 0; i < 2; i++) {
		double second = 8 * DAY + 20 * i;

		opens(&world, second, targets[i]);
		goes_on(&world, second + 1, second, targets[i], FLOW_END);
		assert_int_equal(days(&world, targets[i]), 1);
		passes(&world, second + 6);
		assert_int_equal(engine_alerts(world.engine)->count, 1);
		assert_int_equal(days(&world, targets[i]), 0);
	}
	assert_int_equal(engine_alerts(world.engine)->by_age->reports, 2);
	assert_int_equal(days(&world, "relay"), 8);
	end(&world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_is_told_late_is_not_learnt),
		cmocka_unit_test(test_what_was_learnt_meanwhile_is_forgotten),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
