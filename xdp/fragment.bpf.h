/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Fragments: the first one decides, the others follow it. */
#pragma once

#include "xdp/clock.bpf.h"
#include "xdp/maps.bpf.h"
#include "xdp/packet.bpf.h"

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
	struct abi_fragment_key key;
	__u64 now_ns = clock_now_ns();

	fragment_key(packet, &key);
	return bpf_map_update_elem(&fragments, &key, &now_ns, BPF_ANY);
}

static __noinline int fragment_follows(const struct packet *packet)
{
	struct abi_fragment_key key;
	const __u64 *passed_ns;

	fragment_key(packet, &key);
	passed_ns = bpf_map_lookup_elem(&fragments, &key);
	return passed_ns && !clock_passed(*passed_ns, FRAGMENT_NS);
}
