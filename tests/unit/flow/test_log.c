// SPDX-License-Identifier: GPL-2.0-or-later
#include "fixture.h"

#include "flow/log.h"
#include "flow/log_reader.h"

#include <dirent.h>
#include <errno.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>

struct environment {
	void *root; /* what is removed in the end */
	char *directory;
	sd_event *event;
	struct name *node;
	struct flow_log *log;
};

static int setup(void **state)
{
	struct environment *environment = calloc(1, sizeof(*environment));

	*state = environment;
	environment->node = name_new(NULL, json_string("node-1"));
	if (fixture_directory_setup(&environment->root) || sd_event_new(&environment->event) < 0)
		return -1;
	environment->directory = environment->root;
	return 0;
}

static int teardown(void **state)
{
	struct environment *environment = *state;

	flow_log_free(environment->log);
	sd_event_unref(environment->event);
	name_release(environment->node);
	fixture_directory_teardown(&environment->root);
	free(environment);
	return 0;
}

static void open_log(struct environment *environment, uint64_t file_bytes, uint64_t total_bytes)
{
	struct flow_log_options options = {.directory = environment->directory,
		.file_bytes = file_bytes,
		.total_bytes = total_bytes,
		.node = environment->node};

	assert_int_equal(flow_log_new(&options, environment->event, &environment->log), 0);
}

/* Lines of 100 bytes: {"n":000000042,…}. */
static void add_lines(struct flow_log *log, unsigned int first, unsigned int count)
{
	char line[128];

	for (unsigned int i = first; i < first + count; i++) {
		int length = snprintf(line, sizeof(line), "{\"n\":%u,\"pad\":\"", i);

		memset(line + length, '.', (size_t)(97 - length));
		strcpy(line + 97, "\"}\n");
		flow_log_add(log, line, 100);
	}
}

static json_int_t described(const struct flow_log *log, const char *key)
{
	json_t *description = flow_log_describe(log);
	json_int_t number = json_integer_value(json_object_get(description, key));

	json_decref(description);
	return number;
}

static bool has_error(const struct flow_log *log, const char *text)
{
	json_t *description = flow_log_describe(log);
	const char *error = json_string_value(json_object_get(description, "error"));
	bool found = text ? error && strstr(error, text) : !error;

	json_decref(description);
	return found;
}

/* Parses all lines of a file, compressed or not. Each must be the next number; a gap skips as many
 * as it says. Returns the number after the last. */
static unsigned int check_lines(const char *path, unsigned int next)
{
	struct log_reader *reader;
	const char *line;
	size_t length;
	int result, fd = open(path, O_RDONLY | O_CLOEXEC);

	assert_true(fd >= 0);
	assert_int_equal(log_reader_new(fd, strstr(path, ".zst") != NULL, &reader), 0);
	while ((result = log_reader_next(reader, &line, &length)) > 0) {
		json_t *json = json_loadb(line, length, 0, NULL);
		json_t *lost = json ? json_object_get(json, "lost") : NULL;

		if (!json)
			fail_msg("%s: not JSON: %.*s", path, (int)length, line);
		if (lost) {
			assert_string_equal(
				json_string_value(json_object_get(json, "event")), "gap");
			next += (unsigned int)json_integer_value(lost);
		} else {
			assert_int_equal(json_integer_value(json_object_get(json, "n")), next++);
		}
		json_decref(json);
	}
	assert_int_equal(result, 0);
	log_reader_free(reader);
	return next;
}

static unsigned int check_current(const struct environment *environment, unsigned int next)
{
	char path[512];

	snprintf(path, sizeof(path), "%s/flows.log", environment->directory);
	return check_lines(path, next);
}

static int on_time(sd_event_source *source, uint64_t usec, void *userdata)
{
	(void)source;
	(void)usec;
	*(bool *)userdata = true;
	return 0;
}

