/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How connections leave the table from inside the kernel, and how a new one finds room. */
#pragma once

#include "xdp/connection.bpf.h"
#include "xdp/event.bpf.h"
#include "xdp/share.bpf.h"

#include <linux/errno.h>

#define SWEEP_INTERVAL_NS 1000000000ULL
#define SWEEP_MAX         4096 /* deletions, so that one packet's wait is bounded */

static __u64 swept_ns;

/* Of the sweep that runs. Not on the stack: the verifier would follow the count to its end. */
static __u32 swept_count;

/* Removes the entry and tells user space its last counters; only one of several CPUs does both.
 * The copy comes before the removal: a removed element may be another connection at once. */
static __noinline int connection_end(
	const struct abi_connection_key *key, const struct abi_connection *connection)
{
	struct abi_event *event = event_new(ABI_EVENT_END);
	const __u32 owner = connection->owner;

	if (event) {
		__builtin_memcpy(&event->connection.key, key, sizeof(*key));
		__builtin_memcpy(&event->connection.value, connection, sizeof(*connection));
	}
	if (bpf_map_delete_elem(&connections, key)) {
		if (event)
			bpf_ringbuf_discard(event, 0);
		return 0;
	}
	if (event)
		bpf_ringbuf_submit(event, 0);
	else
		loss_count(ABI_LOSS_EVENT);
	share_give_back(owner);
	return 1;
}

/* Called for each entry; 1 ends the walk. */
static long sweep_one(const void *map, const struct abi_connection_key *key,
	const struct abi_connection *connection, const void *context)
{
	(void)map, (void)context;
	if (connection_expired(connection, key->protocol))
		swept_count += connection_end(key, connection);
	return swept_count >= SWEEP_MAX;
}

/* At most one CPU in a second walks the table. Returns how many entries are free now. */
static __always_inline __u32 sweep(void)
{
	__u64 last_ns = swept_ns;

	if (last_ns && !clock_passed(last_ns, SWEEP_INTERVAL_NS))
		return 0;
	if (__sync_val_compare_and_swap(&swept_ns, last_ns, clock_now_ns()) != last_ns)
		return 0;
	swept_count = 0;
	bpf_for_each_map_elem(&connections, sweep_one, NULL, 0);
	return swept_count;
}

static __always_inline int connection_was_answered(const struct abi_connection *connection)
{
	return connection->flags & (ABI_CONNECTION_REPLIED | ABI_CONNECTION_ESTABLISHED);
}

enum reclaimed {
	RECLAIMED_NOTHING, /* and there is nothing */
	RECLAIMED_ONE,
	RECLAIM_AGAIN, /* the oldest opening was none to reclaim: it is passed over */
};

/* Ends the owner's oldest opening if nobody has answered it in time. Not static: so the verifier
 * walks it once, and not for each try. */
__noinline int share_reclaim_oldest(__u32 owner)
{
	struct abi_share *share = share_of(owner);
	const struct abi_connection_key *opening;
	const struct abi_connection *connection;
	struct abi_connection_key *key = scratch_of_cpu();
	__u32 index, head;

	if (!share || !key || !share_oldest(share, &head))
		return RECLAIMED_NOTHING;
	index = share_opening(owner, head);
	opening = bpf_map_lookup_elem(&openings, &index);
	if (!opening)
		return RECLAIMED_NOTHING;
	*key = *opening; /* another CPU may write there */
	connection = bpf_map_lookup_elem(&connections, key);
	if (!connection || connection->owner != owner || connection_was_answered(connection)) {
		share_take_oldest(share, head);
		return RECLAIM_AGAIN;
	}
	if (!clock_passed(connection->last_ns, SHARE_UNANSWERED_NS))
		return RECLAIMED_NOTHING;
	if (!share_take_oldest(share, head) || !connection_end(key, connection))
		return RECLAIM_AGAIN;
	return RECLAIMED_ONE;
}

/* Where the owner's share is used up. Called before a connection is entered and not while, since
 * the stack of all calls is 512 bytes. */
static __always_inline void share_make_room(__u32 owner)
{
	const struct abi_share *share = share_of(owner);

	if (!share || share->connections < configuration.share)
		return;
#pragma clang loop unroll(disable)
	for (int i = 0; i < SHARE_TRIES; i++)
		if (share_reclaim_oldest(owner) != RECLAIM_AGAIN)
			break;
}

static __always_inline long connection_enter(
	const struct abi_connection_key *key, const struct abi_connection *connection)
{
	long result = bpf_map_update_elem(&connections, key, connection, BPF_NOEXIST);

	if (result != -E2BIG || !sweep())
		return result;
	return bpf_map_update_elem(&connections, key, connection, BPF_NOEXIST);
}

/* 0, -EEXIST where another CPU was first, -EDQUOT where the owner's share is used up, or another
 * -errno where there is no room. */
static __always_inline long connection_insert(
	const struct abi_connection_key *key, const struct abi_connection *connection)
{
	struct abi_share *share = share_of(connection->owner);
	__u32 others;
	long result;

	if (!share)
		return -EDQUOT;
	others = __sync_fetch_and_add(&share->connections, 1);
	result = -EDQUOT;
	if (others < configuration.share)
		result = connection_enter(key, connection);
	if (result)
		__sync_fetch_and_sub(&share->connections, 1);
	else if (others >= configuration.share / 2 && !connection_was_answered(connection))
		share_remember(share, connection->owner, key);
	return result;
}
