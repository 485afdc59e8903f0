/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The end of every packet that is not simply part of a connection: counted, and if its sender was
 * refused it, noted. */
#pragma once

#include "xdp/clock.bpf.h"
#include "xdp/event.bpf.h"
#include "xdp/hit.bpf.h"
#include "xdp/packet.bpf.h"
#include "xdp/policy.bpf.h"
#include "xdp/share.bpf.h"

#include <linux/errno.h>

/* Reasons up to NEIGHBOUR pass. */
static __always_inline int reason_refuses(int reason)
{
	return reason > REASON_NEIGHBOUR;
}

static __always_inline void counter_add(const struct packet *packet, int reason)
{
	__u32 index = reason * ABI_DIRECTIONS + packet->hook;
	struct abi_counter *counter = bpf_map_lookup_elem(&counters, &index);

	if (!counter)
		return;
	counter->packets++;
	counter->bytes += packet->bytes;
}

static __always_inline void denial_add(struct abi_denial *denial, const struct packet *packet)
{
	__sync_fetch_and_add(&denial->packets, 1);
	__sync_fetch_and_add(&denial->bytes, packet->bytes);
	denial->last_ns = clock_now_ns();
	if (packet->tcp_flags & ~denial->tcp_flags)
		denial->tcp_flags |= packet->tcp_flags;
}

/* -EDQUOT: the hook's share is used up, so that the refusals of others find room; -EEXIST: another
 * CPU was first. */
static __always_inline long denial_create(struct __sk_buff *skb, const struct packet *packet,
	const struct abi_denial_key *key, __u8 decision_flags)
{
	struct abi_denial denial = {
		.packets = 1,
		.bytes = packet->bytes,
		.first_ns = clock_now_ns(),
		.last_ns = clock_now_ns(),
		.source_port = bpf_ntohs(packet->source_port_be),
		.tcp_flags = packet->tcp_flags,
		.decision_flags = decision_flags,
	};
	struct abi_share *share = share_of(packet->ifindex);
	long result = -EDQUOT;

	if (!share)
		return result;
	bpf_skb_load_bytes(skb, offsetof(struct ethhdr, h_source), denial.source_mac,
		sizeof(denial.source_mac));
	bpf_skb_load_bytes(skb, offsetof(struct ethhdr, h_dest), denial.destination_mac,
		sizeof(denial.destination_mac));
	if (__sync_fetch_and_add(&share->denials, 1) < configuration.denials_share)
		result = bpf_map_update_elem(&denials, key, &denial, BPF_NOEXIST);
	if (result)
		__sync_fetch_and_sub(&share->denials, 1);
	return result;
}

static __always_inline __u32 denial_epoch(void)
{
	__u32 zero = 0;
	const struct abi_control *state = bpf_map_lookup_elem(&control, &zero);

	return state ? *(const volatile __u32 *)&state->epoch : 0;
}

static __noinline void denial_note(struct __sk_buff *skb, const struct packet *packet, int reason,
	const struct refusal *refusal)
{
	struct abi_denial_key key = {
		.ifindex = packet->ifindex,
		.rule = refusal->rule,
		.port = packet_port(packet),
		.ethertype = packet->ethertype,
		.protocol = packet->protocol,
		.reason = reason,
		.hook = packet->hook,
		.direction = refusal->rule ? refusal->direction : packet->hook,
		.epoch = denial_epoch(),
	};
	struct abi_denial *denial;

	/* A copy; nobody was refused what he sent. */
	if (reason == REASON_UNKNOWN_UNICAST)
		return;
	__builtin_memcpy(key.source, &packet->source, sizeof(key.source));
	__builtin_memcpy(key.destination, &packet->destination, sizeof(key.destination));
	denial = bpf_map_lookup_elem(&denials, &key);
	if (!denial && !denial_create(skb, packet, &key, refusal->flags)) {
		event_denial(&key);
		return;
	}
	if (!denial)
		denial = bpf_map_lookup_elem(&denials, &key);
	if (denial)
		denial_add(denial, packet);
	else
		loss_count(ABI_LOSS_DENIAL_AGGREGATE);
}

static __always_inline int conclude(struct __sk_buff *skb, const struct packet *packet, int reason,
	const struct refusal *refusal)
{
	/* Only a few of these come this way; a count of them would mislead. */
	if (reason != REASON_ESTABLISHED)
		counter_add(packet, reason);
	if (!reason_refuses(reason))
		return PACKET_PASS;
	hit_count(refusal->rule);
	denial_note(skb, packet, reason, refusal);
	return PACKET_REFUSE;
}
