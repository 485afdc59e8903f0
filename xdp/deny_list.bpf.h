/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Whether an address is in the deny lists: the bucket of its first 16 bits, then a binary search
 * among the ranges that begin there. Exact for any mix of prefixes, and the same for both families.
 *
 * Why not a trie: with a million prefixes BPF_MAP_TYPE_LPM_TRIE takes a walk of twenty nodes for
 * every packet, and several times as long to fill (make bench says how long); this is one copy into
 * mapped memory.
 */
#pragma once

#include "xdp/early_maps.bpf.h"
#include "xdp/packet.bpf.h"

#define DENY_STEPS_MAX 25 /* halves ABI_MAX_DENY_RANGES down to none */

/* As a > b. */
static __always_inline int deny_above(const __u64 a[2], __u64 high, __u64 low)
{
	return a[0] > high || (a[0] == high && a[1] > low);
}

static __always_inline const struct abi_deny_range *deny_range(void *ranges, __u32 number)
{
	__u32 row = ABI_DENY_BUCKET_ROWS + number;
	const union abi_deny_row *found = bpf_map_lookup_elem(ranges, &row);

	return found ? &found->range : NULL;
}

/* Apart, so that the search is verified once. */
static __noinline int deny_list_has(const union address *address)
{
	const __u64 high = bpf_be64_to_cpu(address->halves[0]);
	const __u64 low = bpf_be64_to_cpu(address->halves[1]);
	const __u32 bucket =
		address_is_mapped(address) ? ABI_DENY_BUCKETS + (low >> 16 & 0xffff) : high >> 48;
	const struct abi_deny_range *range;
	const union abi_deny_row *row;
	__u32 key = 0, first, last;
	void *ranges;

	ranges = bpf_map_lookup_elem(&deny_lists, &key);
	if (!ranges)
		return 0;
	key = bucket / ABI_DENY_BUCKETS_PER_ROW;
	row = bpf_map_lookup_elem(ranges, &key);
	if (!row)
		return 0;
	first = row->buckets[bucket % ABI_DENY_BUCKETS_PER_ROW].first;
	last = row->buckets[bucket % ABI_DENY_BUCKETS_PER_ROW].last;
	for (int i = 0; i < DENY_STEPS_MAX && first < last; i++) {
		__u32 middle = first + (last - first) / 2;

		range = deny_range(ranges, middle);
		if (!range)
			return 0;
		if (deny_above(range->first, high, low))
			last = middle;
		else
			first = middle + 1;
	}
	if (!first)
		return 0;
	range = deny_range(ranges, first - 1);
	return range && !deny_above(range->first, high, low) &&
	       (range->last[0] > high || (range->last[0] == high && range->last[1] >= low));
}
