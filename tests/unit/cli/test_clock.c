/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "clock.h"

#include "base/cleanup.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void is(char *text, const char *expected)
{
	assert_string_equal(text, expected);
	free(text);
}

static void parses(const char *text, time_t seconds, long nanoseconds)
{
	struct timespec time;

	assert_true(clock_parse(text, &time));
	assert_int_equal(time.tv_sec, seconds);
	assert_int_equal(time.tv_nsec, nanoseconds);
}

static void test_parse(void **state)
{
	(void)state;
	parses("1970-01-01T00:00:00Z", 0, 0);
	parses("2021-03-01T09:00:00.123456Z", 1614589200, 123456000);
	parses("2021-03-01T10:30:00+01:30", 1614589200, 0);
	parses("2021-03-01T04:00:00-05:00", 1614589200, 0);
}

static void test_parse_refuses(void **state)
{
	static const char *const wrong[] = {"", "now", "2021-03-01", "2021-03-01T09:00:00",
		"2021-03-01T09:00:00Zulu", "2021-03-01T09:00:00+1", "2021-13-01T09:00:00Z"};
	struct timespec time = {.tv_sec = 7};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++)
		assert_false(clock_parse(wrong[i], &time));
	assert_int_equal(time.tv_sec, 7);
}

static void test_format(void **state)
{
	struct settings settings = {.utc = true};

	(void)state;
	is(clock_format(&settings, "2021-03-01T09:00:00.9Z"), "2021-03-01 09:00:00Z");
	is(clock_format(&settings, ""), "-");
	settings.utc = false;
	setenv("TZ", "EST5", 1);
	tzset();
	is(clock_format(&settings, "2021-03-01T03:00:00Z"), "2021-02-28 22:00:00");
}

static void test_format_cell_depends_on_the_width(void **state)
{
	struct settings settings = {.utc = true};
	char today[64];
	time_t now = time(NULL);
	struct tm parts;

	(void)state;
	is(clock_format_cell(&settings, "2021-03-01T09:00:00Z"), "2021-03-01 09:00:00Z");
	settings.width = 80;
	is(clock_format_cell(&settings, "2021-03-01T09:00:00Z"), "2021-03-01");
	/* Within the last second of a day this may say yesterday's: try again then. */
	do {
		gmtime_r(&now, &parts);
		strftime(today, sizeof(today), "%Y-%m-%dT12:34:56Z", &parts);
	} while (now % 86400 == 86399 && (now = time(NULL)));
	is(clock_format_cell(&settings, today), "12:34:56Z");
}

static void test_duration(void **state)
{
	(void)state;
	is(clock_duration(0.003), "3 ms");
	is(clock_duration(0.0032), "3.2 ms");
	is(clock_duration(0.25), "250 ms");
	is(clock_duration(12), "12 s");
	is(clock_duration(59.7), "1 min 0 s");
	is(clock_duration(125), "2 min 5 s");
	is(clock_duration(3600 * 3 + 600), "3 h 10 min");
	is(clock_duration(86400 * 4 + 7200), "4 d 2 h");
}

static void test_parse_duration(void **state)
{
	(void)state;
	assert_int_equal(clock_parse_duration("60", 100), 60);
	assert_int_equal(clock_parse_duration("60s", 100), 60);
	assert_int_equal(clock_parse_duration("5m", 300), 300);
	assert_int_equal(clock_parse_duration("2h", 86400), 7200);
	assert_int_equal(clock_parse_duration("7d", 700000), 604800);
	assert_int_equal(clock_parse_duration("6m", 300), 0);
	assert_int_equal(clock_parse_duration("never", 300), 0);
	assert_int_equal(clock_parse_duration("1w", 300), 0);
	assert_int_equal(clock_parse_duration("1h1", 86400), 0);
	assert_int_equal(clock_parse_duration("-1s", 300), 0);
	assert_int_equal(clock_parse_duration("99999999999999999999d", 86400), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_parse),
		cmocka_unit_test(test_parse_refuses),
		cmocka_unit_test(test_format),
		cmocka_unit_test(test_format_cell_depends_on_the_width),
		cmocka_unit_test(test_duration),
		cmocka_unit_test(test_parse_duration),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
