// SPDX-License-Identifier: GPL-2.0-or-later
/* The yardstick: the least that a program with a connection table can do. One look-up in a hash of
 * the same size with a key of the same length, read from the packet, and a count. */
#include "xdp/abi.h"

#include <linux/bpf.h>
#include <linux/if_ether.h>

#include <bpf/bpf_helpers.h>

char LICENSE[] SEC("license") = "GPL";

struct lookup_value {
	__u64 packets;
	__u64 bytes;
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, ABI_MAX_CONNECTIONS);
	__type(key, struct abi_connection_key);
	__type(value, struct lookup_value);
} entries SEC(".maps");

SEC("tc")
int one_lookup(struct __sk_buff *skb)
{
	const void *start = (void *)(long)skb->data;
	struct abi_connection_key key;
	struct lookup_value *value;

	if (start + ETH_HLEN + sizeof(key) > (void *)(long)skb->data_end)
		return 2;
	__builtin_memcpy(&key, start + ETH_HLEN, sizeof(key));
	value = bpf_map_lookup_elem(&entries, &key);
	if (!value)
		return 2;
	__sync_fetch_and_add(&value->packets, 1);
	__sync_fetch_and_add(&value->bytes, skb->len);
	return -1;
}
