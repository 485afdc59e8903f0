// SPDX-License-Identifier: GPL-2.0-or-later
#include "fixture.h"

#include "flow/compressor.h"

#include <errno.h>
#include <zstd.h>

#define NAME       "flows-20261121T080000.000000Z.log"
#define TEXT_BYTES 300000

struct outcome {
	int calls;
	int result;
};

static void on_done(int result, void *userdata)
{
	struct outcome *outcome = userdata;

	outcome->calls++;
	outcome->result = result;
}

static void write_text(const char *directory, char *text)
{
	char path[512];
	FILE *file;

	for (size_t i = 0; i < TEXT_BYTES; i++)
		text[i] = (char)('a' + i * i % 23);
	snprintf(path, sizeof(path), "%s/" NAME, directory);
	file = fopen(path, "we");
	assert_non_null(file);
	assert_int_equal(fwrite(text, 1, TEXT_BYTES, file), TEXT_BYTES);
	fclose(file);
}

static void run_until_done(sd_event *event, const struct outcome *outcome)
{
	for (int i = 0; i < 1000 && !outcome->calls; i++)
		assert_true(sd_event_run(event, 1000000) >= 0);
	assert_int_equal(outcome->calls, 1);
}

static void expect_packed(const char *directory, const char *name, const char *text)
{
	char unpacked[TEXT_BYTES + 1], *packed;
	size_t packed_bytes = 0;

	packed = fixture_read(directory, name, &packed_bytes);
	assert_non_null(packed);
	assert_int_equal(
		ZSTD_decompress(unpacked, sizeof(unpacked), packed, packed_bytes), TEXT_BYTES);
	assert_memory_equal(unpacked, text, TEXT_BYTES);
	free(packed);
}

static void makes_one_zstd_file_of_the_same_contents(void **state)
{
	struct outcome outcome = {0};
	struct compressor *compressor;
	char text[TEXT_BYTES];
	int directory_fd = open(*state, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	sd_event *event;

	write_text(*state, text);
	assert_int_equal(sd_event_new(&event), 0);
	assert_int_equal(compressor_new(event, on_done, &outcome, &compressor), 0);
	assert_int_equal(compressor_start(compressor, directory_fd, NAME), 0);
	assert_int_equal(compressor_start(compressor, directory_fd, NAME), -EBUSY);
	run_until_done(event, &outcome);
	assert_int_equal(outcome.result, 0);
	assert_int_equal(faccessat(directory_fd, NAME, F_OK, 0), -1);
	assert_int_equal(faccessat(directory_fd, NAME ".zst.part", F_OK, 0), -1);
	expect_packed(*state, NAME ".zst", text);
	compressor_free(compressor);
	sd_event_unref(event);
	close(directory_fd);
}

static void follows_a_file_that_grows(void **state)
{
	struct outcome outcome = {0};
	struct compressor *compressor;
	char text[TEXT_BYTES];
	int directory_fd = open(*state, O_RDONLY | O_DIRECTORY | O_CLOEXEC), fd;
	sd_event *event;

	write_text(*state, text);
	fd = openat(directory_fd, NAME, O_RDWR | O_CLOEXEC);
	assert_int_equal(ftruncate(fd, TEXT_BYTES / 2), 0);
	assert_int_equal(sd_event_new(&event), 0);
	assert_int_equal(compressor_new(event, on_done, &outcome, &compressor), 0);
	assert_int_equal(compressor_follow(compressor, directory_fd, NAME), 0);
	assert_int_equal(sd_event_run(event, 0), 0); /* it knows of nothing */
	compressor_grown(compressor, TEXT_BYTES / 2);
	while (sd_event_run(event, 0) > 0)
		;
	assert_int_equal(outcome.calls, 0);
	assert_int_equal(pwrite(fd, text, TEXT_BYTES, 0), TEXT_BYTES);
	assert_int_equal(renameat(directory_fd, NAME, directory_fd, "later.log"), 0);
	compressor_complete(compressor, "later.log");
	run_until_done(event, &outcome);
	assert_int_equal(outcome.result, 0);
	assert_int_equal(faccessat(directory_fd, "later.log", F_OK, 0), -1);
	expect_packed(*state, "later.log.zst", text);
	compressor_free(compressor);
	sd_event_unref(event);
	close(fd);
	close(directory_fd);
}

static void giving_up_leaves_the_source(void **state)
{
	struct outcome outcome = {0};
	struct compressor *compressor;
	char text[TEXT_BYTES];
	int directory_fd = open(*state, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	sd_event *event;

	write_text(*state, text);
	assert_int_equal(sd_event_new(&event), 0);
	assert_int_equal(compressor_new(event, on_done, &outcome, &compressor), 0);
	assert_int_equal(compressor_start(compressor, directory_fd, "missing.log"), -ENOENT);
	assert_int_equal(compressor_start(compressor, directory_fd, NAME), 0);
	assert_true(sd_event_run(event, 0) >= 0);
	assert_int_equal(faccessat(directory_fd, NAME ".zst.part", F_OK, 0), 0);
	compressor_free(compressor);
	assert_int_equal(outcome.calls, 0);
	assert_int_equal(faccessat(directory_fd, NAME, F_OK, 0), 0);
	assert_int_equal(faccessat(directory_fd, NAME ".zst.part", F_OK, 0), -1);
	sd_event_unref(event);
	close(directory_fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(makes_one_zstd_file_of_the_same_contents,
			fixture_directory_setup, fixture_directory_teardown),
		cmocka_unit_test_setup_teardown(follows_a_file_that_grows, fixture_directory_setup,
			fixture_directory_teardown),
		cmocka_unit_test_setup_teardown(giving_up_leaves_the_source,
			fixture_directory_setup, fixture_directory_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