/* By a timer that comes behind whatever else is due by then: on a busy machine both are late. */
static void lines_are_on_disk_within_a_second(void **state)
{
	struct environment *environment = *state;
	sd_event_source *second = NULL;
	bool is_over = false;

	open_log(environment, 1 << 20, 1 << 24);
	add_lines(environment->log, 0, 3);
	assert_int_equal(described(environment->log, "bytes"), 0);
	assert_true(sd_event_add_time_relative(environment->event, &second, CLOCK_MONOTONIC,
			    1000000, 1, on_time, &is_over) >= 0);
	assert_true(sd_event_source_set_priority(second, SD_EVENT_PRIORITY_IDLE) >= 0);
	while (!is_over)
		assert_true(sd_event_run(environment->event, UINT64_MAX) >= 0);
	sd_event_source_unref(second);
	assert_true(described(environment->log, "bytes") > 0);
	assert_int_equal(check_current(environment, 0), 3);
}

static void an_idle_log_does_not_wake_the_loop(void **state)
{
	struct environment *environment = *state;

	open_log(environment, 1 << 20, 1 << 24);
	assert_int_equal(sd_event_run(environment->event, 1500000), 0);
}

static int is_rotated(const struct dirent *entry)
{
	return !strncmp(entry->d_name, "flows-", 6);
}

/* Every line of 100,000 is in one of the files, in order, none of which is too big. */
static void run_until_idle(struct environment *environment)
{
	assert_int_equal(flow_log_flush(environment->log, NULL), 0);
	for (int i = 0; i < 1000 && sd_event_run(environment->event, 0) > 0; i++)
		;
}

/* That so many lines are in as many compressed files and the current one. */
static void expect_files(struct environment *environment, unsigned int lines, int files)
{
	struct dirent **entries;
	unsigned int next = 0;
	struct stat status;
	char path[512];
	int count = scandir(environment->directory, &entries, is_rotated, alphasort);

	assert_int_equal(count, files);
	for (int i = 0; i < count; i++) {
		snprintf(path, sizeof(path), "%s/%s", environment->directory, entries[i]->d_name);
		assert_non_null(strstr(path, ".log.zst"));
		assert_int_equal(stat(path, &status), 0);
		assert_true(status.st_size < 500000);
		next = check_lines(path, next);
		free(entries[i]);
	}
	free(entries);
	assert_int_equal(check_current(environment, next), lines);
	assert_int_equal(described(environment->log, "files"), files + 1);
	assert_int_equal(described(environment->log, "lost"), 0);
}

static void rotates_and_compresses_without_losing_a_line(void **state)
{
	struct environment *environment = *state;

	open_log(environment, 1000000, 1 << 30);
	for (unsigned int i = 0; i < 100000; i += 1000) {
		add_lines(environment->log, i, 1000);
		sd_event_run(environment->event, 0);
	}
	run_until_idle(environment);
	expect_files(environment, 100000, 9);
}

#define PART "flows.log.zst.part"

/* Also over a restart, by which what is compressed so far is made anew. */
static void a_long_file_is_compressed_while_it_grows(void **state)
{
	struct environment *environment = *state;
	char part[512];

	snprintf(part, sizeof(part), "%s/" PART, environment->directory);
	open_log(environment, 4000000, 1 << 30);
	add_lines(environment->log, 0, 5000);
	run_until_idle(environment);
	assert_int_equal(access(part, F_OK), -1); /* it is not long yet */
	add_lines(environment->log, 5000, 10000);
	run_until_idle(environment);
	assert_int_equal(access(part, F_OK), 0);
	for (unsigned int i = 15000; i < 100000; i += 5000) {
		add_lines(environment->log, i, 5000);
		run_until_idle(environment);
		if (i == 50000) {
			flow_log_free(environment->log);
			assert_int_equal(access(part, F_OK), -1);
			open_log(environment, 4000000, 1 << 30);
		}
	}
	assert_int_equal(access(part, F_OK), 0);
	expect_files(environment, 100000, 2);
}

