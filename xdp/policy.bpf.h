/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Addresses to identities, identities to decisions: the picture in abi.h. */
#pragma once

#include "xdp/maps.bpf.h"
#include "xdp/packet.bpf.h"
#include "xdp/transport.bpf.h"

#define PORT_BITS 16

/* Which decision refused. */
struct refusal {
	__u32 rule;
	__u8 direction; /* enum abi_direction */
	__u8 flags;     /* ABI_DECISION_* */
	__u8 pad[2];
};

static __always_inline const struct abi_identity *policy_identity(__u32 identity, __u32 generation)
{
	__u32 index = identity * 2 + (generation & 1);

	return bpf_map_lookup_elem(&identities, &index);
}

/* Kernels up to 6.1 take keys only from the stack, from maps and from packets. */
static __noinline const struct abi_address *address_find(const union address *address)
{
	union address key = *address;

	return bpf_map_lookup_elem(&addresses, &key);
}

static __always_inline const struct abi_identity *policy_prefix(
	const union address *address, __u32 generation)
{
	struct abi_prefix_key key = {.length = 128};
	const struct abi_prefix *prefix;

	__builtin_memcpy(key.bytes, address, sizeof(key.bytes));
	prefix = bpf_map_lookup_elem(&prefixes, &key);
	return prefix ? policy_identity(prefix->identity, generation) : NULL;
}

static __always_inline __u32 protocol_index(__u8 protocol, int ipv4)
{
	switch (protocol) {
	case IPPROTO_TCP:
		return ABI_TCP;
	case IPPROTO_UDP:
		return ABI_UDP;
	case IPPROTO_SCTP:
		return ABI_SCTP;
	case IPPROTO_ICMP:
		return ipv4 ? ABI_ICMP : ABI_PROTOCOLS;
	case IPPROTO_ICMPV6:
		return ipv4 ? ABI_PROTOCOLS : ABI_ICMPV6;
	default:
		return ABI_PROTOCOLS;
	}
}

/* A decision as one word, which is what a function that is verified by itself can return. */
union decision {
	__u64 word;
	struct abi_decision value;
};

#define DECISION_MISSING (~0ULL) /* a table that must exist does not */

static __always_inline __u64 decision_word(const struct abi_decision *value)
{
	union decision decision = {.value = *value};

	return decision.word;
}

/* The key of one look-up after the other: each of its own would be stack that is not there. */
union policy_key {
	__u64 word;
	__u32 number;
};

/* Stored whole (see join_words()). */
static __always_inline __u64 port_key_word(
	__u32 port_table, __u32 port, __u32 protocol, __u32 length)
{
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
	return join_words(port_table, port | protocol << 16 | length << 24);
#else
	return join_words(port_table, port << 16 | protocol << 8 | length);
#endif
}

/* The longest prefix that matches. */
static __always_inline __u64 policy_port(
	union policy_key *key, __u32 port_table, __u32 protocol, __u32 port)
{
	const struct abi_port_table *table;
	const struct abi_decision *decision;
	__u32 lengths;

	key->number = port_table;
	table = bpf_map_lookup_elem(&port_tables, &key->number);
	if (!table)
		return DECISION_MISSING;
	if (protocol >= ABI_PROTOCOLS)
		return decision_word(&table->otherwise);
	lengths = table->lengths[protocol];
#pragma clang loop unroll(disable)
	for (int length = PORT_BITS; length >= 0; length--) {
		if (!(lengths & ((2u << length) - 1))) /* no shorter ones */
			break;
		if (!(lengths & (1u << length)))
			continue;
		key->word = port_key_word(
			port_table, port & (0xffffu << (PORT_BITS - length)), protocol, length);
		decision = bpf_map_lookup_elem(&ports, &key->word);
		if (decision)
			return decision_word(decision);
	}
	return decision_word(&table->otherwise);
}

/* The place of a decision among the recent ones. Each word is spread over all bits by a multiplier
 * with no pattern (2^64 divided by the golden ratio), of which the highest are the best. */
static __always_inline __u32 recent_index(const __u64 words[2])
{
	const __u64 golden = 0x9e3779b97f4a7c15ULL;

	return ((words[0] * golden ^ words[1]) * golden) >> (64 - RECENT_DECISIONS_BITS);
}

/* The longest way to a decision. protocol is an enum abi_protocol_index, or ABI_PROTOCOLS for every
 * other. */
static __always_inline __u64 policy_find_decision(
	union policy_key *key, __u32 peer_table, __u32 class, __u32 protocol, __u32 port)
{
	const __u32 *port_table;

	key->word = join_words(peer_table, class); /* struct abi_peer_key */
	port_table = bpf_map_lookup_elem(&peers, &key->word);
	if (!port_table) {
		key->number = peer_table;
		port_table = bpf_map_lookup_elem(&peer_tables, &key->number);
	}
	return port_table ? policy_port(key, *port_table, protocol, port) : DECISION_MISSING;
}

/* The tables that a generation reads are never written to, so a decision holds for as long as the
 * generation does. Not static: so the verifier walks it once, and not for each way that leads here.
 * One function with the longest way, since kernels up to 6.1 round the stack of each up to 32
 * bytes. */
__noinline __u64 policy_decision(
	__u32 peer_table, __u32 class, __u32 protocol_port, __u32 generation)
{
	const __u64 words[2] = {
		join_words(peer_table, class), join_words(generation, protocol_port)};
	union policy_key key = {.number = recent_index(words)};
	struct recent_decision *recent = bpf_map_lookup_elem(&recent_decisions, &key.number);
	__u64 decision;

	if (recent && recent->words[0] == words[0] && recent->words[1] == words[1])
		return recent->decision;
	decision = policy_find_decision(
		&key, peer_table, class, protocol_port >> PORT_BITS, protocol_port & 0xffff);
	if (!recent || decision == DECISION_MISSING)
		return decision;
	recent->words[0] = words[0];
	recent->words[1] = words[1];
	recent->decision = decision;
	return decision;
}

