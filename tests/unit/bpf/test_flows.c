/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "dataplane/bpf/flows.h"

#include "base/clock.h"

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#define START_NS (100 * NS_PER_SECOND)
#define NOW_NS   (160 * NS_PER_SECOND)
#define OFFSET   (1000 * NS_PER_SECOND)

static const struct flow_context context = {
	.now_ns = NOW_NS,
	.realtime_offset_ns = OFFSET,
};

/* From 10.0.0.1:40000 to 10.0.0.2:80, side 0 of the key being either. */
static void tcp_connection(
	struct abi_connection_key *key, struct abi_connection *connection, unsigned int originator)
{
	struct address ends[2];

	assert_int_equal(address_parse("10.0.0.1", &ends[0]), 0);
	assert_int_equal(address_parse("10.0.0.2", &ends[1]), 0);
	*key = (struct abi_connection_key){.protocol = IPPROTO_TCP};
	memcpy(key->address[originator], &ends[0], 16);
	memcpy(key->address[!originator], &ends[1], 16);
	key->port_be[originator] = htons(40000);
	key->port_be[!originator] = htons(80);
	*connection = (struct abi_connection){
		.packets = {10, 20},
		.bytes = {1000, 2000},
		.start_ns = START_NS,
		.last_ns = START_NS + NS_PER_SECOND,
		.ifindex = {3, 4},
		.rule = {[ABI_INGRESS] = 5, [ABI_EGRESS] = 6},
		.mac = {{1, 1, 1, 1, 1, 1}, {2, 2, 2, 2, 2, 2}},
		.tcp_flags = {0x02, 0x12},
		.originator = (uint8_t)originator,
		.id = 42,
		.round_trip_us = {180, 0},
		.retransmissions = {7, 0},
	};
}

static void test_both_sides_of_the_key(void **state)
{
	(void)state;
	for (unsigned int originator = 0; originator < 2; originator++) {
		char text[ADDRESS_TEXT_MAX];
		struct abi_connection_key key;
		struct abi_connection connection;
		struct flow_event event;

		tcp_connection(&key, &connection, originator);
		event = flow_of_connection(FLOW_UPDATE, &key, &connection, &context);
		assert_string_equal(address_format(&event.source, text), "10.0.0.1");
		assert_string_equal(address_format(&event.destination, text), "10.0.0.2");
		assert_int_equal(event.source_port, 40000);
		assert_int_equal(event.destination_port, 80);
		assert_int_equal(event.source_mac[0], 1);
		assert_int_equal(event.packets[0], 10);
		assert_int_equal(event.bytes[1], 2000);
		assert_int_equal(event.tcp_flags, 0x12);
		assert_int_equal(event.round_trip_us[0], 180);
		assert_int_equal(event.round_trip_us[1], 0);
		assert_int_equal(event.retransmissions[0], 7);
		assert_int_equal(event.ethertype, 0x0800);
		assert_int_equal(event.start_ns, START_NS + OFFSET);
		assert_int_equal(event.end_ns, START_NS + NS_PER_SECOND + OFFSET);
		assert_int_equal(event.time_ns, NOW_NS + OFFSET);
	}
}

static void check_decision(const struct abi_connection *connection, enum direction direction,
	uint32_t rule, enum flow_verdict verdict, enum reason reason)
{
	struct abi_connection_key key;
	struct abi_connection ignored;
	struct flow_event event;

	tcp_connection(&key, &ignored, 0);
	event = flow_of_connection(FLOW_NEW, &key, connection, &context);
	assert_int_equal(event.direction, direction);
	assert_int_equal(event.rule, rule);
	assert_int_equal(event.verdict, verdict);
	assert_int_equal(event.reason, reason);
}

