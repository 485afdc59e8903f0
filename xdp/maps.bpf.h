/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The tables of abi.h, and the little that the programs keep for themselves. */
#pragma once

#include "xdp/abi.h"
#include "xdp/configuration.bpf.h"
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
} control SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, ABI_MAX_ENDPOINTS);
	__type(key, __u32);
	__type(value, struct abi_endpoint);
} endpoints SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, ABI_MAX_ADDRESSES);
	__type(key, struct abi_address_key);
	__type(value, struct abi_address);
} addresses SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_LPM_TRIE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, ABI_MAX_PREFIXES);
	__type(key, struct abi_prefix_key);
	__type(value, struct abi_prefix);
} prefixes SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, ABI_MAX_IDENTITIES * 2);
	__type(key, __u32);
	__type(value, struct abi_identity);
} identities SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, ABI_MAX_PEERS);
	__type(key, struct abi_peer_key);
	__type(value, __u32);
} peers SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, ABI_MAX_PEER_TABLES);
	__type(key, __u32);
	__type(value, __u32);
} peer_tables SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, ABI_MAX_PORT_TABLES);
	__type(key, __u32);
	__type(value, struct abi_port_table);
} port_tables SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, ABI_MAX_PORTS);
	__type(key, struct abi_port_key);
	__type(value, struct abi_decision);
} ports SEC(".maps");

/* Decisions that this CPU has looked up lately, for the connections that come after one another
 * between the same ends: four look-ups in hashes are half of what a first packet costs. Empty ones
 * are of generation 0, which no packet is judged under. */
#define RECENT_DECISIONS_BITS 10

struct recent_decision {
	__u64 words[2]; /* peer table and class; generation, protocol and port */
	__u64 decision;
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1 << RECENT_DECISIONS_BITS);
	__type(key, __u32);
	__type(value, struct recent_decision);
} recent_decisions SEC(".maps");

/* What is too large for the stack: no packet interrupts another one on its CPU. */
struct scratch {
	__u64 words[154];
	struct abi_connection opening; /* the one that the packet may open */
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct scratch);
} scratches SEC(".maps");

static __always_inline void *scratch_of_cpu(void)
{
	__u32 zero = 0;

	return bpf_map_lookup_elem(&scratches, &zero);
}

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, ABI_MAX_ENDPOINTS);
	__type(key, __u32);
	__type(value, struct abi_share);
} shares SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, ABI_MAX_OPENINGS);
	__type(key, __u32);
	__type(value, struct abi_connection_key);
} openings SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, ABI_MAX_HITS);
	__type(key, __u32);
	__type(value, __u64);
} hits SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, ABI_RECENT_HITS);
	__type(key, __u32);
	__type(value, __u64);
} recent_hits SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, ABI_MAX_DENIALS);
	__type(key, struct abi_denial_key);
	__type(value, struct abi_denial);
} denials SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, ABI_MAX_FRAGMENTS);
	__type(key, struct abi_fragment_key);
	__type(value, struct abi_fragment);
} fragments SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, REASON_COUNT *ABI_DIRECTIONS);
	__type(key, __u32);
	__type(value, struct abi_counter);
} counters SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, ABI_LOSS_COUNT);
	__type(key, __u32);
	__type(value, __u64);
} losses SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, ABI_EVENTS_BYTES);
} events SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, ABI_SAMPLES_BYTES);
} samples SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PROG_ARRAY);
	__uint(max_entries, ABI_DIRECTIONS);
	__type(key, __u32);
	__type(value, __u32);
} inside SEC(".maps");
