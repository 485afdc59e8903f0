/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "dataplane/nft/connection_entry.h"

#include "dataplane/nft/attribute_walk.h"

#include <netinet/in.h>

#include <endian.h>
#include <errno.h>
#include <linux/netfilter/nf_conntrack_common.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>

/* Of one way. Where its packets come from says it all: they go where the other way's come from. */
struct tuple {
	struct address source;
	uint16_t source_port; /* ICMP: its identifier */
	uint16_t type_code;
	uint8_t protocol;
	bool has_source;
};

static uint16_t get_u16(const struct nlattr *attribute)
{
	return ntohs(mnl_attr_get_u16(attribute));
}

static uint64_t get_u64(const struct nlattr *attribute)
{
	return be64toh(mnl_attr_get_u64(attribute));
}

static void read_source(const struct nlattr *nest, struct tuple *tuple)
{
	struct attribute_walk walk = attribute_walk_nest(nest);
	const struct nlattr *attribute;

	while ((attribute = attribute_walk_next(&walk))) {
		switch (attribute_type(attribute)) {
		case CTA_IP_V4_SRC:
			tuple->source = address_from_ipv4(mnl_attr_get_payload(attribute));
			tuple->has_source = true;
			return;
		case CTA_IP_V6_SRC:
			tuple->source = address_from_ipv6(mnl_attr_get_payload(attribute));
			tuple->has_source = true;
			return;
		default:
			break;
		}
	}
}

static void read_protocol(const struct nlattr *nest, struct tuple *tuple)
{
	struct attribute_walk walk = attribute_walk_nest(nest);
	const struct nlattr *attribute;

	while ((attribute = attribute_walk_next(&walk))) {
		switch (attribute_type(attribute)) {
		case CTA_PROTO_NUM:
			tuple->protocol = mnl_attr_get_u8(attribute);
			break;
		case CTA_PROTO_SRC_PORT:
		case CTA_PROTO_ICMP_ID:
		case CTA_PROTO_ICMPV6_ID:
			tuple->source_port = get_u16(attribute);
			break;
		case CTA_PROTO_ICMP_TYPE:
		case CTA_PROTO_ICMPV6_TYPE:
			tuple->type_code |= (uint16_t)(mnl_attr_get_u8(attribute) << 8);
			break;
		case CTA_PROTO_ICMP_CODE:
		case CTA_PROTO_ICMPV6_CODE:
			tuple->type_code |= mnl_attr_get_u8(attribute);
			break;
		default:
			break;
		}
	}
}

static void read_tuple(const struct nlattr *nest, struct tuple *tuple)
{
	struct attribute_walk walk = attribute_walk_nest(nest);
	const struct nlattr *attribute;

	while ((attribute = attribute_walk_next(&walk))) {
		if (attribute_type(attribute) == CTA_TUPLE_IP)
			read_source(attribute, tuple);
		else if (attribute_type(attribute) == CTA_TUPLE_PROTO)
			read_protocol(attribute, tuple);
	}
}

static void read_counters(
	const struct nlattr *nest, struct connection_entry *entry, unsigned int way)
{
	struct attribute_walk walk = attribute_walk_nest(nest);
	const struct nlattr *attribute;

	entry->counts[way] = true;
	while ((attribute = attribute_walk_next(&walk))) {
		if (attribute_type(attribute) == CTA_COUNTERS_PACKETS)
			entry->packets[way] = get_u64(attribute);
		else if (attribute_type(attribute) == CTA_COUNTERS_BYTES)
			entry->bytes[way] = get_u64(attribute);
	}
}

static const struct nlattr *find(const struct nlattr *nest, uint16_t type)
{
	return attribute_walk_find(attribute_walk_nest(nest), type);
}

static void read_tcp_state(const struct nlattr *nest, struct connection_entry *entry)
{
	const struct nlattr *tcp = find(nest, CTA_PROTOINFO_TCP);
	const struct nlattr *state = tcp ? find(tcp, CTA_PROTOINFO_TCP_STATE) : NULL;

	if (!state)
		return;
	entry->tcp_state = mnl_attr_get_u8(state);
	entry->has_tcp_state = true;
}

static void read_start(const struct nlattr *nest, struct connection_entry *entry)
{
	const struct nlattr *start = find(nest, CTA_TIMESTAMP_START);

	if (start)
		entry->start_ns = get_u64(start);
}

static void read_attribute(
	const struct nlattr *attribute, struct connection_entry *entry, struct tuple ways[static 2])
{
	switch (attribute_type(attribute)) {
	case CTA_TUPLE_ORIG:
		read_tuple(attribute, &ways[0]);
		break;
	case CTA_TUPLE_REPLY:
		read_tuple(attribute, &ways[1]);
		break;
	case CTA_ID:
		entry->key.id = ntohl(mnl_attr_get_u32(attribute));
		break;
	case CTA_STATUS:
		entry->status = ntohl(mnl_attr_get_u32(attribute));
		entry->has_status = true;
		break;
	case CTA_PROTOINFO:
		read_tcp_state(attribute, entry);
		break;
	case CTA_COUNTERS_ORIG:
		read_counters(attribute, entry, 0);
		break;
	case CTA_COUNTERS_REPLY:
		read_counters(attribute, entry, 1);
		break;
	case CTA_TIMESTAMP:
		read_start(attribute, entry);
		break;
	default:
		break;
	}
}

static void put_ends(struct connection_key *key, const struct tuple ways[static 2])
{
	bool icmp = ways[0].protocol == IPPROTO_ICMP || ways[0].protocol == IPPROTO_ICMPV6;

	key->source = ways[0].source;
	key->destination = ways[1].source;
	key->source_port = ways[0].source_port;
	key->destination_port = ways[icmp ? 0 : 1].source_port;
	key->type_code = ways[0].type_code;
	key->protocol = ways[0].protocol;
}

int connection_entry_read(const struct nlmsghdr *message, struct connection_entry *ret)
{
	struct attribute_walk walk = attribute_walk_message(message, sizeof(struct nfgenmsg));
	struct connection_entry entry = {0};
	struct tuple ways[2] = {0};
	const struct nlattr *attribute;

	while ((attribute = attribute_walk_next(&walk)))
		read_attribute(attribute, &entry, ways);
	if (!ways[0].has_source || !ways[1].has_source)
		return -EINVAL;
	put_ends(&entry.key, ways);
	*ret = entry;
	return 0;
}

bool connection_entry_is_seeded(const struct connection_entry *entry)
{
	return entry->status & IPS_ASSURED;
}
