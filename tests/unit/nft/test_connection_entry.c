/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "dataplane/nft/connection.h"

#include "base/cleanup.h"
#include "fixture.h"

#include <arpa/inet.h>
#include <endian.h>
#include <errno.h>
#include <linux/netfilter/nf_conntrack_common.h>
#include <linux/netfilter/nf_conntrack_tcp.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>
#include <string.h>

#define MESSAGE_BYTES 2048

union buffer {
	struct nlmsghdr header;
	char bytes[MESSAGE_BYTES];
};

struct way {
	const char *source, *destination;
	uint8_t protocol;
	uint16_t source_port, destination_port; /* ICMP: identifier, and type with code */
};

static void begin(union buffer *buffer, uint8_t family)
{
	struct nfgenmsg *header;

	memset(buffer, 0, sizeof(*buffer));
	mnl_nlmsg_put_header(buffer->bytes);
	buffer->header.nlmsg_type = NFNL_SUBSYS_CTNETLINK << 8 | IPCTNL_MSG_CT_NEW;
	header = mnl_nlmsg_put_extra_header(&buffer->header, sizeof(*header));
	header->nfgen_family = family;
}

static void put_address(struct nlmsghdr *message, uint16_t type, const char *text)
{
	struct address address = fixture_address(text);
	bool ipv4 = address_is_ipv4(&address);

	mnl_attr_put(message, ipv4 ? type : type + CTA_IP_V6_SRC - CTA_IP_V4_SRC, ipv4 ? 4 : 16,
		address.bytes + (ipv4 ? 12 : 0));
}

static void put_way(struct nlmsghdr *message, uint16_t type, const struct way *way)
{
	struct nlattr *tuple = mnl_attr_nest_start(message, type);
	struct nlattr *nest = mnl_attr_nest_start(message, CTA_TUPLE_IP);

	put_address(message, CTA_IP_V4_SRC, way->source);
	put_address(message, CTA_IP_V4_DST, way->destination);
	mnl_attr_nest_end(message, nest);
	nest = mnl_attr_nest_start(message, CTA_TUPLE_PROTO);
	mnl_attr_put_u8(message, CTA_PROTO_NUM, way->protocol);
	if (way->protocol == IPPROTO_ICMPV6) {
		mnl_attr_put_u16(message, CTA_PROTO_ICMPV6_ID, htons(way->source_port));
		mnl_attr_put_u8(
			message, CTA_PROTO_ICMPV6_TYPE, (uint8_t)(way->destination_port >> 8));
		mnl_attr_put_u8(message, CTA_PROTO_ICMPV6_CODE, (uint8_t)way->destination_port);
	} else {
		mnl_attr_put_u16(message, CTA_PROTO_SRC_PORT, htons(way->source_port));
		mnl_attr_put_u16(message, CTA_PROTO_DST_PORT, htons(way->destination_port));
	}
	mnl_attr_nest_end(message, nest);
	mnl_attr_nest_end(message, tuple);
}

static void put_counters(struct nlmsghdr *message, uint16_t type, uint64_t packets, uint64_t bytes)
{
	struct nlattr *nest = mnl_attr_nest_start(message, type);

	mnl_attr_put_u64(message, CTA_COUNTERS_PACKETS, htobe64(packets));
	mnl_attr_put_u64(message, CTA_COUNTERS_BYTES, htobe64(bytes));
	mnl_attr_nest_end(message, nest);
}

static void put_tcp_state(struct nlmsghdr *message, uint8_t state)
{
	struct nlattr *nest = mnl_attr_nest_start(message, CTA_PROTOINFO);
	struct nlattr *tcp = mnl_attr_nest_start(message, CTA_PROTOINFO_TCP);

	mnl_attr_put_u8(message, CTA_PROTOINFO_TCP_WSCALE_REPLY, 7);
	mnl_attr_put_u8(message, CTA_PROTOINFO_TCP_STATE, state);
	mnl_attr_nest_end(message, tcp);
	mnl_attr_nest_end(message, nest);
}