/* One direction. 0, or the reason to refuse. */
static __always_inline int judge_direction(const struct abi_identity *subject,
	const struct abi_identity *peer, const enum abi_direction direction, __u32 protocol,
	__u32 port, struct abi_connection *connection, struct refusal *refusal)
{
	union decision decision;

	if (subject->peer_table[direction] == ABI_NO_PEER_TABLE)
		return 0;
	decision.word = policy_decision(subject->peer_table[direction], peer->class,
		protocol << PORT_BITS | port, connection->generation);
	if (decision.word == DECISION_MISSING)
		return REASON_INTERNAL_ERROR;
	connection->rule[direction] = decision.value.rule;
	if (decision.value.verdict != ABI_ALLOW) {
		refusal->rule = decision.value.rule;
		refusal->direction = direction;
		refusal->flags = decision.value.flags;
		return REASON_POLICY_DENIED;
	}
	if (decision.value.flags & ABI_DECISION_LOG)
		connection->flags |= ABI_CONNECTION_LOG;
	if (decision.value.flags & ABI_DECISION_AUDIT)
		connection->flags |= direction == ABI_EGRESS ? ABI_CONNECTION_AUDITED |
								       ABI_CONNECTION_AUDITED_EGRESS
							     : ABI_CONNECTION_AUDITED;
	return 0;
}

static __always_inline int judged(const struct abi_connection *connection)
{
	return connection->flags & ABI_CONNECTION_AUDITED ? REASON_AUDITED : REASON_POLICY_ALLOWED;
}

/* The identity behind one end of a connection; notes where it lives. */
static __always_inline const struct abi_identity *resolve(
	const union address *key, const enum abi_side side, struct abi_connection *connection)
{
	const struct abi_address *address = address_find(key);

	if (!address) {
		connection->ifindex[side] = 0;
		__builtin_memset(connection->mac[side], 0, sizeof(connection->mac[side]));
		return policy_prefix(key, connection->generation);
	}
	connection->ifindex[side] = address->ifindex;
	__builtin_memcpy(connection->mac[side], address->mac, sizeof(address->mac));
	return policy_identity(address->identity, connection->generation);
}

/* The port that the originator spoke to; host order, ICMP type << 8 | code. */
static __always_inline __u32 policy_port_of(const struct abi_connection_key *key,
	const struct abi_connection *connection, __u32 protocol)
{
	if (protocol == ABI_ICMP || protocol == ABI_ICMPV6)
		return connection->type_code;
	return bpf_ntohs(key->port_be[!connection->originator]);
}

/*
 * Egress of the originator and ingress of the responder, under one generation. Takes generation,
 * originator and type_code from connection; leaves ifindex, mac, rule and the flags of decisions.
 * Returns POLICY_ALLOWED, AUDITED, or a reason to refuse.
 */
__noinline int judge(const struct abi_connection_key *key, struct abi_connection *connection,
	struct refusal *refusal)
{
	const void *originator, *responder;
	const struct abi_identity *source, *destination;
	__u32 protocol, port;
	int reason;

	if (!key || !connection || !refusal) /* demanded where the verifier walks once */
		return REASON_INTERNAL_ERROR;
	originator = key->address[connection->originator & 1];
	responder = key->address[!connection->originator];
	connection->rule[ABI_INGRESS] = 0;
	connection->rule[ABI_EGRESS] = 0;
	connection->flags = 0;
	source = resolve(originator, ABI_ORIGINATOR, connection);
	destination = resolve(responder, ABI_RESPONDER, connection);
	if (!source || !destination)
		return REASON_INTERNAL_ERROR;
	if (connection->ifindex[ABI_ORIGINATOR] &&
		connection->ifindex[ABI_ORIGINATOR] == connection->ifindex[ABI_RESPONDER])
		return REASON_POLICY_ALLOWED;
	protocol = protocol_index(
		key->protocol, address_is_mapped((const union address *)key->address[0]));
	port = policy_port_of(key, connection, protocol);
	reason = judge_direction(
		source, destination, ABI_EGRESS, protocol, port, connection, refusal);
	if (!reason)
		reason = judge_direction(
			destination, source, ABI_INGRESS, protocol, port, connection, refusal);
	return reason ? reason : judged(connection);
}

/*
 * What enters a workload without being addressed to one of its addresses: multicast, broadcast,
 * link-local addresses, what is routed to it. Many receivers share such a destination, or nobody
 * knows whose it is, so there is no connection: each packet asks the workload's own ingress.
 */
static __noinline int judge_arrival(
	const struct packet *packet, const struct abi_endpoint *endpoint, struct refusal *refusal)
{
	struct abi_connection connection = {.generation = packet->generation};
	const struct abi_identity *peer, *subject;
	__u32 protocol, port;
	int reason;

	peer = resolve(&packet->source, ABI_ORIGINATOR, &connection);
	subject = policy_identity(endpoint->identity, packet->generation);
	if (!peer || !subject)
		return REASON_INTERNAL_ERROR;
	protocol = protocol_index(packet->protocol, packet->ethertype == ETH_P_IP);
	port = packet_port(packet);
	reason = judge_direction(subject, peer, ABI_INGRESS, protocol, port, &connection, refusal);
	return reason ? reason : judged(&connection);
}
