// SPDX-License-Identifier: GPL-2.0-or-later
#include "fixture.h"

#include "flow/timestamp.h"

#include <errno.h>
#include <time.h>

static void formats_microseconds_in_utc(void **state)
{
	char text[TIMESTAMP_LENGTH + 1];

	(void)state;
	assert_string_equal(timestamp_format(0, text), "1970-01-01T00:00:00.000000Z");
	assert_string_equal(
		timestamp_format(FIXTURE_TIME_NS + 123456789, text), "2026-11-21T08:00:00.123456Z");
	assert_string_equal(timestamp_format(UINT64_MAX, text), "2554-07-21T23:34:33.709551Z");
}

/* The C library says what is right, for each day of two leap cycles and odd seconds between. */
static void agrees_with_the_library(void **state)
{
	char text[TIMESTAMP_LENGTH + 1], expected[64];

	(void)state;
	for (time_t time = 0; time < 900LL * 365 * 86400 / 2; time += 86400 + 3607) {
		struct tm tm;

		gmtime_r(&time, &tm);
		strftime(expected, sizeof(expected), "%Y-%m-%dT%H:%M:%S.000000Z", &tm);
		assert_string_equal(
			timestamp_format((uint64_t)time * FIXTURE_SECOND, text), expected);
	}
}

static void parses_what_it_formats(void **state)
{
	char text[TIMESTAMP_LENGTH + 1];
	uint64_t time_ns;

	(void)state;
	for (uint64_t step = 0; step < 1000; step++) {
		uint64_t expected_ns = FIXTURE_TIME_NS + step * 86399123457000ULL;

		timestamp_format(expected_ns, text);
		assert_int_equal(timestamp_parse(text, 0, &time_ns), 0);
		assert_true(time_ns == expected_ns);
	}
}

static void parses_zones_fractions_and_ages(void **state)
{
	static const struct {
		const char *text;
		uint64_t expected_ns;
	} cases[] = {
		{"2026-11-21T08:00:00Z", FIXTURE_TIME_NS},
		{"2026-11-21T10:00:00+02:00", FIXTURE_TIME_NS},
		{"2026-11-21T02:30:00-05:30", FIXTURE_TIME_NS},
		{"2026-11-21T08:00:00.5Z", FIXTURE_TIME_NS + FIXTURE_SECOND / 2},
		{"2026-11-21T08:00:00.1234567891234z", FIXTURE_TIME_NS + 123456789},
		{"0s", FIXTURE_TIME_NS},
		{"10s", FIXTURE_TIME_NS - 10 * FIXTURE_SECOND},
		{"5m", FIXTURE_TIME_NS - 300 * FIXTURE_SECOND},
		{"2h", FIXTURE_TIME_NS - 7200 * FIXTURE_SECOND},
		{"1d", FIXTURE_TIME_NS - 86400 * FIXTURE_SECOND},
	};
	uint64_t time_ns;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_int_equal(timestamp_parse(cases[i].text, FIXTURE_TIME_NS, &time_ns), 0);
		assert_true(time_ns == cases[i].expected_ns);
	}
}

static void refuses_what_is_no_time(void **state)
{
	static const char *const invalid[] = {"", "10", "s", "-5m", "5 m", "10ss", "5w",
		"2026-11-21", "2026-11-21T08:00:00", "2026-11-21 08:00:00Z", "2026-13-21T08:00:00Z",
		"2026-11-21T08:00:00.Z", "2026-11-21T08:00:00+2:00", "2026-11-21T08:00:00+25:00",
		"2026-11-21T08:00:00Zz"};
	static const char *const out_of_range[] = {"1969-12-31T23:59:59Z", "99999999999d",
		"99999999999999999999999s", "2600-01-01T00:00:00Z"};
	uint64_t time_ns = 42;

	(void)state;
	for (size_t i = 0; i < sizeof(invalid) / sizeof(invalid[0]); i++)
		assert_int_equal(timestamp_parse(invalid[i], FIXTURE_TIME_NS, &time_ns), -EINVAL);
	for (size_t i = 0; i < sizeof(out_of_range) / sizeof(out_of_range[0]); i++)
		assert_int_equal(
			timestamp_parse(out_of_range[i], FIXTURE_TIME_NS, &time_ns), -ERANGE);
	assert_int_equal(time_ns, 42);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(formats_microseconds_in_utc),
		cmocka_unit_test(agrees_with_the_library),
		cmocka_unit_test(parses_what_it_formats),
		cmocka_unit_test(parses_zones_fractions_and_ages),
		cmocka_unit_test(refuses_what_is_no_time),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