static void test_who_decided(void **state)
{
	struct abi_connection_key key;
	struct abi_connection connection;

	(void)state;
	tcp_connection(&key, &connection, 0);
	check_decision(&connection, DIRECTION_EGRESS, 6, FLOW_ALLOWED, REASON_POLICY_ALLOWED);
	/* A rule that somebody wrote says more than the default posture; of two defaults, egress.
	 */
	connection.rule[ABI_EGRESS] = IR_RULE_DEFAULT + 1;
	check_decision(&connection, DIRECTION_INGRESS, 5, FLOW_ALLOWED, REASON_POLICY_ALLOWED);
	connection.rule[ABI_INGRESS] = IR_RULE_DEFAULT + 1;
	check_decision(&connection, DIRECTION_EGRESS, IR_RULE_DEFAULT + 1, FLOW_ALLOWED,
		REASON_POLICY_ALLOWED);
	/* The originator is no subject, so only one direction had a rule. */
	connection.rule[ABI_INGRESS] = 5;
	connection.rule[ABI_EGRESS] = 0;
	connection.flags = ABI_CONNECTION_ADOPTED;
	check_decision(&connection, DIRECTION_INGRESS, 5, FLOW_ALLOWED, REASON_ADOPTED);
	/* Both had, and one audits: the rule does not tell, since the default posture may allow in
	 * one direction what it would refuse in the other. */
	connection.flags = ABI_CONNECTION_AUDITED;
	connection.rule[ABI_EGRESS] = IR_RULE_DEFAULT + 1;
	connection.rule[ABI_INGRESS] = IR_RULE_DEFAULT + 1;
	check_decision(
		&connection, DIRECTION_INGRESS, IR_RULE_DEFAULT + 1, FLOW_AUDITED, REASON_AUDITED);
	connection.flags |= ABI_CONNECTION_AUDITED_EGRESS;
	check_decision(
		&connection, DIRECTION_EGRESS, IR_RULE_DEFAULT + 1, FLOW_AUDITED, REASON_AUDITED);
}

static void test_icmp_has_no_ports(void **state)
{
	struct abi_connection_key key;
	struct abi_connection connection;
	struct flow_event event;

	(void)state;
	tcp_connection(&key, &connection, 0);
	key.protocol = IPPROTO_ICMP;
	connection.type_code = 8 << 8 | 1;
	event = flow_of_connection(FLOW_NEW, &key, &connection, &context);
	assert_int_equal(event.source_port, 0);
	assert_int_equal(event.destination_port, 0);
	assert_int_equal(event.icmp_type, 8);
	assert_int_equal(event.icmp_code, 1);
	assert_int_equal(event.time_ns, START_NS + OFFSET);
}

static void test_ids_differ(void **state)
{
	struct abi_connection_key key;
	struct abi_connection a, b;
	const struct abi_denial_key denial_key = {0};
	const struct abi_denial denial = {.first_ns = START_NS};
	uint64_t id;

	(void)state;
	tcp_connection(&key, &a, 0);
	b = a;
	id = flow_of_connection(FLOW_NEW, &key, &a, &context).id;
	assert_true(flow_of_connection(FLOW_END, &key, &b, &context).id == id);
	assert_true(flow_of_connection(FLOW_UPDATE, &key, &b, &context).lasting_id == id);
	b.id = 43;
	assert_true(flow_of_connection(FLOW_NEW, &key, &b, &context).id != id);
	b.id = 42;
	b.start_ns += NS_PER_SECOND;
	assert_true(flow_of_connection(FLOW_NEW, &key, &b, &context).id != id);
	assert_true(flow_of_denial(&denial_key, &denial, 1, 1, 42, &context).id != id);
	/* JSON numbers are signed. */
	assert_true((int64_t)flow_of_denial(&denial_key, &denial, 1, 1, 42, &context).id > 0);
}