/* Through both kinds of NAT. */
static void put_nated(union buffer *buffer)
{
	const struct way there = {"10.0.0.1", "10.0.0.2", IPPROTO_TCP, 4000, 80};
	const struct way back = {"10.0.0.3", "10.0.0.4", IPPROTO_TCP, 8080, 4001};

	begin(buffer, AF_INET);
	put_way(&buffer->header, CTA_TUPLE_ORIG, &there);
	put_way(&buffer->header, CTA_TUPLE_REPLY, &back);
	mnl_attr_put_u32(&buffer->header, CTA_ID, htonl(0x12345678));
}

static struct connection_entry entry_of(const union buffer *buffer)
{
	struct connection_entry entry;

	assert_int_equal(connection_entry_read(&buffer->header, &entry), 0);
	return entry;
}

static void test_ends_are_those_that_hooks_judge(void **state)
{
	const struct connection_key expected = {
		.source = fixture_address("10.0.0.1"),
		.destination = fixture_address("10.0.0.3"),
		.source_port = 4000,
		.destination_port = 8080,
		.id = 0x12345678,
		.protocol = IPPROTO_TCP,
	};
	struct connection_entry entry;
	union buffer buffer;

	(void)state;
	put_nated(&buffer);
	entry = entry_of(&buffer);
	assert_memory_equal(&entry.key, &expected, sizeof(expected));
	/* It says no more, and that is known. */
	assert_false(entry.counts[0] || entry.counts[1] || entry.has_status ||
		     entry.has_tcp_state || entry.has_left || entry.start_ns || entry.stop_ns);
}

static void test_icmp_has_an_identifier(void **state)
{
	const struct way there = {"2001:db8::1", "2001:db8::2", IPPROTO_ICMPV6, 77, 128 << 8 | 3};
	const struct way back = {"2001:db8::2", "2001:db8::1", IPPROTO_ICMPV6, 78, 129 << 8};
	const struct connection_key expected = {
		.source = fixture_address("2001:db8::1"),
		.destination = fixture_address("2001:db8::2"),
		.source_port = 77,
		.destination_port = 77,
		.type_code = 128 << 8 | 3,
		.protocol = IPPROTO_ICMPV6,
	};
	struct connection_entry entry;
	union buffer buffer;

	(void)state;
	begin(&buffer, AF_INET6);
	put_way(&buffer.header, CTA_TUPLE_ORIG, &there);
	put_way(&buffer.header, CTA_TUPLE_REPLY, &back);
	entry = entry_of(&buffer);
	assert_memory_equal(&entry.key, &expected, sizeof(expected));
}

static void test_all_that_it_says(void **state)
{
	struct connection_entry entry;
	struct nlattr *nest;
	union buffer buffer;

	(void)state;
	put_nated(&buffer);
	mnl_attr_put_u32(&buffer.header, CTA_STATUS, htonl(IPS_SEEN_REPLY | IPS_ASSURED));
	put_tcp_state(&buffer.header, TCP_CONNTRACK_TIME_WAIT);
	put_counters(&buffer.header, CTA_COUNTERS_REPLY, 3, UINT64_C(1) << 40);
	nest = mnl_attr_nest_start(&buffer.header, CTA_TIMESTAMP);
	mnl_attr_put_u64(&buffer.header, CTA_TIMESTAMP_STOP, htobe64(9));
	mnl_attr_put_u64(&buffer.header, CTA_TIMESTAMP_START, htobe64(UINT64_C(1) << 60));
	mnl_attr_nest_end(&buffer.header, nest);
	mnl_attr_put_u32(&buffer.header, CTA_TIMEOUT, htonl(119));
	entry = entry_of(&buffer);
	assert_true(entry.has_status && entry.has_tcp_state && entry.counts[1] && entry.has_left);
	assert_int_equal(entry.status, IPS_SEEN_REPLY | IPS_ASSURED);
	assert_int_equal(entry.tcp_state, TCP_CONNTRACK_TIME_WAIT);
	assert_false(entry.counts[0]);
	assert_int_equal(entry.packets[1], 3);
	assert_int_equal(entry.bytes[1], UINT64_C(1) << 40);
	assert_int_equal(entry.start_ns, UINT64_C(1) << 60);
	assert_int_equal(entry.stop_ns, 9);
	assert_int_equal(entry.left_s, 119);
}

