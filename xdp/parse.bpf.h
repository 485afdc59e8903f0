/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Frames, ARP, IPv4 and IPv6 to struct packet. Functions return 0 or the reason to refuse. User
 * space reads captures by the very same code (enforcer/capture/packet.c). The lengths of a carried
 * packet (transport.bpf.h) speak of more than was carried.
 */
#pragma once

#include "xdp/configuration.bpf.h"
#include "xdp/transport.bpf.h"

#include <linux/ip.h>
#include <linux/ipv6.h>

#define EXTENSIONS_MAX 8

#define FRAGMENT_UNIT      8
#define FRAGMENT_UNITS_MAX 0xf0 /* so that the transport header's fit in one byte, too */

#define IPV4_MORE_FRAGMENTS  0x2000
#define IPV4_FRAGMENT_OFFSET 0x1fff /* in units of 8 bytes */

/* offset_bytes of this fragment in the packet; packet->transport is where its own bytes begin. */
static __always_inline int parse_fragment(
	struct packet *packet, __u32 id, __u32 offset_bytes, int more)
{
	packet->fragment_id = id;
	packet->fragment_protocol = packet->protocol;
	if (!offset_bytes) {
		packet->first_fragment = more;
		return 0;
	}
	packet->kind = PACKET_FRAGMENT;
	packet->fragment_units = 0xff;
	if (offset_bytes / FRAGMENT_UNIT < 0xff)
		packet->fragment_units = offset_bytes / FRAGMENT_UNIT;
	if (offset_bytes < transport_header(packet->protocol) || packet->transport >= packet->end ||
		offset_bytes + (packet->end - packet->transport) > 0xffff)
		return REASON_MALFORMED;
	return 0;
}

static __always_inline int parse_ipv4(
	struct __sk_buff *skb, struct packet *packet, __u32 offset, const int carried)
{
	const struct iphdr *ip = packet_read(skb, packet, offset, sizeof(*ip));
	__u32 length, fragment;

	if (!ip || ip->version != 4 || ip->ihl < 5)
		return REASON_MALFORMED;
	length = bpf_ntohs(ip->tot_len);
	if (!length && skb->gso_size) /* larger than the field can say */
		length = skb->len - offset;
	if (length < ip->ihl * 4u || (!carried && offset + length > skb->len))
		return REASON_MALFORMED;
	packet->end = offset + length;
	packet->transport = offset + ip->ihl * 4u;
	packet->protocol = ip->protocol;
	address_from_ipv4(&packet->source, ip->saddr);
	address_from_ipv4(&packet->destination, ip->daddr);

	fragment = bpf_ntohs(ip->frag_off);
	if (fragment & (IPV4_MORE_FRAGMENTS | IPV4_FRAGMENT_OFFSET)) {
		int reason = parse_fragment(packet, bpf_ntohs(ip->id),
			(fragment & IPV4_FRAGMENT_OFFSET) * 8, !!(fragment & IPV4_MORE_FRAGMENTS));

		if (reason || packet->kind == PACKET_FRAGMENT)
			return reason;
	}
	if (carried)
		return parse_carried_transport(skb, packet, IPPROTO_ICMP);
	return parse_transport(skb, packet, IPPROTO_ICMP);
}

static __always_inline int is_extension(__u8 protocol)
{
	return protocol == IPPROTO_HOPOPTS || protocol == IPPROTO_ROUTING ||
	       protocol == IPPROTO_FRAGMENT || protocol == IPPROTO_DSTOPTS ||
	       protocol == IPPROTO_AH;
}

struct extension {
	__u8 next;
	__u8 length; /* in units of 8 bytes without the first; AH: of 4 without the first two */
	__be16 fragment;
	__be32 id;
};

/* How much of a first fragment is extension headers. */
static __always_inline int note_headers(struct packet *packet, __u32 behind)
{
	__u32 units = (packet->transport - behind + FRAGMENT_UNIT - 1) / FRAGMENT_UNIT;

	if (!behind)
		return 0;
	if (units > FRAGMENT_UNITS_MAX)
		return REASON_MALFORMED;
	packet->fragment_units = units;
	return 0;
}

/* Goes to the first header that is no extension, or to the bytes of a later fragment. Not inlined:
 * the loop is verified once for each program, and rare. */
static __noinline int parse_extensions(struct __sk_buff *skb, struct packet *packet)
{
	struct extension extension;
	__u32 length, behind = 0; /* the fragment header, where it is a first fragment's */
	int reason;

	for (int i = 0; i < EXTENSIONS_MAX; i++) {
		__u8 protocol = packet->protocol;

		if (!is_extension(protocol))
			return note_headers(packet, behind);
		if (bpf_skb_load_bytes(skb, packet->transport, &extension, sizeof(extension)))
			return REASON_MALFORMED;
		length = (extension.length + 1) * 8;
		if (protocol == IPPROTO_AH)
			length = (extension.length + 2) * 4;
		if (protocol == IPPROTO_FRAGMENT)
			length = sizeof(extension);
		if (packet->transport + length > packet->end)
			return REASON_MALFORMED;
		packet->transport += length;
		packet->protocol = extension.next;
		if (protocol != IPPROTO_FRAGMENT)
			continue;
		if (packet->first_fragment) /* a fragment in a fragment */
			return REASON_MALFORMED;
		reason = parse_fragment(packet, extension.id, bpf_ntohs(extension.fragment) & ~7u,
			bpf_ntohs(extension.fragment) & 1);
		if (reason || packet->kind == PACKET_FRAGMENT)
			return reason;
		if (packet->first_fragment)
			behind = packet->transport;
	}
	return is_extension(packet->protocol) ? REASON_MALFORMED : note_headers(packet, behind);
}

