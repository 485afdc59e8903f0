// SPDX-License-Identifier: GPL-2.0-or-later
#include "fixture.h"

#include "base/cleanup.h"
#include "flow/log.h"
#include "flow/search.h"
#include "flow/timestamp.h"

#include <errno.h>

#define RECORDS 20000
/* In the past: a rotated file is called by the present time. */
#define START_NS (FIXTURE_TIME_NS - 86400 * FIXTURE_SECOND)

struct environment {
	void *directory;
	sd_event *event;
	struct name *node;
};

struct outcome {
	json_t *answer;
	int error;
	int calls;
};

static void on_done(json_t *answer, const struct error *error, void *userdata)
{
	struct outcome *outcome = userdata;

	outcome->answer = answer;
	outcome->error = error ? error->code : 0;
	outcome->calls++;
}

/* Records a second apart over several files, from ten source ports in turn. */
static void write_log(struct environment *environment)
{
	struct flow_log_options options = {.directory = environment->directory,
		.file_bytes = 1 << 20,
		.total_bytes = 1 << 30,
		.node = environment->node};
	_cleanup_(flow_log_freep) struct flow_log *log = NULL;
	_cleanup_(writer_clear) struct writer writer = WRITER_INIT;

	assert_int_equal(flow_log_new(&options, environment->event, &log), 0);
	for (uint64_t i = 0; i < RECORDS; i++) {
		struct record record = {.event = fixture_event(i)};

		record.event.time_ns = START_NS + i * FIXTURE_SECOND;
		record.event.destination_port = (uint16_t)(8000 + i % 10);
		writer_reset(&writer);
		record_write(&record, environment->node, &writer);
		flow_log_add(log, writer.data, writer.length);
		if (i % 1000 == 0)
			sd_event_run(environment->event, 0);
	}
	assert_int_equal(flow_log_flush(log, NULL), 0);
	for (int i = 0; i < 10000 && sd_event_run(environment->event, 0) > 0; i++)
		;
}

static int set_up(void **state)
{
	struct environment *environment = calloc(1, sizeof(*environment));

	*state = environment;
	environment->node = name_new(NULL, json_string("node-1"));
	if (fixture_directory_setup(&environment->directory) ||
		sd_event_new(&environment->event) < 0)
		return -1;
	write_log(environment);
	return 0;
}

static int tear_down(void **state)
{
	struct environment *environment = *state;

	sd_event_unref(environment->event);
	name_release(environment->node);
	fixture_directory_teardown(&environment->directory);
	free(environment);
	return 0;
}

static void set(struct flow_filter **filter, const char *key, const char *value)
{
	assert_int_equal(flow_filter_set(filter, key, value, NULL), 0);
}

static void set_time(struct flow_filter **filter, const char *key, uint64_t second)
{
	char text[TIMESTAMP_LENGTH + 1];

	set(filter, key, timestamp_format(START_NS + second * FIXTURE_SECOND, text));
}

/* Takes filter. */
static json_t *find(struct environment *environment, struct flow_filter *filter)
{
	_cleanup_error_ struct error error = ERROR_INIT;
	struct outcome outcome = {0};
	struct search *search;

	if (search_new(environment->directory, filter, environment->event, on_done, &outcome,
		    &search, &error) < 0)
		fail_msg("%s", error_message(&error));
	for (int i = 0; i < 10000 && !outcome.calls; i++)
		assert_true(sd_event_run(environment->event, 1000000) >= 0);
	assert_int_equal(outcome.calls, 1);
	assert_int_equal(outcome.error, 0);
	return outcome.answer;
}

static const char *time_of(const json_t *answer, size_t index)
{
	const json_t *flow = json_array_get(json_object_get(answer, "flows"), index);

	return json_string_value(json_object_get(flow, "time"));
}

static size_t count(const json_t *answer)
{
	return json_array_size(json_object_get(answer, "flows"));
}

static void all_files_are_read_oldest_record_first(void **state)
{
	json_t *answer = find(*state, NULL);

	assert_int_equal(count(answer), RECORDS);
	for (size_t i = 1; i < RECORDS; i++)
		assert_true(strcmp(time_of(answer, i - 1), time_of(answer, i)) < 0);
	json_decref(answer);
}

static void time_and_port_choose(void **state)
{
	struct flow_filter *filter = NULL;
	json_t *answer;

	set_time(&filter, "since", 1000);
	set_time(&filter, "until", 1999);
	set(&filter, "port", "8003");
	answer = find(*state, filter);
	assert_int_equal(count(answer), 100);
	assert_string_equal(time_of(answer, 0), "2026-11-20T08:16:43.000000Z");
	json_decref(answer);
}

static void a_limit_keeps_the_newest(void **state)
{
	struct flow_filter *filter = NULL;
	json_t *answer;

	set(&filter, "limit", "15000");
	answer = find(*state, filter);
	assert_int_equal(count(answer), 15000);
	assert_string_equal(time_of(answer, 0), "2026-11-20T09:23:20.000000Z");
	assert_string_equal(time_of(answer, 14999), "2026-11-20T13:33:19.000000Z");
	json_decref(answer);
}

static void giving_up_tells_so(void **state)
{
	struct environment *environment = *state;
	struct outcome outcome = {0};
	struct search *search;

	assert_int_equal(search_new(environment->directory, NULL, environment->event, on_done,
				 &outcome, &search, NULL),
		0);
	sd_event_run(environment->event, 0);
	assert_int_equal(outcome.calls, 0);
	search_free(search);
	assert_int_equal(outcome.calls, 1);
	assert_int_equal(outcome.error, -ECANCELED);
	assert_null(outcome.answer);
}

/* Whatever is in the directory: what can be read is found. */
static void damage_costs_what_it_hit(void **state)
{
	struct environment *environment = *state;
	char path[512];
	json_t *answer;
	FILE *file;

	snprintf(path, sizeof(path), "%s/flows-20200101T000000.000000Z.log.zst",
		(char *)environment->directory);
	file = fopen(path, "we");
	fputs("this was never compressed", file);
	fclose(file);
	snprintf(path, sizeof(path), "%s/flows.log", (char *)environment->directory);
	file = fopen(path, "ae");
	fputs("{\"half\n[1, 2]\nnonsense\n{\"schema\":1,\"time\":\"2026", file);
	fclose(file);
	answer = find(environment, NULL);
	assert_int_equal(count(answer), RECORDS);
	json_decref(answer);
}

#define test(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		test(all_files_are_read_oldest_record_first),
		test(time_and_port_choose),
		test(a_limit_keeps_the_newest),
		test(giving_up_tells_so),
		test(damage_costs_what_it_hit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
