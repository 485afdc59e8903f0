// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What makes first packets repeatable: each run gives the frame another source port and then jumps
 * to the program that is measured. And what such a program cannot do without, alone.
 */
#include "xdp/abi.h"

#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/ip.h>

#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

char LICENSE[] SEC("license") = "GPL";

struct {
	__uint(type, BPF_MAP_TYPE_PROG_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u32);
} measured SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, ABI_MAX_CONNECTIONS);
	__type(key, struct abi_connection_key);
	__type(value, struct abi_connection);
} entries SEC(".maps");

/* IPv4 without options. */
SEC("tc")
int ever_new(struct __sk_buff *skb)
{
	void *start = (void *)(long)skb->data;
	__be16 *port_be = start + ETH_HLEN + sizeof(struct iphdr);

	if ((void *)(port_be + 1) > (void *)(long)skb->data_end)
		return 2;
	*port_be = bpf_htons(bpf_ntohs(*port_be) + 1);
	bpf_tail_call(skb, &measured, 0);
	return 2;
}

SEC("tc")
int nothing(struct __sk_buff *skb)
{
	(void)skb;
	return -1;
}

/* A new entry in a table like that of connections. */
SEC("tc")
int one_insert(struct __sk_buff *skb)
{
	const void *start = (void *)(long)skb->data;
	struct abi_connection value = {};
	struct abi_connection_key key;

	if (start + ETH_HLEN + sizeof(key) > (void *)(long)skb->data_end)
		return 2;
	__builtin_memcpy(&key, start + ETH_HLEN, sizeof(key));
	return bpf_map_update_elem(&entries, &key, &value, BPF_NOEXIST) ? 2 : -1;
}