static void test_without_ends_it_is_none(void **state)
{
	const struct way there = {"10.0.0.1", "10.0.0.2", IPPROTO_TCP, 4000, 80};
	struct connection_entry entry;
	union buffer buffer;

	(void)state;
	begin(&buffer, AF_INET);
	mnl_attr_put_u32(&buffer.header, CTA_ID, htonl(1));
	assert_int_equal(connection_entry_read(&buffer.header, &entry), -EINVAL);
	put_way(&buffer.header, CTA_TUPLE_ORIG, &there);
	assert_int_equal(connection_entry_read(&buffer.header, &entry), -EINVAL);
}

/* Not a byte behind the end is looked at, wherever that is. */
static void test_reads_no_further_than_it_goes(void **state)
{
	struct connection_entry entry;
	union buffer buffer;
	uint32_t bytes;

	(void)state;
	put_nated(&buffer);
	bytes = buffer.header.nlmsg_len;
	for (uint32_t i = mnl_nlmsg_size(sizeof(struct nfgenmsg)); i <= bytes; i++) {
		struct nlmsghdr *copy = malloc(i);

		assert_non_null(copy);
		memcpy(copy, &buffer, i);
		copy->nlmsg_len = i;
		/* The id is the last of it. */
		if (!connection_entry_read(copy, &entry))
			assert_int_equal(entry.key.id, i == bytes ? 0x12345678 : 0);
		else
			assert_true(i < bytes);
		free(copy);
	}
}

static const struct nlattr *attribute_of(const struct nlmsghdr *message, uint16_t type)
{
	const struct nlattr *attribute;

	mnl_attr_for_each(attribute, message,
		sizeof(struct nfgenmsg)) if (mnl_attr_get_type(attribute) == type) return attribute;
	return NULL;
}

/* Without the ends the kernel would delete all that it has; without the id, whoever has them now.
 */
static void test_deletion_names_what_it_deletes(void **state)
{
	static const uint16_t types[] = {CTA_TUPLE_ORIG, CTA_ID, CTA_ZONE};
	char request[CONNECTION_REQUEST_BYTES];
	const struct nlmsghdr *deletion;
	union buffer buffer;

	(void)state;
	put_nated(&buffer);
	mnl_attr_put_u16(&buffer.header, CTA_ZONE, htons(5));
	mnl_attr_put_u32(&buffer.header, CTA_STATUS, htonl(IPS_SEEN_REPLY));
	deletion = connection_request_delete(request, &buffer.header);
	assert_non_null(deletion);
	for (size_t i = 0; i < ARRAY_SIZE(types); i++) {
		const struct nlattr *said = attribute_of(&buffer.header, types[i]);
		const struct nlattr *asked = attribute_of(deletion, types[i]);

		assert_non_null(asked);
		assert_int_equal(asked->nla_len, said->nla_len);
		assert_memory_equal(asked, said, said->nla_len);
	}
	assert_null(attribute_of(deletion, CTA_STATUS));
	begin(&buffer, AF_INET);
	mnl_attr_put_u32(&buffer.header, CTA_ID, htonl(1));
	assert_null(connection_request_delete(request, &buffer.header));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_ends_are_those_that_hooks_judge),
		cmocka_unit_test(test_icmp_has_an_identifier),
		cmocka_unit_test(test_all_that_it_says),
		cmocka_unit_test(test_without_ends_it_is_none),
		cmocka_unit_test(test_reads_no_further_than_it_goes),
		cmocka_unit_test(test_deletion_names_what_it_deletes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
