/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "dataplane/host/failsafe.h"

#include "base/cleanup.h"

#include <errno.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static void same_text(const char *text, const char *expected)
{
	char formatted[FAILSAFE_TEXT_MAX];
	struct failsafe failsafe;

	assert_int_equal(failsafe_parse(text, &failsafe, NULL), 0);
	assert_string_equal(failsafe_format(&failsafe, formatted), expected);
}

static void test_text(void **state)
{
	(void)state;
	same_text(FAILSAFE_DEFAULT, FAILSAFE_DEFAULT);
	same_text("in:tcp/22,out:sctp/1", "tcp/22,out:sctp/1");
	same_text("none", "none");
}

static void test_direction_protocol_and_port(void **state)
{
	struct failsafe failsafe;

	(void)state;
	assert_int_equal(failsafe_parse("tcp/22,out:udp/53", &failsafe, NULL), 0);
	assert_true(failsafe_covers(&failsafe, DIRECTION_INGRESS, IPPROTO_TCP, 22));
	assert_true(failsafe_covers(&failsafe, DIRECTION_EGRESS, IPPROTO_UDP, 53));
	assert_false(failsafe_covers(&failsafe, DIRECTION_EGRESS, IPPROTO_TCP, 22));
	assert_false(failsafe_covers(&failsafe, DIRECTION_INGRESS, IPPROTO_UDP, 53));
	assert_false(failsafe_covers(&failsafe, DIRECTION_INGRESS, IPPROTO_UDP, 22));
	assert_false(failsafe_covers(&failsafe, DIRECTION_INGRESS, IPPROTO_TCP, 23));
}

static void refused(const char *text, const char *part)
{
	_cleanup_error_ struct error error = ERROR_INIT;
	struct failsafe failsafe = {.count = 7};

	assert_int_equal(failsafe_parse(text, &failsafe, &error), -EINVAL);
	assert_non_null(strstr(error_message(&error), part));
	assert_int_equal(failsafe.count, 7);
}

static void test_refused(void **state)
{
	char long_list[FAILSAFE_MAX * 8 + 8] = "tcp/1";

	(void)state;
	refused("", "");
	refused("tcp/22,", "");
	refused("22", "22");
	refused("tcp/0", "1-65535");
	refused("tcp/22-23", "no single port");
	refused("tcp/ssh", "no single port");
	refused("icmp/echo-request", "no single port");
	for (size_t i = 0; i < FAILSAFE_MAX; i++)
		strcat(long_list, ",tcp/1");
	refused(long_list, "more than 64");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_text),
		cmocka_unit_test(test_direction_protocol_and_port),
		cmocka_unit_test(test_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
