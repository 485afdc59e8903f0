/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The tables of early dropping (abi.h). */
#pragma once

#include "xdp/abi.h"
#include "xdp/reasons.h"

#include <linux/bpf.h>

#include <stddef.h>

#include <bpf/bpf_helpers.h>

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct abi_control);
} early_control SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, ABI_MAX_ENDPOINTS);
	__type(key, __u32);
	__type(value, struct abi_early_interface);
} early_interfaces SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_LPM_TRIE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, ABI_MAX_INVESTIGATORS);
	__type(key, struct abi_prefix_key);
	__type(value, __u32);
} investigators SEC(".maps");

/* As long as the lists need it, and memory of the agent's while it is filled. By sizes, since clang
 * describes no types that are only behind the pointer of the outer map. */
struct deny_ranges {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_INNER_MAP | BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__uint(key_size, sizeof(__u32));
	__uint(value_size, sizeof(union abi_deny_row));
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, 1);
	__type(key, __u32);
	__array(values, struct deny_ranges);
} deny_lists SEC(".maps");

/* An LRU: a flood from ever new sources pushes out sources, and each begins anew. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, ABI_MAX_EARLY_SOURCES);
	__type(key, struct abi_address_key);
	__type(value, __u64);
} early_sources SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, ABI_MAX_DENIALS);
	__type(key, struct abi_denial_key);
	__type(value, struct abi_denial);
} early_denials SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, REASON_COUNT *ABI_DIRECTIONS);
	__type(key, __u32);
	__type(value, struct abi_counter);
} early_counters SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, ABI_LOSS_COUNT);
	__type(key, __u32);
	__type(value, __u64);
} early_losses SEC(".maps");
