/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "dump_cursor.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static void test_there_and_back(void **state)
{
	struct dump_cursor cursor = {.phase = 3, .started = true}, back;
	char text[DUMP_CURSOR_TEXT_MAX];

	(void)state;
	for (size_t i = 0; i < sizeof(cursor.token); i++)
		cursor.token[i] = (uint8_t)(i * 37);
	assert_int_equal(dump_cursor_parse(dump_cursor_format(&cursor, text), &back), 0);
	assert_int_equal(strlen(text), DUMP_CURSOR_TEXT_MAX - 1);
	assert_int_equal(back.phase, 3);
	assert_true(back.started);
	assert_memory_equal(back.token, cursor.token, sizeof(cursor.token));
}

static void test_what_is_none(void **state)
{
	struct dump_cursor cursor = {0}, kept = {.phase = 9};
	char text[DUMP_CURSOR_TEXT_MAX + 1];

	(void)state;
	assert_int_equal(dump_cursor_parse("", &kept), -EINVAL);
	assert_int_equal(dump_cursor_parse("00", &kept), -EINVAL);
	dump_cursor_format(&cursor, text);
	text[5] = 'x';
	assert_int_equal(dump_cursor_parse(text, &kept), -EINVAL);
	dump_cursor_format(&cursor, text);
	text[5] = 'A';
	assert_int_equal(dump_cursor_parse(text, &kept), -EINVAL);
	dump_cursor_format(&cursor, text);
	strcat(text, "0");
	assert_int_equal(dump_cursor_parse(text, &kept), -EINVAL);
	assert_int_equal(kept.phase, 9);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_there_and_back),
		cmocka_unit_test(test_what_is_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
