/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How often each rule decided: connections that it allowed, packets that it refused. */
#pragma once

#include "xdp/event.bpf.h"
#include "xdp/maps.bpf.h"

/* Each CPU has its own number, and none is interrupted by another packet: exact without atomics. */
static __noinline int hit_keep(__u32 rule, __u32 hits_before)
{
	__u64 *count, many = hits_before;

	count = bpf_map_lookup_elem(&hits, &rule);
	if (count) {
		*count += many;
		return 0;
	}
	if (!bpf_map_update_elem(&hits, &rule, &many, BPF_NOEXIST))
		return 0;
	count = bpf_map_lookup_elem(&hits, &rule); /* another CPU was first */
	if (count)
		*count += many;
	else
		loss_add(ABI_LOSS_HIT, many);
	return 0;
}

/* rule 0: no rule had a say. The word is stored whole, so that user space never reads the count of
 * one rule as another's. */
static __always_inline void hit_count(__u32 rule)
{
	__u32 index = rule % ABI_RECENT_HITS;
	volatile __u64 *recent = bpf_map_lookup_elem(&recent_hits, &index);
	__u64 former;

	if (!rule || !recent)
		return;
	former = *recent;
	if (former >> 32 == rule && (__u32)former != ~0U) {
		*recent = former + 1;
		return;
	}
	*recent = (__u64)rule << 32 | 1;
	if (former)
		hit_keep(former >> 32, (__u32)former);
}
