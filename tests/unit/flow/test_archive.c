// SPDX-License-Identifier: GPL-2.0-or-later
#include "fixture.h"

#include "flow/archive.h"

#include <errno.h>
#include <sys/stat.h>

static void put_file(const char *directory, const char *name, size_t size)
{
	char path[512];
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s", directory, name);
	file = fopen(path, "we");
	assert_non_null(file);
	for (size_t i = 0; i < size; i++)
		fputc('x', file);
	fclose(file);
}

static bool has_file(const char *directory, const char *name)
{
	char path[512];

	snprintf(path, sizeof(path), "%s/%s", directory, name);
	return !access(path, F_OK);
}

static void deletes_from_the_oldest_on(void **state)
{
	struct archive *archive;
	struct archive_usage usage;
	sd_event *event;

	put_file(*state, "flows-20201121T080000.000000Z.log.zst", 400);
	put_file(*state, "flows-20201121T080100.000000Z.log.zst", 400);
	put_file(*state, "flows-20201121T080200.000000Z.log.zst", 400);
	put_file(*state, "notes.txt", 4000);
	put_file(*state, ARCHIVE_CURRENT, 300);
	assert_int_equal(sd_event_new(&event), 0);
	assert_int_equal(archive_open(*state, ARCHIVE_FLOWS, 1500, event, &archive, NULL), 0);
	assert_int_equal(archive_usage(archive, &usage), 0);
	assert_int_equal(usage.files, 4);
	assert_int_equal(usage.bytes, 1500);
	/* 1200 + 300 and 600 to come are 600 too much: two go. */
	assert_int_equal(archive_rotate(archive, 600, NULL), 0);
	assert_false(has_file(*state, "flows-20201121T080000.000000Z.log.zst"));
	assert_false(has_file(*state, "flows-20201121T080100.000000Z.log.zst"));
	assert_true(has_file(*state, "flows-20201121T080200.000000Z.log.zst"));
	assert_true(has_file(*state, "notes.txt"));
	assert_false(has_file(*state, ARCHIVE_CURRENT));
	archive_close(archive);
	sd_event_unref(event);
}

/* What a killed agent left: half of two compressed files, and two whole files not yet compressed.
 */
static void takes_up_what_was_left_half_done(void **state)
{
	struct archive *archive;
	sd_event *event;

	put_file(*state, "flows-20201121T080000.000000Z.log", 100000);
	put_file(*state, "flows-20201121T080000.000000Z.log.zst.part", 10);
	put_file(*state, "flows-20201121T080100.000000Z.log", 100000);
	put_file(*state, ARCHIVE_CURRENT ".zst.part", 10);
	assert_int_equal(sd_event_new(&event), 0);
	assert_int_equal(archive_open(*state, ARCHIVE_FLOWS, 1 << 20, event, &archive, NULL), 0);
	for (int i = 0; i < 100 && (has_file(*state, "flows-20201121T080000.000000Z.log") ||
					   has_file(*state, "flows-20201121T080100.000000Z.log"));
		i++)
		assert_true(sd_event_run(event, 100000) >= 0);
	assert_true(has_file(*state, "flows-20201121T080000.000000Z.log.zst"));
	assert_true(has_file(*state, "flows-20201121T080100.000000Z.log.zst"));
	assert_false(has_file(*state, "flows-20201121T080000.000000Z.log.zst.part"));
	assert_false(has_file(*state, ARCHIVE_CURRENT ".zst.part"));
	archive_close(archive);
	sd_event_unref(event);
}

static void says_what_it_cannot_do(void **state)
{
	struct error error = ERROR_INIT;
	struct archive *archive = NULL;
	char path[512];
	sd_event *event;

	put_file(*state, "file", 1);
	snprintf(path, sizeof(path), "%s/file", (char *)*state);
	assert_int_equal(sd_event_new(&event), 0);
	assert_int_equal(archive_open(path, ARCHIVE_FLOWS, 100, event, &archive, &error), -ENOTDIR);
	assert_non_null(strstr(error_message(&error), path));
	assert_null(archive);
	assert_int_equal(archive_open(*state, ARCHIVE_FLOWS, 100, event, &archive, &error), 0);
	assert_int_equal(archive_rotate(archive, 0, &error), -ENOENT);
	error_clear(&error);
	archive_close(archive);
	sd_event_unref(event);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(deletes_from_the_oldest_on, fixture_directory_setup,
			fixture_directory_teardown),
		cmocka_unit_test_setup_teardown(takes_up_what_was_left_half_done,
			fixture_directory_setup, fixture_directory_teardown),
		cmocka_unit_test_setup_teardown(says_what_it_cannot_do, fixture_directory_setup,
			fixture_directory_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
