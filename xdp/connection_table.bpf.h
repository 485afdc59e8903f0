/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The table of connections, and where in it a packet's is. */
#pragma once

#include "xdp/packet.bpf.h"

/* Never an LRU: it would cut the connections of one workload for the flood of another. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, ABI_MAX_CONNECTIONS);
	__type(key, struct abi_connection_key);
	__type(value, struct abi_connection);
} connections SEC(".maps");

/* Ports and protocol, as they stand at the end of a key, in one word (see join_words()). */
static __always_inline __u64 key_tail(__be16 first_be, __be16 second_be, __u8 protocol)
{
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
	return (__u64)protocol << 32 | (__u32)second_be << 16 | first_be;
#else
	return (__u64)first_be << 48 | (__u64)second_be << 32 | (__u32)protocol << 24;
#endif
}

/* Fills key and side. Written out instead of indexed: the verifier loses track of stack that is
 * written at a variable offset. */
static __always_inline void connection_key(struct packet *packet)
{
	const union address *source = &packet->source, *destination = &packet->destination;
	__u64 *key = packet->key.words;

	if (address_equal(source, destination))
		packet->side =
			bpf_ntohs(packet->source_port_be) > bpf_ntohs(packet->destination_port_be);
	else
		packet->side = address_above(source, destination);
	if (packet->side) {
		key[0] = destination->halves[0];
		key[1] = destination->halves[1];
		key[2] = source->halves[0];
		key[3] = source->halves[1];
		key[4] = key_tail(
			packet->destination_port_be, packet->source_port_be, packet->protocol);
	} else {
		key[0] = source->halves[0];
		key[1] = source->halves[1];
		key[2] = destination->halves[0];
		key[3] = destination->halves[1];
		key[4] = key_tail(
			packet->source_port_be, packet->destination_port_be, packet->protocol);
	}
}

_Static_assert(sizeof(struct abi_connection_key) == 40 &&
		       offsetof(struct abi_connection_key, port_be) == 32 &&
		       offsetof(struct abi_connection_key, protocol) == 36,
	"a key is four halves of addresses and the tail");

/* Who of the connection sent the packet. */
static __always_inline enum abi_side connection_sender(
	const struct abi_connection *connection, const struct packet *packet)
{
	return packet->side == connection->originator ? ABI_ORIGINATOR : ABI_RESPONDER;
}
