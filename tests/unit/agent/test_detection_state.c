/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What detection knows, in the state directory and back. */
#include "detection_state.h"

#include "base/cleanup.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

struct world {
	char directory[64];
	struct detection_state state;
	struct detect_settings settings;
	struct engine *engine;
	size_t damaged;
	char message[512];
};

static int begin(void **state)
{
	static struct world world;
	const struct engine_options options = {.settings = &world.settings};

	memset(&world, 0, sizeof(world));
	strcpy(world.directory, "/tmp/segd-detection.XXXXXX");
	world.state.directory = world.directory;
	if (!mkdtemp(world.directory) || detect_settings_init(&world.settings) < 0 ||
		engine_new(&options, &world.engine, NULL) < 0)
		return -1;
	*state = &world;
	return 0;
}

static int end(void **state)
{
	struct world *world = *state;
	char command[128];

	engine_free(world->engine);
	detect_settings_clear(&world->settings);
	snprintf(command, sizeof(command), "rm -r %s", world->directory);
	return system(command);
}

static void on_damaged(const char *message, void *userdata)
{
	struct world *world = userdata;

	world->damaged++;
	snprintf(world->message, sizeof(world->message), "%s", message);
}

static void raise_one(struct world *world)
{
	struct finding finding = {
		.detector = "scan",
		.technique = "T1046",
		.severity = SEVERITY_HIGH,
		.time_ns = 1800000000000000000ULL,
		.actor_address = {{[10] = 0xff, 0xff, 10, 0, 0, 1}},
		.key = "k",
		.sentence = "a sentence",
		.because = "a reason",
	};

	assert_non_null(alerts_report(engine_alerts(world->engine), &finding));
}

static void put(const struct world *world, const char *name, const char *text)
{
	char path[128];
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s", world->directory, name);
	file = fopen(path, "w");
	assert_non_null(file);
	fputs(text, file);
	fclose(file);
}

static bool has(const struct world *world, const char *name)
{
	char path[128];
	struct stat status;

	snprintf(path, sizeof(path), "%s/%s", world->directory, name);
	return stat(path, &status) == 0;
}

static void load(struct world *world)
{
	detection_state_load(&world->state, world->engine, on_damaged, world);
}

static void test_nothing_there(void **state)
{
	struct world *world = *state;

	load(world);
	assert_int_equal(world->damaged, 0);
	assert_int_equal(engine_alerts(world->engine)->count, 0);
}

static void test_saved_and_loaded(void **state)
{
	struct world *world = *state;
	const struct engine_options options = {.settings = &world->settings};

	raise_one(world);
	assert_int_equal(
		detection_state_save_alerts(&world->state, engine_alerts(world->engine), NULL), 0);
	assert_int_equal(detection_state_save_learnt(&world->state, world->engine, NULL), 0);
	assert_false(has(world, "alerts.json.next"));
	engine_free(world->engine);
	assert_int_equal(engine_new(&options, &world->engine, NULL), 0);
	load(world);
	assert_int_equal(world->damaged, 0);
	assert_int_equal(engine_alerts(world->engine)->count, 1);
	assert_string_equal(engine_alerts(world->engine)->by_age->actor.id, "10.0.0.1");
}

static void test_damaged(void **state)
{
	static const char *const files[][2] = {
		{"alerts.json", "{"},
		{"alerts.json", "[]"},
		{"alerts.json", "{\"version\": 2, \"alerts\": []}"},
		{"alerts.json", "{\"version\": 1, \"alerts\": [{}]}"},
		{"detectors.json", ""},
		{"detectors.json", "{\"version\": 1, \"detectors\": {\"scan\": 7}}"},
		{"baseline.jsonl", "{\"role\": \"x\"}\n"},
		{"baseline.jsonl", "x\n"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
		struct world *world = *state;
		char aside[64];

		put(world, files[i][0], files[i][1]);
		load(world);
		snprintf(aside, sizeof(aside), "%s.damaged", files[i][0]);
		if (world->damaged != 1 || !has(world, aside) || has(world, files[i][0]) ||
			!strstr(world->message, files[i][0]))
			fail_msg("%s: %s", files[i][0], files[i][1]);
		/* Each with an engine of its own. */
		assert_int_equal(end(state), 0);
		assert_int_equal(begin(state), 0);
	}
}

/* As a root's test can have it: a link in a circle cannot be opened, and no file takes the place of
 * a directory. */
static void test_what_cannot_be_read_stays(void **state)
{
	struct world *world = *state;
	char path[128], target[128];
	struct stat status;

	snprintf(path, sizeof(path), "%s/alerts.json", world->directory);
	assert_int_equal(symlink(path, path), 0);
	put(world, "detectors.json", "{");
	snprintf(target, sizeof(target), "%s/detectors.json.damaged", world->directory);
	assert_int_equal(mkdir(target, 0700), 0);
	load(world);
	assert_int_equal(world->damaged, 2);
	assert_non_null(strstr(world->message, "detectors.json is damaged"));
	assert_non_null(strstr(world->message, "cannot be set aside"));
	raise_one(world);
	assert_int_equal(
		detection_state_save_alerts(&world->state, engine_alerts(world->engine), NULL), 0);
	assert_int_equal(detection_state_save_learnt(&world->state, world->engine, NULL), 0);
	assert_true(readlink(path, target, sizeof(target)) > 0);
	snprintf(path, sizeof(path), "%s/detectors.json", world->directory);
	assert_int_equal(stat(path, &status), 0);
	assert_int_equal(status.st_size, 1);
	/* What was not damaged is saved as ever. */
	assert_true(has(world, "baseline.jsonl"));
}

static void test_no_directory(void **state)
{
	struct world *world = *state;
	const struct detection_state nowhere = {.directory = "/proc/nonexistent"};
	struct error error = ERROR_INIT;

	assert_true(
		detection_state_save_alerts(&nowhere, engine_alerts(world->engine), &error) < 0);
	assert_non_null(strstr(error_message(&error), "/proc/nonexistent"));
	error_clear(&error);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_nothing_there, begin, end),
		cmocka_unit_test_setup_teardown(test_saved_and_loaded, begin, end),
		cmocka_unit_test_setup_teardown(test_damaged, begin, end),
		cmocka_unit_test_setup_teardown(test_what_cannot_be_read_stays, begin, end),
		cmocka_unit_test_setup_teardown(test_no_directory, begin, end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
