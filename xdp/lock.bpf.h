/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the programs on the node do for the second lock, which is table netdev segd_lock: all that
 * they pass on from a workload carries a mark, since the table drops what has none behind them; and
 * what the table has sealed before them is opened again, whatever they then say of it. Without
 * them it stays sealed.
 *
 * A workload cannot bring the mark along: packets lose theirs between network namespaces. What goes
 * by the fast path gets none, for it is in the other workload's namespace at once.
 */
#pragma once

#include "xdp/maps.bpf.h"
#include "xdp/packet.bpf.h"

static __always_inline int lock_mark(struct __sk_buff *skb, int result)
{
	if (configuration.lock_mark && result == PACKET_PASS)
		skb->mark |= configuration.lock_mark;
	return result;
}

/* The table has made the byte writable, so it is in the linear part. What came by another
 * program's redirect has passed by the table, and is not sealed. */
static __always_inline void lock_unseal(struct __sk_buff *skb)
{
	const __u8 *first = (void *)(long)skb->data + ETH_HLEN;
	__u8 seal, byte;

	if (!configuration.lock_mark || (void *)(first + 1) > (void *)(long)skb->data_end)
		return;
	switch (skb->protocol) {
	case bpf_htons(ETH_P_IP):
		seal = ABI_SEAL_IPV4;
		byte = 0x40;
		break;
	case bpf_htons(ETH_P_IPV6):
		seal = ABI_SEAL_IPV6;
		byte = 0x60;
		break;
	case bpf_htons(ETH_P_ARP):
		seal = ABI_SEAL_ARP;
		byte = 0;
		break;
	default:
		return;
	}
	if ((*first & ABI_SEAL_MASK) != seal)
		return;
	byte |= *first & ~ABI_SEAL_MASK;
	bpf_skb_store_bytes(skb, ETH_HLEN, &byte, sizeof(byte), 0);
}
