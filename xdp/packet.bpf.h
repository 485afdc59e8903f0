/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the rest of the programs know of a packet, whatever its family, and how bytes are read. */
#pragma once

#include "xdp/abi.h"
#include "xdp/packet_kind.h"

#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/in6.h>

#include <stddef.h>

#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#define PACKET_PASS   (-1) /* TC_ACT_UNSPEC and TCX_NEXT: programs behind this one still run */
#define PACKET_REFUSE 2    /* TC_ACT_SHOT and TCX_DROP */

/* Offsets that are added to packet pointers must be known to be small. No header begins further
 * behind: all the extension headers that are followed have 16 KiB at most. */
#define PACKET_OFFSET_MASK 0x7fff

union address {
	__u8 bytes[16];
	__u32 words[4];
	__u64 halves[2];
};

/* Copied in words, as it is filled. */
union connection_key {
	struct abi_connection_key value;
	__u64 words[5];
};

struct packet {
	union address source;
	union address destination;
	__be16 source_port_be; /* as in struct abi_connection_key */
	__be16 destination_port_be;
	__u16 type_code; /* ICMP */
	__u8 protocol;
	__u8 kind; /* enum packet_kind */
	__u8 tcp_flags;
	__u8 hop_limit;         /* IPv6 */
	__u8 first_fragment;    /* more follow */
	__u8 fragment_protocol; /* the same in all fragments of a packet */
	__u32 fragment_id;
	__u16 ethertype; /* host order; of the tag where there is one */
	__u16 transport; /* offset of what is behind the IP headers */
	__u32 end;       /* offset of the IP packet's end */
	__u32 bytes;     /* of the frame without the Ethernet header */
	__u32 ifindex;
	__u32 generation;
	__u8 hook;           /* enum abi_direction: leaving the workload is egress */
	__u8 side;           /* which of the key is the source */
	__u8 unknown;        /* there is no connection with this key, and could be one */
	__u8 fragment_units; /* of 8 bytes: how many hold headers; not the first: before this one */
	/* One after the other, since the stack of all calls together is 512 bytes. */
	union {
		__u8 scratch[40];         /* of packet_read(): the longest is the IPv6 header */
		union connection_key key; /* once parsed, where there can be a connection */
	};
};

/*
 * size bytes at offset: in place where they are in the linear part, else a copy that holds until
 * the next call; NULL where the packet ends before. Never pulls: that would copy the head of every
 * cloned TCP packet.
 */
static __always_inline const void *packet_read(
	struct __sk_buff *skb, struct packet *packet, __u32 offset, const __u32 size)
{
	const void *start = (void *)(long)skb->data;
	const void *end = (void *)(long)skb->data_end;

	offset &= PACKET_OFFSET_MASK;
	start += offset;
	if (start + size <= end)
		return start;
	if (bpf_skb_load_bytes(skb, offset, packet->scratch, size))
		return NULL;
	return packet->scratch;
}

/* What is read back in eight bytes must be stored in eight: stores of parts do not forward to a
 * larger load, which waits for them. */
static __always_inline __u64 join_words(__u32 first, __u32 second)
{
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
	return (__u64)second << 32 | first;
#else
	return (__u64)first << 32 | second;
#endif
}

static __always_inline void address_from_ipv4(union address *address, __be32 ipv4)
{
	address->halves[0] = 0;
	address->halves[1] = join_words(bpf_htonl(0xffff), ipv4);
}

static __always_inline void address_from_ipv6(union address *address, const __be32 words[4])
{
	address->halves[0] = join_words(words[0], words[1]);
	address->halves[1] = join_words(words[2], words[3]);
}

static __always_inline int address_is_mapped(const union address *address)
{
	return !address->halves[0] && address->words[2] == bpf_htonl(0xffff);
}

static __always_inline int address_is_unspecified(const union address *address)
{
	return !address->halves[0] && !address->halves[1];
}

static __always_inline int address_is_link_local(const union address *address)
{
	return (address->words[0] & bpf_htonl(0xffc00000)) == bpf_htonl(0xfe800000);
}

static __always_inline int address_equal(const union address *a, const union address *b)
{
	return a->halves[0] == b->halves[0] && a->halves[1] == b->halves[1];
}

/* As memcmp(a, b, 16) > 0. */
static __always_inline int address_above(const union address *a, const union address *b)
{
	if (a->halves[0] != b->halves[0])
		return bpf_be64_to_cpu(a->halves[0]) > bpf_be64_to_cpu(b->halves[0]);
	return bpf_be64_to_cpu(a->halves[1]) > bpf_be64_to_cpu(b->halves[1]);
}

/* In halves of two bytes: MACs stand at odd multiples of two, and not all CPUs load across. */
static __always_inline int mac_equal(const void *a, const void *b)
{
	const __u16 *left = a, *right = b;

	return left[0] == right[0] && left[1] == right[1] && left[2] == right[2];
}

static __always_inline int packet_is_icmp(const struct packet *packet)
{
	return packet->protocol == (packet->ethertype == ETH_P_IP ? IPPROTO_ICMP : IPPROTO_ICMPV6);
}

/* What policy and denials call the port: host order; ICMP type << 8 | code. */
static __always_inline __u16 packet_port(const struct packet *packet)
{
	return packet_is_icmp(packet) ? packet->type_code : bpf_ntohs(packet->destination_port_be);
}
