/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The end of a packet that dies early: counted by reason and noted by kind, as in denial.bpf.h. */
#pragma once

#include "xdp/early_maps.bpf.h"
#include "xdp/early_packet.bpf.h"

static __always_inline void early_count(const struct early_packet *packet, int reason, __u32 bytes)
{
	__u32 index = reason * ABI_DIRECTIONS + packet->hook;
	struct abi_counter *counter = bpf_map_lookup_elem(&early_counters, &index);

	if (!counter)
		return;
	counter->packets++;
	counter->bytes += bytes;
}

static __always_inline __u32 early_epoch(void)
{
	const struct abi_control *state;
	__u32 zero = 0;

	state = bpf_map_lookup_elem(&early_control, &zero);
	return state ? *(const volatile __u32 *)&state->epoch : 0;
}

static __always_inline int early_is_icmp(const struct early_packet *packet)
{
	return packet->protocol == (packet->ethertype == ETH_P_IP ? IPPROTO_ICMP : IPPROTO_ICMPV6);
}

static __always_inline long early_denial_create(const struct view *view,
	const struct early_packet *packet, const struct abi_denial_key *key, __u32 bytes)
{
	const __u64 now_ns = bpf_ktime_get_boot_ns();
	const struct ethhdr *ethernet = view_at(view, 0, sizeof(*ethernet));
	struct abi_denial denial = {
		.packets = 1,
		.bytes = bytes,
		.first_ns = now_ns,
		.last_ns = now_ns,
		.source_port = bpf_ntohs(packet->source_port_be),
		.tcp_flags = packet->tcp_flags,
	};

	if (ethernet) {
		__builtin_memcpy(denial.source_mac, ethernet->h_source, sizeof(denial.source_mac));
		__builtin_memcpy(
			denial.destination_mac, ethernet->h_dest, sizeof(denial.destination_mac));
	}
	return bpf_map_update_elem(&early_denials, key, &denial, BPF_NOEXIST);
}

static __noinline void early_denial_note(
	const struct view *view, const struct early_packet *packet, int reason, __u32 bytes)
{
	struct abi_denial_key key = {
		.ifindex = packet->ifindex,
		.port = early_is_icmp(packet) ? packet->type_code
					      : bpf_ntohs(packet->destination_port_be),
		.ethertype = packet->ethertype,
		.protocol = packet->protocol,
		.reason = reason,
		.hook = packet->hook,
		.direction = packet->hook,
		.epoch = early_epoch(),
	};
	struct abi_denial *denial;
	__u32 loss = ABI_LOSS_DENIAL_AGGREGATE;
	__u64 *lost;

	__builtin_memcpy(key.source, &packet->source, sizeof(key.source));
	__builtin_memcpy(key.destination, &packet->destination, sizeof(key.destination));
	denial = bpf_map_lookup_elem(&early_denials, &key);
	if (!denial && !early_denial_create(view, packet, &key, bytes))
		return;
	if (!denial) /* another CPU was first, or there is no room */
		denial = bpf_map_lookup_elem(&early_denials, &key);
	if (!denial) {
		lost = bpf_map_lookup_elem(&early_losses, &loss);
		if (lost)
			(*lost)++;
		return;
	}
	__sync_fetch_and_add(&denial->packets, 1);
	__sync_fetch_and_add(&denial->bytes, bytes);
	denial->last_ns = bpf_ktime_get_boot_ns();
	denial->tcp_flags |= packet->tcp_flags;
}