static void test_denial(void **state)
{
	struct abi_denial_key key = {
		.ifindex = 3,
		.rule = 5,
		.port = 443,
		.ethertype = 0x86dd,
		.protocol = IPPROTO_TCP,
		.reason = REASON_POLICY_DENIED,
		.hook = ABI_EGRESS,
		.direction = ABI_INGRESS,
	};
	const struct abi_denial denial = {
		.packets = 100,
		.first_ns = START_NS,
		.last_ns = NOW_NS,
		.source_port = 40000,
		.tcp_flags = 2,
	};
	struct flow_event event = flow_of_denial(&key, &denial, 7, 700, 1, &context);

	(void)state;
	assert_int_equal(event.type, FLOW_DENIED);
	assert_int_equal(event.verdict, FLOW_REFUSED);
	assert_int_equal(event.reason, REASON_POLICY_DENIED);
	assert_int_equal(event.direction, DIRECTION_INGRESS);
	assert_int_equal(event.rule, 5);
	assert_int_equal(event.source_port, 40000);
	assert_int_equal(event.destination_port, 443);
	assert_int_equal(event.packets[0], 7);
	assert_int_equal(event.packets[1], 0);
	assert_int_equal(event.bytes[0], 700);
	assert_int_equal(event.time_ns, NOW_NS + OFFSET);
	key.protocol = IPPROTO_ICMPV6;
	key.port = 128 << 8;
	event = flow_of_denial(&key, &denial, 7, 700, 1, &context);
	assert_int_equal(event.icmp_type, 128);
	assert_int_equal(event.destination_port, 0);
}

static void test_idle_limits(void **state)
{
	struct abi_configuration configuration = {
		.tcp_established_ns = 1,
		.tcp_opening_ns = 2,
		.tcp_half_closed_ns = 3,
		.tcp_closing_ns = 4,
		.udp_ns = 5,
		.other_ns = 6,
	};
	struct abi_connection_key key;
	struct abi_connection connection;

	(void)state;
	tcp_connection(&key, &connection, 0);
	assert_int_equal(connection_idle_limit_ns(&key, &connection, &configuration),
		configuration.tcp_opening_ns);
	connection.flags = ABI_CONNECTION_ESTABLISHED;
	assert_int_equal(connection_idle_limit_ns(&key, &connection, &configuration),
		configuration.tcp_established_ns);
	connection.tcp_flags[ABI_RESPONDER] |= TH_FIN;
	assert_int_equal(connection_idle_limit_ns(&key, &connection, &configuration),
		configuration.tcp_half_closed_ns);
	connection.flags |= ABI_CONNECTION_CLOSING;
	assert_int_equal(connection_idle_limit_ns(&key, &connection, &configuration),
		configuration.tcp_closing_ns);
	connection.flags ^= ABI_CONNECTION_CLOSING | ABI_CONNECTION_RESET;
	assert_int_equal(connection_idle_limit_ns(&key, &connection, &configuration),
		configuration.tcp_closing_ns);
	/* Reset before it was established: over at once, unless the limit is even shorter. */
	configuration.tcp_closing_ns = 10 * NS_PER_SECOND;
	connection.flags &= ~ABI_CONNECTION_ESTABLISHED;
	connection.tcp_flags[ABI_RESPONDER] |= TH_RST;
	assert_int_equal(
		connection_idle_limit_ns(&key, &connection, &configuration), NS_PER_SECOND);
	connection.flags |= ABI_CONNECTION_ESTABLISHED;
	key.protocol = IPPROTO_SCTP;
	assert_int_equal(connection_idle_limit_ns(&key, &connection, &configuration),
		configuration.tcp_closing_ns);
	key.protocol = IPPROTO_UDP;
	assert_int_equal(
		connection_idle_limit_ns(&key, &connection, &configuration), configuration.udp_ns);
	key.protocol = IPPROTO_ICMP;
	assert_int_equal(connection_idle_limit_ns(&key, &connection, &configuration),
		configuration.other_ns);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_both_sides_of_the_key),
		cmocka_unit_test(test_who_decided),
		cmocka_unit_test(test_icmp_has_no_ports),
		cmocka_unit_test(test_ids_differ),
		cmocka_unit_test(test_denial),
		cmocka_unit_test(test_idle_limits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
