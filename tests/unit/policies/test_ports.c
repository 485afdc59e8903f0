/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "policies/ports.h"

#include "base/cleanup.h"

#include <errno.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void test_accepted(void **state)
{
	static const struct {
		const char *text;
		uint8_t protocol;
		const char *name;
		uint16_t first, last;
	} cases[] = {
		{"tcp/5432", IPPROTO_TCP, NULL, 5432, 5432},
		{"tcp/8000-8100", IPPROTO_TCP, NULL, 8000, 8100},
		{"udp/1-65535", IPPROTO_UDP, NULL, 1, 65535},
		{"tcp", IPPROTO_TCP, NULL, 0, 65535},
		{"SCTP/3868", IPPROTO_SCTP, NULL, 3868, 3868},
		{"udp/dns", IPPROTO_UDP, "dns", 0, 65535},
		{"tcp/8080-http", IPPROTO_TCP, "8080-http", 0, 65535},
		{"icmp", IPPROTO_ICMP, NULL, 0, 65535},
		{"icmp/echo-request", IPPROTO_ICMP, NULL, 0x0800, 0x08ff},
		{"icmp/3/4", IPPROTO_ICMP, NULL, 0x0304, 0x0304},
		{"icmpv6/echo-request", IPPROTO_ICMPV6, NULL, 0x8000, 0x80ff},
		{"icmpv6/destination-unreachable/1", IPPROTO_ICMPV6, NULL, 0x0101, 0x0101},
		{"icmp/0", IPPROTO_ICMP, NULL, 0, 0xff},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct policy_port port = {0}, again = {0};
		_cleanup_free_ char *problem = NULL;
		_cleanup_free_ char *written = NULL;

		if (port_parse(cases[i].text, &port, &problem) < 0)
			fail_msg("%s: %s", cases[i].text, problem);
		assert_int_equal(port.protocol, cases[i].protocol);
		assert_int_equal(port.first, cases[i].first);
		assert_int_equal(port.last, cases[i].last);
		if (cases[i].name)
			assert_string_equal(port.name, cases[i].name);
		else
			assert_null(port.name);
		written = port_format(&port);
		assert_non_null(written);
		assert_int_equal(port_parse(written, &again, &problem), 0);
		assert_int_equal(again.protocol, port.protocol);
		assert_int_equal(again.first, port.first);
		assert_int_equal(again.last, port.last);
		assert_int_equal(!again.name, !port.name);
		free(port.name);
		free(again.name);
	}
}

/* In the words that a person would use. */
static void test_format(void **state)
{
	static const struct {
		struct policy_port port;
		const char *text;
	} cases[] = {
		{{.protocol = IPPROTO_TCP, .name = NULL, .first = 0, .last = 65535}, "tcp"},
		{{.protocol = IPPROTO_UDP, .name = NULL, .first = 53, .last = 53}, "udp/53"},
		{{.protocol = IPPROTO_TCP, .name = NULL, .first = 0, .last = 79}, "tcp/0-79"},
		{{.protocol = IPPROTO_SCTP, .name = (char *)"diameter", .first = 0, .last = 65535},
			"sctp/diameter"},
		{{.protocol = IPPROTO_ICMP, .name = NULL, .first = 0x0800, .last = 0x08ff},
			"icmp/echo-request"},
		{{.protocol = IPPROTO_ICMP, .name = NULL, .first = 0x0304, .last = 0x0304},
			"icmp/destination-unreachable/4"},
		{{.protocol = IPPROTO_ICMP, .name = NULL, .first = 0x2a00, .last = 0x2aff},
			"icmp/42"},
		{{.protocol = IPPROTO_ICMPV6, .name = NULL, .first = 0, .last = 0x07ff},
			"icmpv6/0-7"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_free_ char *text = port_format(&cases[i].port);

		assert_string_equal(text, cases[i].text);
	}
	assert_null(port_format(&(struct policy_port){.protocol = IPPROTO_ESP}));
}

static void test_refused(void **state)
{
	static const char *const cases[] = {"", "/", "80", "tcp/", "tcp/0", "tcp/65536", "tcp/080",
		"tcp/+80", "tcp/80-", "tcp/-80", "tcp/90-80", "tcp/80-90-100", "tcp/99999999999",
		"tcp/80 ", " tcp/80", "tcp//80", "http/80", "tcp/a--b", "tcp/-a", "tcp/Http",
		"tcp/abcdefghijklmnop", "icmp/", "icmp/256", "icmp/8/", "icmp/8/256", "icmp/8/0/0",
		"icmp/ping", "icmp/packet-too-big", "icmp/01"};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct policy_port port = {.protocol = 99};
		_cleanup_free_ char *problem = NULL;

		if (port_parse(cases[i], &port, &problem) != -EINVAL)
			fail_msg("\"%s\" was taken", cases[i]);
		assert_non_null(problem);
		assert_int_equal(port.protocol, 99);
	}
}

static void test_protocol_names(void **state)
{
	(void)state;
	assert_string_equal(protocol_name(IPPROTO_TCP), "tcp");
	assert_string_equal(protocol_name(IPPROTO_ICMPV6), "icmpv6");
	assert_null(protocol_name(IPPROTO_GRE));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_accepted),
		cmocka_unit_test(test_format),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_protocol_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