static __always_inline int parse_ipv6(
	struct __sk_buff *skb, struct packet *packet, __u32 offset, const int carried)
{
	const struct ipv6hdr *ip = packet_read(skb, packet, offset, sizeof(*ip));
	__u32 length;

	if (!ip || ip->version != 6)
		return REASON_MALFORMED;
	length = sizeof(*ip) + bpf_ntohs(ip->payload_len);
	if (!ip->payload_len && skb->gso_size)
		length = skb->len - offset;
	if (!carried && offset + length > skb->len)
		return REASON_MALFORMED;
	packet->end = offset + length;
	packet->transport = offset + sizeof(*ip);
	packet->protocol = ip->nexthdr;
	packet->hop_limit = ip->hop_limit;
	address_from_ipv6(&packet->source, ip->saddr.in6_u.u6_addr32);
	address_from_ipv6(&packet->destination, ip->daddr.in6_u.u6_addr32);
	if (address_is_mapped(&packet->source) || address_is_mapped(&packet->destination))
		return REASON_MALFORMED;

	if (is_extension(packet->protocol)) {
		int reason = parse_extensions(skb, packet);

		if (reason || packet->kind == PACKET_FRAGMENT)
			return reason;
	}
	if (carried)
		return parse_carried_transport(skb, packet, IPPROTO_ICMPV6);
	return parse_transport(skb, packet, IPPROTO_ICMPV6);
}

/* Not from <linux/if_arp.h>, which wants the C library's sockets. */
#define ARP_HARDWARE_ETHERNET 1
#define ARP_REQUEST           1
#define ARP_REPLY             2

struct arp {
	__be16 hardware;
	__be16 protocol;
	__u8 hardware_length;
	__u8 protocol_length;
	__be16 operation;
	__u8 sender_mac[6];
	__u8 sender[4];
	__u8 target_mac[6];
	__u8 target[4];
};

/* RFC 826. Leaves sender and target as source and destination. */
static __noinline int parse_arp(struct __sk_buff *skb, struct packet *packet)
{
	struct arp arp;
	__be32 sender, target;

	if (bpf_skb_load_bytes(skb, ETH_HLEN, &arp, sizeof(arp)))
		return REASON_MALFORMED;
	if (arp.hardware != bpf_htons(ARP_HARDWARE_ETHERNET) ||
		arp.protocol != bpf_htons(ETH_P_IP) ||
		arp.hardware_length != sizeof(arp.sender_mac) ||
		arp.protocol_length != sizeof(arp.sender))
		return REASON_MALFORMED;
	if (arp.operation != bpf_htons(ARP_REQUEST) && arp.operation != bpf_htons(ARP_REPLY))
		return REASON_MALFORMED;
	__builtin_memcpy(&sender, arp.sender, sizeof(sender));
	__builtin_memcpy(&target, arp.target, sizeof(target));
	address_from_ipv4(&packet->source, sender);
	address_from_ipv4(&packet->destination, target);
	packet->kind = PACKET_NEIGHBOUR;
	return 0;
}

/* Whatever the configuration lets pass: nothing is known of it but who sends it. */
static __noinline int parse_foreign(struct packet *packet)
{
	if (!packet) /* demanded where the verifier walks once */
		return REASON_MALFORMED;
	for (int i = 0; i < ABI_ETHERTYPES; i++) {
		if (packet->ethertype && packet->ethertype == configuration.ethertypes[i]) {
			packet->kind = PACKET_FOREIGN;
			return 0;
		}
	}
	return REASON_UNSUPPORTED_ETHERTYPE;
}

/* Frames with a tag carry what policy was not written for: refused whole, whether the tag is in the
 * frame or, as the kernel leaves it for the outermost, beside it. */
static __always_inline int parse_frame(struct __sk_buff *skb, struct packet *packet)
{
	const struct ethhdr *ethernet = packet_read(skb, packet, 0, sizeof(*ethernet));

	if (!ethernet)
		return REASON_MALFORMED;
	packet->bytes = skb->len - ETH_HLEN;
	packet->ethertype = bpf_ntohs(ethernet->h_proto);
	if (skb->vlan_present) {
		packet->ethertype = bpf_ntohs(skb->vlan_proto);
		return REASON_UNSUPPORTED_ETHERTYPE;
	}
	switch (packet->ethertype) {
	case ETH_P_IP:
		return parse_ipv4(skb, packet, ETH_HLEN, 0);
	case ETH_P_IPV6:
		return parse_ipv6(skb, packet, ETH_HLEN, 0);
	case ETH_P_ARP:
		return parse_arp(skb, packet);
	default:
		return parse_foreign(packet);
	}
}
