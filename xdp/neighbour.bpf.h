/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ARP (RFC 826, RFC 5227) and neighbour discovery (RFC 4861): a workload tells the truth about
 * itself and says nothing about others. Functions return the reason that becomes the verdict.
 */
#pragma once

#include "xdp/maps.bpf.h"
#include "xdp/parse.bpf.h"
#include "xdp/policy.bpf.h"

#define ND_OPTIONS_MAX   8
#define ND_SOURCE_OPTION 1 /* link-layer address options */
#define ND_TARGET_OPTION 2

static __always_inline int address_is_own(const union address *address, __u32 ifindex)
{
	const struct abi_address *owner = address_find(address);

	return owner && owner->ifindex == ifindex;
}

/* fe80::/64 with the interface identifier that the kernel makes of the MAC (RFC 4291, A). */
static __always_inline int address_is_of_mac(const union address *address, const __u8 *mac)
{
	const __u8 *id = &address->bytes[8];

	return address->words[0] == bpf_htonl(0xfe800000) && !address->words[1] &&
	       id[0] == (mac[0] ^ 2) && id[1] == mac[1] && id[2] == mac[2] && id[3] == 0xff &&
	       id[4] == 0xfe && id[5] == mac[3] && id[6] == mac[4] && id[7] == mac[5];
}

/* ARP probes and duplicate address detection say "I want this address": also a claim, since its
 * owner may give it up. */
static __noinline int check_arp(
	struct __sk_buff *skb, const struct packet *packet, const struct abi_endpoint *endpoint)
{
	const union address *claim = &packet->source;
	__u8 sender_mac[6];

	if (bpf_skb_load_bytes(skb, ETH_HLEN + offsetof(struct arp, sender_mac), sender_mac,
		    sizeof(sender_mac)))
		return REASON_MALFORMED;
	if (!packet->source.words[3])
		claim = &packet->destination;
	if (!mac_equal(sender_mac, endpoint->mac) || !address_is_own(claim, packet->ifindex))
		return REASON_SPOOFED_ARP;
	return REASON_NEIGHBOUR;
}

static __always_inline int check_claim(const union address *address, const struct packet *packet,
	const struct abi_endpoint *endpoint)
{
	return address_is_own(address, packet->ifindex) ||
	       address_is_of_mac(address, endpoint->mac);
}

struct nd_option {
	__u8 type;
	__u8 length; /* in units of 8 bytes */
	__u8 mac[6];
};

static __always_inline int check_options(struct __sk_buff *skb, const struct packet *packet,
	__u32 offset, const struct abi_endpoint *endpoint)
{
	struct nd_option option;

	for (int i = 0; i < ND_OPTIONS_MAX; i++) {
		if (offset == packet->end)
			return REASON_NEIGHBOUR;
		if (bpf_skb_load_bytes(skb, offset, &option, sizeof(option)) || !option.length)
			return REASON_MALFORMED;
		if ((option.type == ND_SOURCE_OPTION || option.type == ND_TARGET_OPTION) &&
			!mac_equal(option.mac, endpoint->mac))
			return REASON_SPOOFED_NEIGHBOUR;
		offset += option.length * 8;
		if (offset > packet->end)
			return REASON_MALFORMED;
	}
	return REASON_MALFORMED;
}

static __always_inline __u32 nd_header(__u8 type)
{
	if (type == ND_NEIGHBOUR_SOLICITATION || type == ND_NEIGHBOUR_ADVERTISEMENT)
		return ICMP_HEADER + sizeof(union address); /* the target */
	return ICMP_HEADER;
}

/* What a workload says of neighbours. */
static __noinline int check_discovery(
	struct __sk_buff *skb, const struct packet *packet, const struct abi_endpoint *endpoint)
{
	const __u8 type = packet->type_code >> 8;
	union address claim = packet->source;

	if (type == ND_ROUTER_ADVERTISEMENT)
		return REASON_ROUTER_ADVERTISEMENT;
	if (type == ND_REDIRECT)
		return REASON_SPOOFED_NEIGHBOUR;
	if (type < ND_ROUTER_SOLICITATION || type > ND_REDIRECT)
		return REASON_NEIGHBOUR; /* listener discovery claims nothing */
	if (packet->transport + nd_header(type) > packet->end)
		return REASON_MALFORMED;
	if (type == ND_NEIGHBOUR_ADVERTISEMENT ||
		(type == ND_NEIGHBOUR_SOLICITATION && address_is_unspecified(&claim))) {
		if (bpf_skb_load_bytes(skb, packet->transport + ICMP_HEADER, &claim, sizeof(claim)))
			return REASON_MALFORMED;
	}
	if (!address_is_unspecified(&claim) && !check_claim(&claim, packet, endpoint))
		return REASON_SPOOFED_NEIGHBOUR;
	return check_options(skb, packet, packet->transport + nd_header(type), endpoint);
}

/* To groups, and no further than the link. Else it would be a way around policy to whomever there
 * is a route to. */
static __always_inline int listener_discovery_is_sound(const struct packet *packet)
{
	return packet->hop_limit == MLD_HOP_LIMIT && packet->destination.bytes[0] == 0xff;
}

/* ARP cannot be routed. */
static __always_inline int discovery_on_link(const struct packet *packet)
{
	const __u8 type = packet->type_code >> 8;

	if (packet->ethertype == ETH_P_ARP)
		return 1;
	if (type < ND_ROUTER_SOLICITATION || type > ND_REDIRECT)
		return listener_discovery_is_sound(packet);
	return packet->hop_limit == ND_HOP_LIMIT;
}
