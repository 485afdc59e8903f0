// SPDX-License-Identifier: GPL-2.0-or-later
#include "fixture.h"

#include "flow/store_spans.h"

#define MINUTE 60
#define HOUR   3600
#define DAY    86400

static const int64_t complete[STORE_LEVELS];

/* Spans follow each other without a hole and say where they begin and end. */
static size_t cover(
	int64_t since, int64_t until, const int64_t *horizons, int64_t *ret_first, int64_t *ret_end)
{
	struct store_span spans[STORE_SPANS_MAX];
	size_t count = store_spans(since, until, horizons, spans);

	assert_true(count <= STORE_SPANS_MAX);
	for (size_t i = 0; i < count; i++) {
		int64_t step = store_level_seconds[spans[i].level];

		assert_true(spans[i].first < spans[i].end);
		assert_int_equal(spans[i].first % step, 0);
		assert_int_equal(spans[i].end % step, 0);
		assert_true(spans[i].first >= horizons[spans[i].level]);
		if (i)
			assert_int_equal(spans[i].first, spans[i - 1].end);
	}
	*ret_first = count ? spans[0].first : 0;
	*ret_end = count ? spans[count - 1].end : 0;
	return count;
}

static void whole_days_are_one_span(void **state)
{
	int64_t first, end;

	(void)state;
	assert_int_equal(cover(10 * DAY, 40 * DAY, complete, &first, &end), 1);
	assert_int_equal(first, 10 * DAY);
	assert_int_equal(end, 40 * DAY);
}

static void odd_ends_are_hours_and_minutes(void **state)
{
	int64_t first, end;

	(void)state;
	assert_int_equal(
		cover(10 * DAY - HOUR - MINUTE, 12 * DAY + HOUR + MINUTE, complete, &first, &end),
		5);
	assert_int_equal(first, 10 * DAY - HOUR - MINUTE);
	assert_int_equal(end, 12 * DAY + HOUR + MINUTE);
}

static void times_within_a_minute_take_the_minute(void **state)
{
	int64_t first, end;

	(void)state;
	assert_int_equal(cover(DAY + 61, DAY + 62, complete, &first, &end), 1);
	assert_int_equal(first, DAY + 60);
	assert_int_equal(end, DAY + 120);
}

static void where_minutes_are_gone_hours_answer(void **state)
{
	const int64_t horizons[STORE_LEVELS] = {0, 0, 10 * DAY + 5 * HOUR};
	int64_t first, end;

	(void)state;
	cover(10 * DAY + 3 * HOUR + 5 * MINUTE, 10 * DAY + 9 * HOUR + 5 * MINUTE, horizons, &first,
		&end);
	assert_int_equal(first, 10 * DAY + 3 * HOUR);
	assert_int_equal(end, 10 * DAY + 9 * HOUR + 5 * MINUTE);
}

/* Random intervals against random horizons: nothing is left out, at most one coarser step is added
 * on each side, and no level is asked before its horizon. */
static void random_intervals_are_covered(void **state)
{
	unsigned int seed = 20261121;

	(void)state;
	for (int i = 0; i < 100000; i++) {
		int64_t day = 1 + rand_r(&seed) % 4, hour = rand_r(&seed) % 30;
		const int64_t horizons[STORE_LEVELS] = {DAY, day * DAY, day * DAY + hour * HOUR};
		int64_t since = rand_r(&seed) % (6 * DAY), first, end;
		int64_t until = since + 1 + rand_r(&seed) % (3 * DAY);

		if (!cover(since, until, horizons, &first, &end)) {
			assert_true(until <= DAY);
			continue;
		}
		assert_true(first <= since || first == DAY);
		assert_true(end >= until);
		assert_true(first > since - DAY || first == DAY);
		assert_true(end < until + DAY);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(whole_days_are_one_span),
		cmocka_unit_test(odd_ends_are_hours_and_minutes),
		cmocka_unit_test(times_within_a_minute_take_the_minute),
		cmocka_unit_test(where_minutes_are_gone_hours_answer),
		cmocka_unit_test(random_intervals_are_covered),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
