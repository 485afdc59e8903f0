/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The little of a packet that early dropping asks for: who sends it to whom, and whether it opens a
 * connection. Over the bytes alone, so that XDP and tc programs share it.
 *
 * Not the parser of the tc programs (parse.bpf.h): that one reads by helpers which XDP does not
 * have, fills four cache lines, and refuses what is none of early dropping's business on an uplink:
 * tags, other Ethernet types, headers that the node's own stack will refuse. What does not parse
 * here is not refused, but "opaque"; only a quarantine refuses that.
 */
#pragma once

#include "xdp/parse.bpf.h"

#define EARLY_TAGS_MAX  2
#define SCTP_CHUNK_INIT 1 /* RFC 9260, 3.3.2 */

struct view {
	const void *start;
	const void *end;
};

struct early_packet {
	union address source;
	union address destination;
	__u32 ifindex;
	__u32 transport; /* offset of what is behind the IP headers */
	__be16 source_port_be;
	__be16 destination_port_be;
	__u16 ethertype; /* host order; of what is behind the tags */
	__u16 type_code; /* ICMP */
	__u8 protocol;
	__u8 tcp_flags;
	__u8 tags;
	__u8 follows;   /* a fragment, not the first */
	__u8 addressed; /* source and destination are known */
	__u8 opens;     /* the first packet of a TCP connection or SCTP association */
	__u8 hook;      /* enum abi_direction */
	__u8 pad;
};

/* size bytes at offset; NULL where the view ends before. */
static __always_inline const void *view_at(const struct view *view, __u32 offset, const __u32 size)
{
	const void *start = view->start;

	offset &= PACKET_OFFSET_MASK;
	start += offset;
	return start + size <= view->end ? start : NULL;
}

static __always_inline void early_parse_transport(
	const struct view *view, struct early_packet *packet)
{
	const struct tcphdr *tcp;
	const struct icmp *icmp;
	const __be16 *ports;
	const __u8 *chunk;

	ports = view_at(view, packet->transport, 2 * sizeof(*ports));
	if (!ports)
		return;
	switch (packet->protocol) {
	case IPPROTO_TCP:
		tcp = view_at(view, packet->transport, sizeof(*tcp));
		if (!tcp)
			return;
		packet->tcp_flags = ((const __u8 *)tcp)[13];
		packet->opens = (packet->tcp_flags & (TCP_SYN | TCP_ACK | TCP_RST)) == TCP_SYN;
		break;
	case IPPROTO_SCTP:
		chunk = view_at(view, packet->transport + SCTP_HEADER, sizeof(*chunk));
		packet->opens = chunk && *chunk == SCTP_CHUNK_INIT;
		break;
	case IPPROTO_UDP:
		break;
	case IPPROTO_ICMP:
	case IPPROTO_ICMPV6:
		icmp = (const struct icmp *)ports;
		packet->type_code = icmp->type << 8 | icmp->code;
		return;
	default:
		return;
	}
	packet->source_port_be = ports[0];
	packet->destination_port_be = ports[1];
}

static __always_inline void early_parse_ipv4(
	const struct view *view, struct early_packet *packet, __u32 offset)
{
	const struct iphdr *ip = view_at(view, offset, sizeof(*ip));

	if (!ip || ip->version != 4 || ip->ihl < 5)
		return;
	packet->addressed = 1;
	packet->protocol = ip->protocol;
	packet->follows = !!(ip->frag_off & bpf_htons(IPV4_FRAGMENT_OFFSET));
	packet->transport = offset + ip->ihl * 4u;
	address_from_ipv4(&packet->source, ip->saddr);
	address_from_ipv4(&packet->destination, ip->daddr);
}

/* Goes to the first header that is no extension. Chains that are longer, or cut, stay where they
 * are: their protocol is then an extension, which opens nothing. */
static __always_inline void early_skip_extensions(
	const struct view *view, struct early_packet *packet)
{
	for (int i = 0; i < EXTENSIONS_MAX && is_extension(packet->protocol); i++) {
		const struct extension *extension =
			view_at(view, packet->transport, sizeof(*extension));
		__u32 length;

		if (!extension)
			return;
		length = (extension->length + 1) * 8;
		if (packet->protocol == IPPROTO_AH)
			length = (extension->length + 2) * 4;
		if (packet->protocol == IPPROTO_FRAGMENT) {
			length = sizeof(*extension);
			packet->follows = !!(extension->fragment & bpf_htons(0xfff8));
		}
		packet->protocol = extension->next;
		packet->transport += length;
		if (packet->follows)
			return;
	}
}

static __always_inline void early_parse_ipv6(
	const struct view *view, struct early_packet *packet, __u32 offset)
{
	const struct ipv6hdr *ip = view_at(view, offset, sizeof(*ip));

	if (!ip || ip->version != 6)
		return;
	packet->protocol = ip->nexthdr;
	packet->transport = offset + sizeof(*ip);
	address_from_ipv6(&packet->source, ip->saddr.in6_u.u6_addr32);
	address_from_ipv6(&packet->destination, ip->daddr.in6_u.u6_addr32);
	/* A mapped address in IPv6 is a forgery: the lists mean IPv4 by it. */
	if (address_is_mapped(&packet->source) || address_is_mapped(&packet->destination))
		return;
	packet->addressed = 1;
	early_skip_extensions(view, packet);
}

static __always_inline int is_tag(__u16 ethertype)
{
	return ethertype == ETH_P_8021Q || ethertype == ETH_P_8021AD;
}

static __always_inline void early_parse(const struct view *view, struct early_packet *packet)
{
	const struct ethhdr *ethernet = view_at(view, 0, sizeof(*ethernet));
	__u32 offset = sizeof(*ethernet);

	if (!ethernet)
		return;
	packet->ethertype = bpf_ntohs(ethernet->h_proto);
	for (int i = 0; i < EARLY_TAGS_MAX && is_tag(packet->ethertype); i++) {
		const __be16 *tag = view_at(view, offset, 2 * sizeof(*tag));

		if (!tag)
			return;
		packet->ethertype = bpf_ntohs(tag[1]);
		packet->tags++;
		offset += 2 * sizeof(*tag);
	}
	if (packet->ethertype == ETH_P_IP)
		early_parse_ipv4(view, packet, offset);
	else if (packet->ethertype == ETH_P_IPV6)
		early_parse_ipv6(view, packet, offset);
	if (packet->addressed && !packet->follows)
		early_parse_transport(view, packet);
}
