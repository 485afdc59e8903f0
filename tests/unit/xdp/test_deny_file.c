/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "dataplane/xdp/deny_file.h"

#include "base/cleanup.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static int read_bytes(const char *text, size_t size, struct deny_ranges *ranges, size_t *prefixes,
	struct error *error)
{
	_cleanup_file_ FILE *stream = fmemopen((void *)text, size, "r");

	assert_non_null(stream);
	return deny_stream_read(stream, "list", ranges, prefixes, error);
}

static int read_text(
	const char *text, struct deny_ranges *ranges, size_t *prefixes, struct error *error)
{
	return read_bytes(text, strlen(text), ranges, prefixes, error);
}

static void as_published(void **state)
{
	_cleanup_deny_ranges_ struct deny_ranges ranges = {0};
	size_t prefixes = 0;

	(void)state;
	assert_int_equal(read_text("; Spamhaus DROP List\n"
				   "1.10.16.0/20 ; SBL256894\r\n"
				   "\n"
				   "# FireHOL\n"
				   "  \t\n"
				   "203.0.113.7\n"
				   "\t2001:db8::/32# behind\n"
				   "2001:db9::1",
				 &ranges, &prefixes, NULL),
		0);
	assert_int_equal(prefixes, 4);
	assert_int_equal(ranges.count, 4);
	assert_int_equal(ranges.items[0].first[1], 0xffff010a1000);
	assert_int_equal(ranges.items[0].last[1], 0xffff010a1fff);
	assert_int_equal(ranges.items[1].first[1], ranges.items[1].last[1]);
	assert_int_equal(ranges.items[2].first[0], 0x20010db800000000);
}

static void refused(const char *text, const char *message)
{
	_cleanup_deny_ranges_ struct deny_ranges ranges = {0};
	_cleanup_error_ struct error error = ERROR_INIT;
	size_t prefixes = 77;

	assert_int_equal(read_text(text, &ranges, &prefixes, &error), -EINVAL);
	assert_string_equal(error_message(&error), message);
	assert_int_equal(prefixes, 77);
}

static void mistakes_have_their_place(void **state)
{
	(void)state;
	refused("1.2.3.4\n10.0.0.1/8\n",
		"list:2: '10.0.0.1/8' has bits behind its length, expected 10.0.0.0/8");
	refused("example.org\n",
		"list:1: 'example.org' is no prefix, expected one like 192.0.2.0/24 or "
		"2001:db8::/32, or an address");
	refused("0.0.0.0/0\n",
		"list:1: '0.0.0.0/0' would deny everything, expected a longer prefix");
	refused("::/0\n", "list:1: '::/0' would deny everything, expected a longer prefix");
	refused("::ffff:1.2.3.4\n",
		"list:1: '::ffff:1.2.3.4' is no prefix, expected one like 192.0.2.0/24 or "
		"2001:db8::/32, or an address");
	refused("::/0\n1.2.3.4\n0.0.0.0/0",
		"list:1: '::/0' would deny everything, expected a longer prefix; "
		"list:3: '0.0.0.0/0' would deny everything, expected a longer prefix");
}

static void many_mistakes_are_counted(void **state)
{
	_cleanup_deny_ranges_ struct deny_ranges ranges = {0};
	_cleanup_error_ struct error error = ERROR_INIT;
	size_t prefixes;

	(void)state;
	assert_int_equal(
		read_text("x\nx\nx\nx\nx\nx\nx\nx\nx\nx\n", &ranges, &prefixes, &error), -EINVAL);
	assert_non_null(strstr(error_message(&error), "list:8: "));
	assert_null(strstr(error_message(&error), "list:9: "));
	assert_non_null(strstr(error_message(&error), "; and 2 more"));
}

static void zero_bytes_end_nothing(void **state)
{
	static const char text[] = "1.2.3.4\0 5.6.7.8\n";
	_cleanup_deny_ranges_ struct deny_ranges ranges = {0};
	_cleanup_error_ struct error error = ERROR_INIT;
	size_t prefixes;

	(void)state;
	assert_int_equal(read_bytes(text, sizeof(text) - 1, &ranges, &prefixes, &error), -EINVAL);
	assert_string_equal(
		error_message(&error), "list:1: '1.2.3.4' goes on with a zero byte, expected text");
}

static void no_file(void **state)
{
	_cleanup_deny_ranges_ struct deny_ranges ranges = {0};
	_cleanup_error_ struct error error = ERROR_INIT;
	size_t prefixes;

	(void)state;
	assert_int_equal(deny_file_read("/nonexistent", &ranges, &prefixes, &error), -ENOENT);
	assert_string_equal(
		error_message(&error), "open deny list /nonexistent: No such file or directory");
	assert_int_equal(deny_file_read("/dev/null", &ranges, &prefixes, &error), -EINVAL);
	assert_string_equal(error_message(&error), "deny list /dev/null is no regular file");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(as_published),
		cmocka_unit_test(mistakes_have_their_place),
		cmocka_unit_test(many_mistakes_are_counted),
		cmocka_unit_test(zero_bytes_end_nothing),
		cmocka_unit_test(no_file),
	};

	return cmocka_run_group_tests_name("deny_file", tests, NULL, NULL);
}
