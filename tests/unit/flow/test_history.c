// SPDX-License-Identifier: GPL-2.0-or-later
#include "fixture.h"

#include "flow/history.h"

#include <errno.h>

static void keeps_the_newest(void **state)
{
	struct history *history;

	(void)state;
	assert_int_equal(history_new(4, SIZE_MAX, &history), 0);
	for (uint64_t id = 0; id < 10; id++) {
		struct record record = {.event = fixture_event(id)};

		history_take(history, &record);
		assert_int_equal(history_count(history), id < 4 ? id + 1 : 4);
	}
	for (size_t i = 0; i < 4; i++)
		assert_int_equal(history_at(history, i)->event.id, 6 + i);
	history_free(history);
}

static void take_copy(struct history *history, const struct record *record)
{
	struct record copy = record_copy(record);

	history_take(history, &copy);
}

/* Names count once, however many records hold them, and no longer than one does. */
static void counts_the_bytes_of_names(void **state)
{
	struct history *history;
	struct name_pool *pool;
	struct record record = {.event = fixture_event(1)};
	size_t name_bytes;

	(void)state;
	assert_int_equal(name_pool_new(&pool), 0);
	assert_int_equal(history_new(2, SIZE_MAX, &history), 0);
	record.source = fixture_name(pool, "{\"workload\": \"web\"}");
	name_bytes = record.source->size_bytes;
	take_copy(history, &record);
	take_copy(history, &record);
	assert_int_equal(history_bytes(history), 2 * sizeof(record) + name_bytes);
	record_clear(&record);
	record.event = fixture_event(2);
	take_copy(history, &record);
	assert_int_equal(history_bytes(history), 2 * sizeof(record) + name_bytes);
	take_copy(history, &record);
	assert_int_equal(history_bytes(history), 2 * sizeof(record));
	assert_int_equal(name_pool_count(pool), 0);
	history_free(history);
	name_pool_free(pool);
}

static void is_bounded_by_bytes_too(void **state)
{
	const size_t bytes_max = 64 * 1024;
	struct history *history;
	char label[4096];

	(void)state;
	memset(label, 'x', sizeof(label) - 1);
	label[sizeof(label) - 1] = '\0';
	assert_int_equal(history_new(1000, bytes_max, &history), 0);
	for (uint64_t id = 0; id < 100; id++) {
		struct record record = {.event = fixture_event(id)};

		record.source = name_new(NULL, json_pack("{s:s}", "workload", label));
		history_take(history, &record);
		assert_true(history_bytes(history) <= bytes_max);
	}
	assert_true(history_count(history) > 0 && history_count(history) < 100);
	assert_int_equal(history_at(history, history_count(history) - 1)->event.id, 99);
	history_free(history);
	assert_int_equal(history_new(0, bytes_max, &history), -EINVAL);
	assert_int_equal(history_new(SIZE_MAX / 8, bytes_max, &history), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(keeps_the_newest),
		cmocka_unit_test(counts_the_bytes_of_names),
		cmocka_unit_test(is_bounded_by_bytes_too),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
