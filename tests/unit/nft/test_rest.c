// SPDX-License-Identifier: GPL-2.0-or-later
/* What a source of events is told to rest, by how much it had. */
#include "dataplane/rest.h"

#include "base/cleanup.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <unistd.h>

#include <cmocka.h>
#include <sys/epoll.h>

#define MANY 1000

struct world {
	sd_event *event;
	sd_event_source *source;
	int ends[2]; /* of a pipe */
	struct rest rest;
	size_t pending; /* to be read in each turn */
	unsigned int turns;
};

static int on_readable(sd_event_source *source, int fd, uint32_t events, void *userdata)
{
	struct world *world = userdata;

	(void)fd;
	(void)events;
	world->turns++;
	rest_after(&world->rest, source, world->pending, MANY);
	return 0;
}

static int set_up(void **state)
{
	static struct world world;

	world = (struct world){0};
	assert_int_equal(pipe(world.ends), 0);
	assert_true(sd_event_new(&world.event) >= 0);
	assert_true(sd_event_add_io(world.event, &world.source, world.ends[0], EPOLLIN, on_readable,
			    &world) >= 0);
	assert_int_equal(rest_begin(&world.rest, world.source), 0);
	*state = &world;
	return 0;
}

static int tear_down(void **state)
{
	struct world *world = *state;

	sd_event_source_disable_unref(world->source);
	sd_event_unref(world->event);
	close(world->ends[0]);
	close(world->ends[1]);
	return 0;
}

/* How long it rests behind a turn with so many. */
static uint64_t rest_behind(struct world *world, size_t events)
{
	const unsigned int turns = world->turns;
	uint64_t interval;
	unsigned int burst;

	world->pending = events;
	while (world->turns == turns)
		assert_true(sd_event_run(world->event, UINT64_MAX) >= 0);
	assert_int_equal(sd_event_source_get_ratelimit(world->source, &interval, &burst), 0);
	assert_int_equal(burst, 1);
	return interval;
}

static void test_rests_less_in_a_storm(void **state)
{
	struct world *world = *state;

	assert_int_equal(write(world->ends[1], "", 1), 1); /* readable from now on */
	assert_int_equal(rest_behind(world, 1), REST_USEC);
	assert_int_equal(rest_behind(world, MANY - 1), REST_USEC);
	assert_int_equal(rest_behind(world, MANY), REST_STORM_USEC);
	/* As fast as before: a fifth of them in a fifth of the time. */
	assert_int_equal(rest_behind(world, MANY / 5), REST_STORM_USEC);
	assert_int_equal(rest_behind(world, MANY / 5 - 1), REST_USEC);
	assert_int_equal(rest_behind(world, MANY / 5), REST_USEC);
}

static void test_first_events_wait_for_nothing_and_the_next_do(void **state)
{
	struct world *world = *state;

	assert_int_equal(write(world->ends[1], "", 1), 1);
	assert_true(sd_event_run(world->event, 0) >= 0);
	assert_int_equal(world->turns, 1);
	assert_true(sd_event_run(world->event, 0) >= 0);
	assert_int_equal(world->turns, 1);
	assert_int_equal(sd_event_source_is_ratelimited(world->source), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_rests_less_in_a_storm, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			test_first_events_wait_for_nothing_and_the_next_do, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
