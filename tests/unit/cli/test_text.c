/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "text.h"

#include <locale.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

/* Takes text. */
static void is(char *text, const char *expected)
{
	assert_string_equal(text, expected);
	free(text);
}

static void test_width_counts_columns(void **state)
{
	(void)state;
	assert_int_equal(text_width(""), 0);
	assert_int_equal(text_width("abc"), 3);
	assert_int_equal(text_width("\u2026\u00e9"), 2);
	assert_int_equal(text_width("\u4e16"), 2);    /* a wide character */
	assert_int_equal(text_width("a\xff\x01"), 3); /* each shown as '?' */
}

static void test_shorten_keeps_both_ends(void **state)
{
	(void)state;
	is(text_shorten("shop/api", 8), "shop/api");
	is(text_shorten("payments/settlement-7f9c4d", 11), "payme\u2026f9c4d");
	is(text_shorten("abcdef", 1), "\u2026");
	is(text_shorten("", 0), "");
}

static void test_shorten_never_exceeds_the_width(void **state)
{
	static const char *const names[] = {"a", "shop/db", "\u4e16\u754c\u4e16\u754c\u4e16\u754c",
		"caf\u00e9-\u4e16\u754c-0123456789", "0123456789012345678901234567890123456789"};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		for (size_t width = 1; width < 50; width++) {
			char *shortened = text_shorten(names[i], width);

			assert_true(text_width(shortened) <= width);
			free(shortened);
		}
	}
}

static void test_printable_holds_no_control_characters(void **state)
{
	(void)state;
	is(text_printable("a\x1b[31mb\nc\td"), "a?[31mb?c?d");
	is(text_printable("broken \xc3( and \xe2\x82"), "broken ?( and ??");
	is(text_printable("caf\u00e9"), "caf\u00e9");
	is(text_printable("c1 \xc2\x9b[31m, turned \u202e\u2066\u061c"), "c1 ?[31m, turned ???");
}

static void test_numbers(void **state)
{
	(void)state;
	is(text_count(0), "0");
	is(text_count(99999), "99999");
	is(text_count(100000), "100k");
	is(text_count(1234567), "1.2M");
	is(text_count(999999), "1.0M");
	is(text_bytes(1023), "1023 B");
	is(text_bytes(1024), "1.0 KiB");
	is(text_bytes(98 * 1024), "98 KiB");
	is(text_bytes(9700000000.0), "9.0 GiB");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_width_counts_columns),
		cmocka_unit_test(test_shorten_keeps_both_ends),
		cmocka_unit_test(test_shorten_never_exceeds_the_width),
		cmocka_unit_test(test_printable_holds_no_control_characters),
		cmocka_unit_test(test_numbers),
	};

	setlocale(LC_ALL, "C.UTF-8");
	return cmocka_run_group_tests(tests, NULL, NULL);
}
