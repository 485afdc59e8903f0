/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Attribute by attribute, and nothing kept of the rest: in a storm of connections, to take a
 * message apart is a large share of what the agent does. So it is done with the kernel's own macros
 * for attributes (rtnetlink(3)), not by the hundred calls of a library that it takes else.
 */
#include "dataplane/nft/connection_entry.h"

#include <netinet/in.h>

#include <endian.h>
#include <errno.h>
#include <linux/netfilter/nf_conntrack_common.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>
#include <linux/rtnetlink.h>
#include <string.h>

/* What packets of one way carry. */
struct tuple {
	struct address source;
	bool has_source;
	uint8_t protocol;
	uint16_t source_port;
	uint16_t icmp_id;
	uint8_t icmp_type;
	uint8_t icmp_code;
};

#define for_each_nested(attribute, left, nest)                                                   \
	for (attribute = RTA_DATA(nest), left = (int)RTA_PAYLOAD(nest); RTA_OK(attribute, left); \
		attribute = RTA_NEXT(attribute, left))

static unsigned int type_of(const struct rtattr *attribute)
{
	return attribute->rta_type & NLA_TYPE_MASK;
}

/* --- Values in network order; where the length is not theirs, what was there stays. --- */

static bool read_bytes(const struct rtattr *attribute, void *ret, size_t size)
{
	if (RTA_PAYLOAD(attribute) != size)
		return false;
	memcpy(ret, RTA_DATA(attribute), size);
	return true;
}

static bool read_u8(const struct rtattr *attribute, uint8_t *ret)
{
	return read_bytes(attribute, ret, sizeof(*ret));
}

static void read_be16(const struct rtattr *attribute, uint16_t *ret)
{
	uint16_t value;

	if (read_bytes(attribute, &value, sizeof(value)))
		*ret = ntohs(value);
}

static bool read_be32(const struct rtattr *attribute, uint32_t *ret)
{
	uint32_t value;
	bool valid = read_bytes(attribute, &value, sizeof(value));

	if (valid)
		*ret = ntohl(value);
	return valid;
}

static bool read_be64(const struct rtattr *attribute, uint64_t *ret)
{
	uint64_t value;
	bool valid = read_bytes(attribute, &value, sizeof(value));

	if (valid)
		*ret = be64toh(value);
	return valid;
}

/* --- Nests ----------------------------------------------------------------------------------- */

static void read_addresses(const struct rtattr *nest, struct tuple *tuple)
{
	struct rtattr *attribute;
	int left;

	for_each_nested(attribute, left, nest)
	{
		const void *bytes = RTA_DATA(attribute);
		size_t length = RTA_PAYLOAD(attribute);

		switch (type_of(attribute)) {
		case CTA_IP_V4_SRC:
			tuple->has_source = length == sizeof(struct in_addr);
			if (tuple->has_source)
				tuple->source = address_from_ipv4(bytes);
			break;
		case CTA_IP_V6_SRC:
			tuple->has_source = length == sizeof(struct in6_addr);
			if (tuple->has_source)
				tuple->source = address_from_ipv6(bytes);
			break;
		}
	}
}

static void read_protocol(const struct rtattr *nest, struct tuple *tuple)
{
	struct rtattr *attribute;
	int left;

	for_each_nested(attribute, left, nest)
	{
		switch (type_of(attribute)) {
		case CTA_PROTO_NUM:
			read_u8(attribute, &tuple->protocol);
			break;
		case CTA_PROTO_SRC_PORT:
			read_be16(attribute, &tuple->source_port);
			break;
		case CTA_PROTO_ICMP_ID:
		case CTA_PROTO_ICMPV6_ID:
			read_be16(attribute, &tuple->icmp_id);
			break;
		case CTA_PROTO_ICMP_TYPE:
		case CTA_PROTO_ICMPV6_TYPE:
			read_u8(attribute, &tuple->icmp_type);
			break;
		case CTA_PROTO_ICMP_CODE:
		case CTA_PROTO_ICMPV6_CODE:
			read_u8(attribute, &tuple->icmp_code);
			break;
		}
	}
}

static void read_tuple(const struct rtattr *nest, struct tuple *tuple)
{
	struct rtattr *attribute;
	int left;

	for_each_nested(attribute, left, nest)
	{
		switch (type_of(attribute)) {
		case CTA_TUPLE_IP:
			read_addresses(attribute, tuple);
			break;
		case CTA_TUPLE_PROTO:
			read_protocol(attribute, tuple);
			break;
		}
	}
}

/* What tells who put an entry in. Window scaling, which nearly all agree on, conntrack would have
 * noted of both ends where it saw a SYN. */
