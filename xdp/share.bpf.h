/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Each workload's share of the connection table, so that the flood of one leaves room for all
 * others. A connection counts for the workload at whose hook it was seen first: the originator
 * where that is local, else the responder.
 *
 * Where the share is used up, a new connection takes the place of an older one of the same workload
 * that nobody has answered; where there is none it is refused. Nothing that was answered ever makes
 * room, and nothing of others.
 *
 * Of the table of denials each hook has a share, too.
 */
#pragma once

#include "xdp/clock.bpf.h"
#include "xdp/maps.bpf.h"

#define SHARE_UNANSWERED_NS 1000000000ULL /* how long an opening may wait for its answer */
#define SHARE_TRIES         8             /* openings that are looked at for one packet */

/* Workloads whose ifindex differs by a multiple of that use the same part of openings. Since each
 * opening is checked for whose it is, all they lose is places to reclaim. */
#define SHARE_PARTS (ABI_MAX_OPENINGS / ABI_SHARE_OPENINGS)

static __always_inline struct abi_share *share_of(__u32 ifindex)
{
	__u32 index = ifindex % ABI_MAX_ENDPOINTS;

	return bpf_map_lookup_elem(&shares, &index);
}

/* A connection of this owner is no longer in the table. */
static __always_inline void share_give_back(__u32 owner)
{
	struct abi_share *share = share_of(owner);

	if (share)
		__sync_fetch_and_sub(&share->connections, 1);
}

static __always_inline __u32 share_opening(__u32 owner, __u32 position)
{
	return owner % SHARE_PARTS * ABI_SHARE_OPENINGS + position % ABI_SHARE_OPENINGS;
}

/* Remembers a new connection beyond half of the share. */
static __always_inline void share_remember(
	struct abi_share *share, __u32 owner, const struct abi_connection_key *key)
{
	__u32 index = share_opening(owner, __sync_fetch_and_add(&share->tail, 1));

	bpf_map_update_elem(&openings, &index, key, BPF_ANY);
}

/* The oldest opening's place; 0: there is none. Those that were overwritten are passed over. */
static __always_inline int share_oldest(const struct abi_share *share, __u32 *ret_head)
{
	__u32 waiting = share->tail - share->head;

	*ret_head = share->head;
	if (waiting > ABI_SHARE_OPENINGS)
		*ret_head = share->tail - ABI_SHARE_OPENINGS;
	return waiting != 0;
}

/* Only one of several CPUs gets it. */
static __always_inline int share_take_oldest(struct abi_share *share, __u32 head)
{
	__u32 former = share->head;

	return __sync_val_compare_and_swap(&share->head, former, head + 1) == former;
}
