/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/utf8.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

/* Characters of one, two, three and four bytes. */
#define TEXT "a\xc3\xb6\xe2\x82\xac\xf0\x9f\x90\xa7z"

static void test_length_ends_with_a_character(void **state)
{
	static const size_t expected[] = {0, 1, 1, 3, 3, 3, 6, 6, 6, 6, 10, 11, 11};

	(void)state;
	for (size_t max = 0; max < sizeof(expected) / sizeof(expected[0]); max++)
		assert_int_equal(utf8_length(TEXT, max), expected[max]);
	assert_int_equal(utf8_length("", 5), 0);
}

static void test_what_printf_cut_is_trimmed(void **state)
{
	(void)state;
	for (size_t size = 1; size <= sizeof(TEXT); size++) {
		char text[sizeof(TEXT)];

		snprintf(text, size, "%s", TEXT);
		assert_int_equal(utf8_trim(text), utf8_length(TEXT, size - 1));
		assert_int_equal(strlen(text), utf8_length(TEXT, size - 1));
		assert_memory_equal(text, TEXT, strlen(text));
	}
}

/* What never was UTF-8 is not made less. */
static void test_other_bytes_stay(void **state)
{
	char bytes[] = "\x80\x80\x80\x80\x80\x80";

	(void)state;
	assert_int_equal(utf8_trim(bytes), 6);
	assert_int_equal(utf8_length(bytes, 3), 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_length_ends_with_a_character),
		cmocka_unit_test(test_what_printf_cut_is_trimmed),
		cmocka_unit_test(test_other_bytes_stay),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
