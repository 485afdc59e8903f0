/* SPDX-License-Identifier: GPL-2.0-or-later */
/* When records that wait for each other come to the detection engine. */
#include "backlog.h"

#include "base/cleanup.h"
#include "json.h"

#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#define TOGETHER 64

struct world {
	sd_event *event;
	struct detect_settings settings;
	struct engine *engine;
	struct backlog *backlog;
	uint64_t added;
	json_int_t seen; /* that the engine had when another source's turn came */
};

static int begin(void **state)
{
	static struct world world;
	const struct engine_options options = {.settings = &world.settings};

	memset(&world, 0, sizeof(world));
	assert_true(sd_event_new(&world.event) >= 0);
	assert_int_equal(detect_settings_init(&world.settings), 0);
	assert_int_equal(engine_new(&options, &world.engine, NULL), 0);
	assert_int_equal(backlog_new(world.event, world.engine, &world.backlog, NULL), 0);
	*state = &world;
	return 0;
}

static int end(void **state)
{
	struct world *world = *state;

	backlog_free(world->backlog);
	engine_free(world->engine);
	detect_settings_clear(&world->settings);
	sd_event_unref(world->event);
	return 0;
}

static void add(struct world *world, unsigned int count)
{
	for (; count; count--) {
		struct record record = {
			.event = {.type = FLOW_NEW,
				.id = ++world->added,
				.protocol = IPPROTO_TCP,
				.destination_port = 443},
			.source = name_new(NULL, json_pack("{s:s}", "workload", "web")),
		};

		backlog_add(world->backlog, &record);
		record_clear(&record); /* it is a copy that waits */
	}
}

static json_int_t heard(const struct world *world)
{
	_cleanup_json_ json_t *json = engine_describe(world->engine);

	return json_integer_value(json_object_get(json, "records"));
}

static int note_count(sd_event_source *source, void *userdata)
{
	struct world *world = userdata;

	(void)source;
	world->seen = heard(world);
	return 0;
}

static void test_some_wait_until_they_are_many(void **state)
{
	struct world *world = *state;

	add(world, TOGETHER);
	assert_int_equal(heard(world), 0);
	add(world, 1);
	assert_int_equal(heard(world), TOGETHER);
}

static void test_none_waits_when_the_engine_is_asked(void **state)
{
	struct world *world = *state;

	add(world, 3);
	backlog_settle(world->backlog);
	assert_int_equal(heard(world), 3);
	backlog_settle(world->backlog);
	assert_int_equal(heard(world), 3);
}

static void test_the_event_loop_turns_to_them_first(void **state)
{
	struct world *world = *state;
	sd_event_source *other;

	/* It was there before, and is due, too. */
	assert_true(sd_event_add_defer(world->event, &other, note_count, world) >= 0);
	add(world, 5);
	while (sd_event_run(world->event, 0) > 0)
		;
	assert_int_equal(heard(world), 5);
	assert_int_equal(world->seen, 5);
	sd_event_source_unref(other);
	/* And again. */
	add(world, 2);
	while (sd_event_run(world->event, 0) > 0)
		;
	assert_int_equal(heard(world), 7);
}

static void test_the_last_are_handed_over_at_the_end(void **state)
{
	struct world *world = *state;

	add(world, 4);
	backlog_free(world->backlog);
	world->backlog = NULL;
	assert_int_equal(heard(world), 4);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_some_wait_until_they_are_many, begin, end),
		cmocka_unit_test_setup_teardown(
			test_none_waits_when_the_engine_is_asked, begin, end),
		cmocka_unit_test_setup_teardown(
			test_the_event_loop_turns_to_them_first, begin, end),
		cmocka_unit_test_setup_teardown(
			test_the_last_are_handed_over_at_the_end, begin, end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
