/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How often each rule decided: connections that it allowed, packets that it refused. */
#pragma once

#include "xdp/event.bpf.h"
#include "xdp/maps.bpf.h"

/* Each CPU has its own number, and none is interrupted by another packet: exact without atomics.
 * rule 0: no rule had a say. */
static __noinline int hit_count(__u32 rule)
{
	__u64 *count, one = 1;

	if (!rule)
		return 0;
	count = bpf_map_lookup_elem(&hits, &rule);
	if (count) {
		(*count)++;
		return 0;
	}
	if (!bpf_map_update_elem(&hits, &rule, &one, BPF_NOEXIST))
		return 0;
	count = bpf_map_lookup_elem(&hits, &rule); /* another CPU was first */
	if (count)
		(*count)++;
	else
		loss_count(ABI_LOSS_HIT);
	return 0;
}