static void who_cuts_the_file_costs_nothing_but_that(void **state)
{
	struct environment *environment = *state;
	char path[512], part[512];

	snprintf(path, sizeof(path), "%s/flows.log", environment->directory);
	snprintf(part, sizeof(part), "%s/" PART, environment->directory);
	open_log(environment, 4000000, 1 << 30);
	add_lines(environment->log, 0, 15000);
	run_until_idle(environment);
	assert_int_equal(access(part, F_OK), 0);
	assert_int_equal(truncate(path, 0), 0);
	add_lines(environment->log, 0, 10000);
	run_until_idle(environment);
	assert_int_equal(access(part, F_OK), -1);
	add_lines(environment->log, 10000, 25000);
	run_until_idle(environment);
	expect_files(environment, 35000, 1);
}

static void the_total_is_bounded(void **state)
{
	struct environment *environment = *state;

	open_log(environment, 100000, 500000);
	for (unsigned int i = 0; i < 50000; i += 500) {
		add_lines(environment->log, i, 500);
		assert_int_equal(flow_log_flush(environment->log, NULL), 0);
		assert_true(described(environment->log, "bytes") <= 500000);
	}
}

/* The half line of an agent that was killed is no record. */
static void half_a_line_is_cut(void **state)
{
	struct environment *environment = *state;
	char path[512], *text;
	FILE *file;

	snprintf(path, sizeof(path), "%s/flows.log", environment->directory);
	file = fopen(path, "we");
	fputs("{\"n\":0}\n{\"n\":", file);
	fclose(file);
	open_log(environment, 1 << 20, 1 << 24);
	add_lines(environment->log, 1, 1);
	assert_int_equal(flow_log_flush(environment->log, NULL), 0);
	text = fixture_read(environment->directory, "flows.log", NULL);
	assert_memory_equal(text, "{\"n\":0}\n{\"n\":1,", 15);
	free(text);
}

/* Once what is being compressed is one file again. */
static size_t count_rotated(const struct environment *environment)
{
	for (int i = 0; i < 100 && sd_event_run(environment->event, 0) > 0; i++)
		;
	return (size_t)described(environment->log, "files") - 1;
}

static void a_file_is_rotated_for_its_age(void **state)
{
	static const char *const starts[] = {"2020-11-21T08:00:00.000000Z",
		"2120-11-21T08:00:00.000000Z", /* the clock was set back */ NULL};
	struct environment *environment = *state;
	const struct flow_log_options options = {.directory = environment->directory,
		.file_bytes = 1 << 20,
		.total_bytes = 1 << 24,
		.file_age_ns = 3600 * FIXTURE_SECOND,
		.node = environment->node};
	char path[512];

	snprintf(path, sizeof(path), "%s/flows.log", environment->directory);
	for (size_t i = 0; starts[i]; i++) {
		FILE *file = fopen(path, "we");

		fprintf(file, "{\"schema\":1,\"time\":\"%s\"}\n", starts[i]);
		fclose(file);
		assert_int_equal(flow_log_new(&options, environment->event, &environment->log), 0);
		add_lines(environment->log, 0, 1);
		assert_int_equal(flow_log_flush(environment->log, NULL), 0);
		assert_int_equal(count_rotated(environment), i + 1);
		/* The new file is young. */
		add_lines(environment->log, 1, 1);
		assert_int_equal(flow_log_flush(environment->log, NULL), 0);
		assert_int_equal(count_rotated(environment), i + 1);
		flow_log_free(environment->log);
	}
	environment->log = NULL;
}

static void a_deleted_file_is_made_anew(void **state)
{
	struct environment *environment = *state;
	char path[512];

	open_log(environment, 1 << 20, 1 << 24);
	add_lines(environment->log, 0, 5);
	assert_int_equal(flow_log_flush(environment->log, NULL), 0);
	snprintf(path, sizeof(path), "%s/flows.log", environment->directory);
	assert_int_equal(unlink(path), 0);
	add_lines(environment->log, 5, 5);
	assert_int_equal(flow_log_flush(environment->log, NULL), 0);
	assert_int_equal(check_current(environment, 5), 10);
}

