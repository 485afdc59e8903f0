// SPDX-License-Identifier: GPL-2.0-or-later
#include "flow/store_notes.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define MAX 100

static void note(
	struct store_notes *notes, enum flow_event_type type, uint64_t id, uint64_t packets)
{
	const struct flow_event event = {
		.type = type, .id = id, .packets = {packets, 1}, .bytes = {packets * 60, 2}};

	store_notes_add(notes, &event, MAX);
}

static void expect(const struct store_notes *notes, size_t i, uint64_t id, uint64_t packets,
	bool began, bool ended)
{
	const struct store_note *found = &notes->items[i];

	assert_true(i < notes->count);
	assert_int_equal(found->id, id);
	assert_int_equal(found->packets[0], packets);
	assert_int_equal(found->packets[1], 1);
	assert_int_equal(found->bytes[0], packets * 60);
	assert_int_equal(found->bytes[1], 2);
	assert_int_equal(found->began, began);
	assert_int_equal(found->ended, ended);
}

static void test_leaves_the_last_of_each(void **state)
{
	struct store_notes notes = {0};

	(void)state;
	note(&notes, FLOW_NEW, 9, 1);
	note(&notes, FLOW_UPDATE, 3, 5);
	note(&notes, FLOW_UPDATE, 9, 7);
	note(&notes, FLOW_UPDATE, 3, 6);
	note(&notes, FLOW_END, 4, 8);
	store_notes_settle(&notes);
	assert_int_equal(notes.count, 3);
	expect(&notes, 0, 3, 6, false, false);
	expect(&notes, 1, 4, 8, false, true);
	expect(&notes, 2, 9, 7, true, false);
	store_notes_clear(&notes);
	assert_int_equal(notes.count, 0);
}

static void test_leaves_nothing_of_what_began_and_ended(void **state)
{
	struct store_notes notes = {0};

	(void)state;
	note(&notes, FLOW_NEW, 1, 1);
	note(&notes, FLOW_NEW, 2, 1);
	note(&notes, FLOW_UPDATE, 2, 3);
	note(&notes, FLOW_END, 2, 4);
	note(&notes, FLOW_END, 1, 4);
	note(&notes, FLOW_NEW, 3, 1);
	store_notes_settle(&notes);
	assert_int_equal(notes.count, 1);
	expect(&notes, 0, 3, 1, true, false);
	/* Though it was settled between. */
	note(&notes, FLOW_END, 3, 2);
	store_notes_settle(&notes);
	assert_int_equal(notes.count, 0);
	store_notes_settle(&notes);
	assert_int_equal(notes.count, 0);
	store_notes_clear(&notes);
}

static void test_takes_what_follows_an_end_for_itself(void **state)
{
	struct store_notes notes = {0};

	(void)state;
	note(&notes, FLOW_NEW, 1, 1);
	note(&notes, FLOW_END, 1, 4);
	note(&notes, FLOW_UPDATE, 1, 5);
	store_notes_settle(&notes);
	assert_int_equal(notes.count, 1);
	expect(&notes, 0, 1, 5, false, false);
	store_notes_clear(&notes);
}

static void test_is_bounded_by_connections(void **state)
{
	struct store_notes notes = {0};

	(void)state;
	/* Of a hundred that go on as much as is told ... */
	for (uint64_t i = 0; i < 50 * MAX; i++)
		note(&notes, i < MAX ? FLOW_NEW : FLOW_UPDATE, i % MAX, i);
	assert_true(notes.size <= 2 * MAX);
	store_notes_settle(&notes);
	assert_int_equal(notes.count, MAX);
	for (size_t i = 0; i < MAX; i++)
		expect(&notes, i, i, 49 * MAX + i, true, false);
	/* ... and no others, but what they do is still told. */
	for (uint64_t i = 0; i < 50 * MAX; i++)
		note(&notes, FLOW_NEW, MAX + i, 1);
	note(&notes, FLOW_END, 7, 9);
	assert_true(notes.size <= 2 * MAX);
	store_notes_settle(&notes);
	for (size_t i = 0; i < 7; i++)
		expect(&notes, i, i, 49 * MAX + i, true, false);
	expect(&notes, 7, 8, 49 * MAX + 8, true, false);
	store_notes_clear(&notes);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_leaves_the_last_of_each),
		cmocka_unit_test(test_leaves_nothing_of_what_began_and_ended),
		cmocka_unit_test(test_takes_what_follows_an_end_for_itself),
		cmocka_unit_test(test_is_bounded_by_connections),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
