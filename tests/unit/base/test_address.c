/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/address.h"

#include "base/cleanup.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static struct address parse(const char *text)
{
	struct address address;

	if (address_parse(text, &address) < 0)
		fail_msg("%s", text);
	return address;
}

static struct prefix parse_prefix(const char *text)
{
	struct prefix prefix;

	if (prefix_parse(text, &prefix) < 0)
		fail_msg("%s", text);
	return prefix;
}

static void test_address_text(void **state)
{
	static const char *const good[] = {
		"0.0.0.0", "10.1.2.3", "255.255.255.255", "::", "::1", "2001:db8::7", "fe80::1"};
	static const char *const bad[] = {"", "10.1.2", "10.1.2.3.4", "010.1.2.3", "10.1.2.256",
		"::ffff:1.2.3.4", "::ffff:102:304", "fe80::1%eth0", "1:2", " ::", ":::"};
	char text[ADDRESS_TEXT_MAX];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
		struct address address = parse(good[i]);

		assert_string_equal(address_format(&address, text), good[i]);
		assert_int_equal(address_is_ipv4(&address), strchr(good[i], '.') != NULL);
	}
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		struct address address = {{42}};

		if (address_parse(bad[i], &address) != -EINVAL)
			fail_msg("%s was taken", bad[i]);
		assert_int_equal(address.bytes[0], 42);
	}
}

static void test_address_bytes(void **state)
{
	static const uint8_t four[] = {10, 1, 2, 3};
	struct address address = address_from_ipv4(four), same = parse("10.1.2.3");
	struct address six = parse("2001:db8::7"), copied = address_from_ipv6(six.bytes);

	(void)state;
	assert_true(address_equal(&address, &same));
	assert_true(address_equal(&six, &copied));
	assert_false(address_equal(&address, &six));
	assert_true(address_compare(&address, &six) < 0);
}

static void test_prefix_text(void **state)
{
	static const char *const good[] = {"0.0.0.0/0", "10.0.0.0/8", "10.1.2.3/32", "10.1.2.2/31",
		"::/0", "2001:db8::/32", "2001:db8::7/128", "fe80::/10"};
	static const char *const bad[] = {"", "/", "10.0.0.0", "10.0.0.0/", "10.0.0.0/33",
		"10.0.0.0/08", "10.0.0.0/+8", "10.0.0.0/8 ", "10.0.0/8", "::/129", "::/0x1",
		"::ffff:10.0.0.0/104", "10.0.0.0/8/8",
		"1111:1111:1111:1111:1111:1111:1111:1111:1111:1111/8"};
	char text[PREFIX_TEXT_MAX];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
		struct prefix prefix = parse_prefix(good[i]);

		assert_string_equal(prefix_format(&prefix, text), good[i]);
	}
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		struct prefix prefix = {.length = 42};

		if (prefix_parse(bad[i], &prefix) != -EINVAL)
			fail_msg("%s was taken", bad[i]);
		assert_int_equal(prefix.length, 42);
	}
}

static void test_prefix_host_bits(void **state)
{
	static const char *const cases[][2] = {
		{"10.1.2.3/8", "10.0.0.0/8"},
		{"10.1.2.3/31", "10.1.2.2/31"},
		{"10.1.2.3/0", "0.0.0.0/0"},
		{"2001:db8::7/33", "2001:db8::/33"},
		{"::1/127", "::/127"},
	};
	char text[PREFIX_TEXT_MAX];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct prefix prefix;

		assert_int_equal(prefix_parse(cases[i][0], &prefix), -ERANGE);
		assert_string_equal(prefix_format(&prefix, text), cases[i][1]);
	}
}

static void test_prefix_contains(void **state)
{
	static const struct {
		const char *prefix, *address;
		bool contains;
	} cases[] = {
		{"10.0.0.0/8", "10.255.255.255", true},
		{"10.0.0.0/8", "11.0.0.0", false},
		{"10.0.0.128/25", "10.0.0.127", false},
		{"10.0.0.128/25", "10.0.0.128", true},
		{"10.0.0.1/32", "10.0.0.1", true},
		{"0.0.0.0/0", "255.1.2.3", true},
		{"0.0.0.0/0", "2001:db8::1", false},
		{"::/0", "2001:db8::1", true},
		{"::/0", "10.0.0.1", false},
		{"::/80", "10.0.0.1", false},
		{"2001:db8::/33", "2001:db8:8000::", false},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct prefix prefix = parse_prefix(cases[i].prefix);
		struct address address = parse(cases[i].address);

		if (prefix_contains(&prefix, &address) != cases[i].contains)
			fail_msg("%s and %s", cases[i].prefix, cases[i].address);
	}
}

static void test_prefix_covers(void **state)
{
	struct prefix wide = parse_prefix("10.0.0.0/8"), narrow = parse_prefix("10.1.0.0/16");
	struct prefix other = parse_prefix("11.0.0.0/16"), everything = parse_prefix("::/0");

	(void)state;
	assert_true(prefix_covers(&wide, &narrow));
	assert_true(prefix_covers(&wide, &wide));
	assert_false(prefix_covers(&narrow, &wide));
	assert_false(prefix_covers(&wide, &other));
	assert_false(prefix_covers(&everything, &wide));
	assert_true(prefix_compare(&wide, &narrow) < 0);
	assert_true(prefix_compare(&other, &narrow) > 0);
	assert_int_equal(prefix_compare(&wide, &wide), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_address_text),
		cmocka_unit_test(test_address_bytes),
		cmocka_unit_test(test_prefix_text),
		cmocka_unit_test(test_prefix_host_bits),
		cmocka_unit_test(test_prefix_contains),
		cmocka_unit_test(test_prefix_covers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