static uint8_t read_origin(const struct rtattr *attribute)
{
	struct nf_ct_tcp_flags flags = {0};

	read_bytes(attribute, &flags, sizeof(flags));
	return flags.flags & CONNECTION_PUT_BACK;
}

static void read_tcp(const struct rtattr *nest, struct connection_entry *entry)
{
	struct rtattr *attribute;
	int left;
	uint8_t origin[2] = {0};

	for_each_nested(attribute, left, nest)
	{
		switch (type_of(attribute)) {
		case CTA_PROTOINFO_TCP_STATE:
			entry->has_tcp_state = read_u8(attribute, &entry->tcp_state);
			break;
		case CTA_PROTOINFO_TCP_FLAGS_ORIGINAL:
			origin[0] = read_origin(attribute);
			break;
		case CTA_PROTOINFO_TCP_FLAGS_REPLY:
			origin[1] = read_origin(attribute);
			break;
		}
	}
	entry->picked_up = origin[0] == CONNECTION_SUPPOSED && origin[1] == CONNECTION_SUPPOSED;
	entry->put_back = origin[0] == CONNECTION_PUT_BACK && origin[1] == CONNECTION_PUT_BACK;
}

static void read_protocol_state(const struct rtattr *nest, struct connection_entry *entry)
{
	struct rtattr *attribute;
	int left;

	for_each_nested(attribute, left, nest)
	{
		if (type_of(attribute) == CTA_PROTOINFO_TCP)
			read_tcp(attribute, entry);
	}
}

static void read_counts(const struct rtattr *nest, struct connection_entry *entry, unsigned int way)
{
	struct rtattr *attribute;
	int left;

	for_each_nested(attribute, left, nest)
	{
		switch (type_of(attribute)) {
		case CTA_COUNTERS_PACKETS:
			entry->counts[way] = read_be64(attribute, &entry->packets[way]);
			break;
		case CTA_COUNTERS_BYTES:
			read_be64(attribute, &entry->bytes[way]);
			break;
		}
	}
}

static void read_times(const struct rtattr *nest, struct connection_entry *entry)
{
	struct rtattr *attribute;
	int left;

	for_each_nested(attribute, left, nest)
	{
		switch (type_of(attribute)) {
		case CTA_TIMESTAMP_START:
			read_be64(attribute, &entry->start_ns);
			break;
		case CTA_TIMESTAMP_STOP:
			read_be64(attribute, &entry->stop_ns);
			break;
		}
	}
}

/* --- The whole ------------------------------------------------------------------------------- */

/* Where packets of one way come from says it all: they go where the other way's come from. */
static int set_key(
	struct connection_key *key, const struct tuple *original, const struct tuple *reply)
{
	bool icmp = original->protocol == IPPROTO_ICMP || original->protocol == IPPROTO_ICMPV6;

	if (!original->has_source || !reply->has_source)
		return -EINVAL;
	key->source = original->source;
	key->destination = reply->source;
	key->protocol = original->protocol;
	key->source_port = icmp ? original->icmp_id : original->source_port;
	key->destination_port = icmp ? original->icmp_id : reply->source_port;
	if (icmp)
		key->type_code = (uint16_t)(original->icmp_type << 8 | original->icmp_code);
	return 0;
}

int connection_entry_read(const struct nlmsghdr *message, struct connection_entry *ret)
{
	struct rtattr *attribute = mnl_nlmsg_get_payload_offset(message, sizeof(struct nfgenmsg));
	int left = (int)(mnl_nlmsg_get_payload_len(message) - MNL_ALIGN(sizeof(struct nfgenmsg)));
	struct tuple original = {0}, reply = {0};

	*ret = (struct connection_entry){0};
	for (; RTA_OK(attribute, left); attribute = RTA_NEXT(attribute, left)) {
		switch (type_of(attribute)) {
		case CTA_TUPLE_ORIG:
			read_tuple(attribute, &original);
			break;
		case CTA_TUPLE_REPLY:
			read_tuple(attribute, &reply);
			break;
		case CTA_STATUS:
			ret->has_status = read_be32(attribute, &ret->status);
			break;
		case CTA_PROTOINFO:
			read_protocol_state(attribute, ret);
			break;
		case CTA_COUNTERS_ORIG:
			read_counts(attribute, ret, 0);
			break;
		case CTA_COUNTERS_REPLY:
			read_counts(attribute, ret, 1);
			break;
		case CTA_ID:
			read_be32(attribute, &ret->key.id);
			break;
		case CTA_TIMESTAMP:
			read_times(attribute, ret);
			break;
		case CTA_TIMEOUT:
			ret->has_left = read_be32(attribute, &ret->left_s);
			break;
		}
	}
	return set_key(&ret->key, &original, &reply);
}
