/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * New connections of each source, by the generic cell rate algorithm (ITU-T I.371): a token bucket
 * that is one number, the time at which the next connection would be exactly on the limit. So it is
 * exact on many CPUs with one compare-and-swap.
 *
 * A source is an IPv4 address or an IPv6 /64, which is what one host is given.
 */
#pragma once

#include "xdp/early_maps.bpf.h"
#include "xdp/packet.bpf.h"

#define LIMIT_ATTEMPTS 4 /* CPUs that race for the same source */

static __always_inline void limit_source(const union address *address, union address *source)
{
	*source = *address;
	if (!address_is_mapped(address))
		source->halves[1] = 0;
}

static __noinline int limit_exceeded(
	const union address *address, __u64 interval_ns, __u64 burst_ns)
{
	const __u64 now_ns = bpf_ktime_get_boot_ns();
	__u64 fresh_ns = now_ns + interval_ns;
	union address source;
	__u64 *next_ns;

	limit_source(address, &source);
	next_ns = bpf_map_lookup_elem(&early_sources, &source);
	if (!next_ns) {
		if (!bpf_map_update_elem(&early_sources, &source, &fresh_ns, BPF_NOEXIST))
			return 0;
		next_ns = bpf_map_lookup_elem(&early_sources, &source);
		if (!next_ns) /* no room, and nothing is held against it */
			return 0;
	}
	for (int i = 0; i < LIMIT_ATTEMPTS; i++) {
		__u64 seen_ns = *(volatile __u64 *)next_ns;

		fresh_ns = (seen_ns > now_ns ? seen_ns : now_ns) + interval_ns;
		if (fresh_ns > now_ns + burst_ns)
			return 1;
		if (__sync_val_compare_and_swap(next_ns, seen_ns, fresh_ns) == seen_ns)
			return 0;
	}
	return 1; /* that many at once is what the limit is for */
}
