/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Fragments: the first one decides, the others follow it. */
#pragma once

#include "xdp/clock.bpf.h"
#include "xdp/maps.bpf.h"
#include "xdp/packet.bpf.h"
#include "xdp/parse.bpf.h"

#define FRAGMENT_NS 60000000000ULL /* RFC 8200, 4.5: then reassembly is abandoned */

static __always_inline void fragment_key(const struct packet *packet, struct abi_fragment_key *key)
{
	__builtin_memcpy(key->source, &packet->source, sizeof(key->source));
	__builtin_memcpy(key->destination, &packet->destination, sizeof(key->destination));
	key->id = packet->fragment_id;
	key->ifindex = packet->ifindex;
	key->protocol = packet->fragment_protocol;
	__builtin_memset(key->pad, 0, sizeof(key->pad));
}

/* The first fragment was passed. Where there is no room the others will be refused. */
static __noinline int fragment_remember(const struct packet *packet)
{
	const __u32 transport = transport_header(packet->protocol);
	struct abi_fragment first = {
		.passed_ns = clock_now_ns(),
		.header_units =
			packet->fragment_units + (transport + FRAGMENT_UNIT - 1) / FRAGMENT_UNIT,
	};
	struct abi_fragment_key key;

	fragment_key(packet, &key);
	return bpf_map_update_elem(&fragments, &key, &first, BPF_ANY);
}

/* The first fragment was refused: nothing follows it, though its number was that of a packet that
 * was passed. */
static __noinline long fragment_forget(const struct packet *packet)
{
	struct abi_fragment_key key;

	fragment_key(packet, &key);
	return bpf_map_delete_elem(&fragments, &key);
}

/* One that reaches into the first one's headers would have them say something else. */
static __noinline int fragment_follows(const struct packet *packet)
{
	const struct abi_fragment *first;
	struct abi_fragment_key key;

	fragment_key(packet, &key);
	first = bpf_map_lookup_elem(&fragments, &key);
	if (!first || clock_passed(first->passed_ns, FRAGMENT_NS))
		return REASON_FRAGMENT_WITHOUT_FIRST;
	return packet->fragment_units < first->header_units ? REASON_MALFORMED : REASON_ESTABLISHED;
}
