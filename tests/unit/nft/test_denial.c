/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "dataplane/nft/denial.h"

#include "fixture.h"

#include <errno.h>
#include <netinet/in.h>

/* A SYN from 10.0.0.1:40000 to 10.0.0.2:5432, with four bytes of IP options. */
static const uint8_t syn[] = {0x46, 0, 0, 44, 0, 0, 0x40, 0, 64, 6, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2,
	1, 1, 1, 0, 0x9c, 0x40, 0x15, 0x38, 0, 0, 0, 1, 0, 0, 0, 0, 0x50, 2, 0xff, 0xff, 0, 0, 0,
	0};

/* An ICMPv6 echo request behind a hop-by-hop header. */
static const uint8_t echo[] = {0x60, 0, 0, 0, 0, 16, 0, 64, 0xfd, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
	0, 0, 0, 1, 0xfd, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2, 58, 0, 1, 4, 0, 0, 0, 0, 128,
	0, 0, 0, 0, 1, 0, 1};

static void test_reads_packets(void **state)
{
	struct nflog_packet packet = {0};
	struct address address = fixture_address("10.0.0.2");

	(void)state;
	assert_int_equal(nflog_parse_payload(syn, sizeof(syn), &packet), 0);
	assert_true(address_equal(&packet.destination, &address));
	assert_int_equal(packet.source_port, 40000);
	assert_int_equal(packet.destination_port, 5432);
	assert_int_equal(packet.tcp_flags, 2);
	assert_int_equal(packet.bytes, 44);

	packet = (struct nflog_packet){0};
	assert_int_equal(nflog_parse_payload(echo, sizeof(echo), &packet), 0);
	assert_int_equal(packet.protocol, IPPROTO_ICMPV6);
	assert_int_equal(packet.destination_port, 128 << 8);
	assert_int_equal(packet.bytes, 56);
}

/* Whatever was cut off, nothing behind the end is read. */
static void test_reads_no_further_than_there_is(void **state)
{
	(void)state;
	for (size_t size = 0; size < sizeof(syn); size++) {
		uint8_t *bytes = malloc(size + 1);
		struct nflog_packet packet = {0};

		memcpy(bytes, syn, size);
		bytes = realloc(bytes, size ? size : 1);
		assert_int_equal(
			nflog_parse_payload(bytes, size, &packet), size < 20 ? -EINVAL : 0);
		assert_int_equal(packet.has_transport, size >= 28);
		free(bytes);
	}
	for (size_t size = 1; size < sizeof(echo); size++) {
		uint8_t *bytes = malloc(size);
		struct nflog_packet packet = {0};

		memcpy(bytes, echo, size);
		assert_int_equal(
			nflog_parse_payload(bytes, size, &packet), size < 40 ? -EINVAL : 0);
		assert_int_equal(packet.has_transport, size >= 52);
		free(bytes);
	}
}

static void test_reads_prefixes(void **state)
{
	struct denial_prefix prefix;

	(void)state;
	assert_int_equal(denial_parse_prefix("segd policy_denied egress 0badcafe", &prefix), 0);
	assert_int_equal(prefix.reason, REASON_POLICY_DENIED);
	assert_int_equal(prefix.direction, DIRECTION_EGRESS);
	assert_int_equal(prefix.rule, 0x0badcafe);
	assert_int_equal(denial_parse_prefix("segd no_connection", &prefix), 0);
	assert_int_equal(prefix.reason, REASON_NO_CONNECTION);
	assert_int_equal(prefix.direction, DIRECTION_COUNT);
	assert_int_equal(denial_parse_prefix("segd adopt", &prefix), 0);
	assert_true(prefix.adopt);
	assert_int_equal(denial_parse_prefix("segd", &prefix), -EINVAL);
	assert_int_equal(denial_parse_prefix("IN=eth0 OUT=", &prefix), -EINVAL);
	assert_int_equal(denial_parse_prefix("segd established", &prefix), -EINVAL);
}

/* What the kernel's set counts and what its log says must meet. */
static void test_key_there_and_back(void **state)
{
	static const struct {
		const uint8_t *bytes;
		size_t size;
	} packets[] = {{syn, sizeof(syn)}, {echo, sizeof(echo)}};

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct denial_prefix prefix = {.reason = REASON_POLICY_DENIED};
		struct denial logged = {0}, counted = {0};
		struct nflog_packet packet = {0};

		nflog_parse_payload(packets[i].bytes, packets[i].size, &packet);
		logged.key = denial_key_of_packet(&packet, REASON_POLICY_DENIED);
		denial_from_packet(&logged, &packet, &prefix, 1);
		counted.key = logged.key;
		denial_from_key(&counted, &logged.key, 1);
		assert_true(address_equal(&logged.event.source, &counted.event.source));
		assert_true(address_equal(&logged.event.destination, &counted.event.destination));
		assert_int_equal(logged.event.protocol, counted.event.protocol);
		assert_int_equal(logged.event.destination_port, counted.event.destination_port);
		assert_int_equal(logged.event.icmp_type, counted.event.icmp_type);
		assert_int_equal(logged.event.ethertype, counted.event.ethertype);
		assert_int_equal(logged.event.id, counted.event.id);
		assert_int_equal(counted.event.reason, REASON_POLICY_DENIED);
	}
}

static void test_explains_by_policy(void **state)
{
	struct model *model = fixture_model(0);
	struct ir *ir = fixture_ir(model, FIXTURE_POLICY);
	struct denial denial = {.event = {
					.reason = REASON_POLICY_DENIED,
					.direction = DIRECTION_COUNT,
					.source = fixture_address("10.77.0.2"),
					.destination = fixture_address("10.77.0.4"),
					.protocol = IPPROTO_TCP,
					.destination_port = 5432,
				}};
	char text[128];

	(void)state;
	denial_explain(&denial, ir);
	assert_int_equal(denial.event.direction, DIRECTION_INGRESS);
	assert_string_equal(ir_rule_format(ir_find_rule(ir, denial.event.rule), text, sizeof(text)),
		"no rule of SegmentPolicy shop/db-from-api allows");
	ir_free(ir);
	model_free(model);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_reads_packets),
		cmocka_unit_test(test_reads_no_further_than_there_is),
		cmocka_unit_test(test_reads_prefixes),
		cmocka_unit_test(test_key_there_and_back),
		cmocka_unit_test(test_explains_by_policy),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