/* First full, then with room again: what is on disk is whole lines, and the gap counts the rest. */
static void a_full_disk_costs_lines_that_are_counted(void **state)
{
	struct environment *environment = *state;
	struct error error = ERROR_INIT;
	unsigned int total = 20000, lost;
	bool root = geteuid() == 0;

	if (!root || unshare(CLONE_NEWNS) < 0 ||
		mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
		mount("tmpfs", environment->directory, "tmpfs", 0, "size=262144") < 0) {
		print_message("skipped: needs the right to mount a tmpfs\n");
		skip();
	}
	open_log(environment, 1 << 30, 1 << 30);
	add_lines(environment->log, 0, total);
	assert_int_equal(flow_log_flush(environment->log, &error), -ENOSPC);
	assert_non_null(strstr(error_message(&error), "No space left"));
	error_clear(&error);
	assert_true(has_error(environment->log, "No space left"));
	assert_true(check_current(environment, 0) > 2000);
	lost = (unsigned int)described(environment->log, "lost");
	assert_true(lost > 0 && lost < total);

	assert_int_equal(
		mount("tmpfs", environment->directory, "tmpfs", MS_REMOUNT, "size=8388608"), 0);
	/* The timer tries again by itself. */
	assert_true(sd_event_run(environment->event, 5000000) > 0);
	assert_true(has_error(environment->log, NULL));
	add_lines(environment->log, total, 10);
	assert_int_equal(flow_log_flush(environment->log, NULL), 0);
	assert_int_equal(check_current(environment, 0), total + 10);
	assert_int_equal(described(environment->log, "lost"), lost);
	flow_log_free(environment->log);
	environment->log = NULL;
	assert_int_equal(umount2(environment->directory, MNT_DETACH), 0);
}

static void a_directory_that_comes_later_is_used(void **state)
{
	struct environment *environment = *state;
	char path[512];

	snprintf(path, sizeof(path), "%s/a/b", environment->directory);
	environment->directory = path;
	open_log(environment, 1 << 24, 1 << 28);
	assert_true(has_error(environment->log, "No such file"));
	add_lines(environment->log, 0, 20000);
	assert_true(described(environment->log, "lost") > 0);
	*strrchr(path, '/') = '\0';
	assert_int_equal(mkdir(path, 0755), 0);
	strcat(path, "/b");
	assert_int_equal(flow_log_flush(environment->log, NULL), 0);
	assert_int_equal(check_current(environment, 0), 20000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(lines_are_on_disk_within_a_second, setup, teardown),
		cmocka_unit_test_setup_teardown(
			an_idle_log_does_not_wake_the_loop, setup, teardown),
		cmocka_unit_test_setup_teardown(
			rotates_and_compresses_without_losing_a_line, setup, teardown),
		cmocka_unit_test_setup_teardown(
			a_long_file_is_compressed_while_it_grows, setup, teardown),
		cmocka_unit_test_setup_teardown(
			who_cuts_the_file_costs_nothing_but_that, setup, teardown),
		cmocka_unit_test_setup_teardown(the_total_is_bounded, setup, teardown),
		cmocka_unit_test_setup_teardown(half_a_line_is_cut, setup, teardown),
		cmocka_unit_test_setup_teardown(a_file_is_rotated_for_its_age, setup, teardown),
		cmocka_unit_test_setup_teardown(a_deleted_file_is_made_anew, setup, teardown),
		cmocka_unit_test_setup_teardown(
			a_full_disk_costs_lines_that_are_counted, setup, teardown),
		cmocka_unit_test_setup_teardown(
			a_directory_that_comes_later_is_used, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
