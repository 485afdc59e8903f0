// SPDX-License-Identifier: GPL-2.0-or-later
#include "fixture.h"

#include "flow/protocol.h"

#include <errno.h>

static void names_protocols_both_ways(void **state)
{
	static const struct {
		uint16_t ethertype;
		uint8_t protocol;
		const char *text;
	} cases[] = {
		{0x0800, IPPROTO_TCP, "tcp"},
		{0x86dd, IPPROTO_UDP, "udp"},
		{0, IPPROTO_SCTP, "sctp"},
		{0x0800, IPPROTO_ICMP, "icmp"},
		{0x86dd, IPPROTO_ICMPV6, "icmpv6"},
		{0x0806, 0, "arp"},
		{0x0800, 47, "47"},
		{0x0800, 0, "0"},
		{0x88cc, 0, "0x88cc"},
		{0x88cc, IPPROTO_TCP, "0x88cc"},
	};
	char text[PROTOCOL_TEXT_MAX];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		bool ip = protocol_is_ip(cases[i].ethertype);
		uint16_t ethertype = 1;
		uint8_t protocol = 1;

		assert_string_equal(protocol_format(cases[i].ethertype, cases[i].protocol, text),
			cases[i].text);
		assert_int_equal(protocol_parse(cases[i].text, &ethertype, &protocol), 0);
		assert_int_equal(ethertype, ip ? 0 : cases[i].ethertype);
		assert_int_equal(protocol, ip ? cases[i].protocol : 0);
	}
}

static void refuses_unknown_protocols(void **state)
{
	static const char *const invalid[] = {"", "tcpp", "256", "-1", "0x", "0x10000", "6 ", "1x"};
	uint16_t ethertype;
	uint8_t protocol;

	(void)state;
	for (size_t i = 0; i < sizeof(invalid) / sizeof(invalid[0]); i++)
		assert_int_equal(protocol_parse(invalid[i], &ethertype, &protocol), -EINVAL);
}

static void writes_and_reads_each_set_of_flags(void **state)
{
	char text[TCP_FLAGS_TEXT_MAX];
	uint8_t parsed;

	(void)state;
	assert_string_equal(tcp_flags_format(0x12, text), "SA");
	assert_string_equal(tcp_flags_format(0xff, text), "FSRPAUEC");
	for (unsigned int flags = 0; flags < 256; flags++) {
		assert_int_equal(
			tcp_flags_parse(tcp_flags_format((uint8_t)flags, text), &parsed), 0);
		assert_int_equal(parsed, flags);
	}
	assert_int_equal(tcp_flags_parse("SX", &parsed), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_protocols_both_ways),
		cmocka_unit_test(refuses_unknown_protocols),
		cmocka_unit_test(writes_and_reads_each_set_of_flags),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
