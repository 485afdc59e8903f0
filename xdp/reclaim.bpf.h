/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How connections leave the table from inside the kernel, and how a new one finds room. */
#pragma once

#include "xdp/connection.bpf.h"

#include "xdp/event.bpf.h"
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

/* 0, -EEXIST where another CPU was first, or another -errno where there is no room. */
static __always_inline long connection_insert(
	const struct abi_connection_key *key, const struct abi_connection *connection)
{
	long result = bpf_map_update_elem(&connections, key, connection, BPF_NOEXIST);

	if (result != -E2BIG || !sweep())
		return result;
	return bpf_map_update_elem(&connections, key, connection, BPF_NOEXIST);
}
