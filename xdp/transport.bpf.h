/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Transport headers to struct packet. Functions return 0 or the reason to refuse.
 *
 * A carried packet is the one inside an ICMP error: only its first 8 transport bytes need be there
 * (RFC 792, RFC 4443).
 */
#pragma once

#include "xdp/client_port.h"
#include "xdp/packet.bpf.h"
#include "xdp/reasons.h"

#include <linux/icmpv6.h>
#include <linux/in6.h>
#include <linux/tcp.h>
#include <linux/udp.h>

#define TCP_FIN 0x01
#define TCP_SYN 0x02
#define TCP_RST 0x04
#define TCP_ACK 0x10

/* Not from <linux/icmp.h>, which wants the C library's sockets (RFC 792, RFC 950). */
#define ICMP_ECHO_REPLY        0
#define ICMP_UNREACHABLE       3
#define ICMP_SOURCE_QUENCH     4
#define ICMP_REDIRECT          5
#define ICMP_ECHO_REQUEST      8
#define ICMP_TIME_EXCEEDED     11
#define ICMP_PARAMETER_PROBLEM 12
#define ICMP_TIMESTAMP_REQUEST 13
#define ICMP_TIMESTAMP_REPLY   14
#define ICMP_INFO_REQUEST      15
#define ICMP_INFO_REPLY        16
#define ICMP_MASK_REQUEST      17
#define ICMP_MASK_REPLY        18

/* Node information (RFC 4620). */
#define ICMPV6_NI_QUERY 139
#define ICMPV6_NI_REPLY 140

/* Not in the kernel's headers for user space (RFC 4861). */
#define ND_ROUTER_SOLICITATION     133
#define ND_ROUTER_ADVERTISEMENT    134
#define ND_NEIGHBOUR_SOLICITATION  135
#define ND_NEIGHBOUR_ADVERTISEMENT 136
#define ND_REDIRECT                137

#define SCTP_HEADER 12 /* RFC 9260: ports, tag, checksum */

/* Its chunks (RFC 9260, 3.2). */
#define SCTP_INIT              1
#define SCTP_INIT_ACK          2
#define SCTP_HEARTBEAT         4
#define SCTP_ABORT             6
#define SCTP_SHUTDOWN          7
#define SCTP_SHUTDOWN_ACK      8
#define SCTP_SHUTDOWN_COMPLETE 14
#define ICMP_HEADER            8

struct icmp {
	__u8 type;
	__u8 code;
	__be16 checksum;
	__be16 identifier; /* of echo */
	__be16 sequence;
};

/* How much of the packet a first fragment must hold so that no other one can change what was
 * judged (RFC 1858, RFC 3128). */
static __always_inline __u32 transport_header(__u8 protocol)
{
	switch (protocol) {
	case IPPROTO_TCP:
		return sizeof(struct tcphdr);
	case IPPROTO_SCTP:
		return SCTP_HEADER + 4; /* and which chunk it is */
	default:
		return ICMP_HEADER;
	}
}

static __always_inline int parse_tcp(struct __sk_buff *skb, struct packet *packet)
{
	const struct tcphdr *tcp = packet_read(skb, packet, packet->transport, sizeof(*tcp));

	if (!tcp || tcp->doff < 5 || packet->transport + tcp->doff * 4u > packet->end)
		return REASON_MALFORMED;
	packet->source_port_be = tcp->source;
	packet->destination_port_be = tcp->dest;
	packet->tcp_flags = ((const __u8 *)tcp)[13];
	if ((packet->tcp_flags & (TCP_SYN | TCP_ACK | TCP_FIN | TCP_RST)) == TCP_SYN)
		packet->kind = PACKET_OPENS;
	else
		packet->kind = PACKET_CONTINUES;
	return 0;
}

static __always_inline int parse_udp(struct __sk_buff *skb, struct packet *packet)
{
	const struct udphdr *udp = packet_read(skb, packet, packet->transport, sizeof(*udp));

	if (!udp || packet->transport + sizeof(*udp) > packet->end ||
		bpf_ntohs(udp->len) < sizeof(*udp))
		return REASON_MALFORMED;
	packet->source_port_be = udp->source;
	packet->destination_port_be = udp->dest;
	return 0;
}

/* The first chunk of a packet in TCP's words. SHUTDOWN begins the end and its ACK is the other
 * side's part of it; COOKIE ECHO is the originator's ACK, as is everything else. */
static __always_inline __u8 sctp_flags(__u8 chunk)
{
	switch (chunk) {
	case SCTP_INIT:
		return TCP_SYN;
	case SCTP_INIT_ACK:
		return TCP_SYN | TCP_ACK;
	case SCTP_ABORT:
		return TCP_RST;
	case SCTP_SHUTDOWN:
	case SCTP_SHUTDOWN_ACK:
	case SCTP_SHUTDOWN_COMPLETE:
		return TCP_FIN | TCP_ACK;
	default:
		return TCP_ACK;
	}
}

/* An INIT opens, and has no tag yet (RFC 9260, 8.5.1). A HEARTBEAT may be the first packet of an
 * association on another pair of its addresses: policy is asked about it like about an INIT. Not
 * where the ports say that it is the server's: an association that policy refuses the client would
 * come back as one that the server has opened. */
static __always_inline int parse_sctp(struct __sk_buff *skb, struct packet *packet)
{
	const __be16 *sctp = packet_read(skb, packet, packet->transport, SCTP_HEADER + 4);
	__u8 chunk;

	if (!sctp || packet->transport + SCTP_HEADER + 4 > packet->end)
		return REASON_MALFORMED;
	packet->source_port_be = sctp[0];
	packet->destination_port_be = sctp[1];
	chunk = ((const __u8 *)sctp)[SCTP_HEADER];
	packet->tcp_flags = sctp_flags(chunk);
	if (chunk == SCTP_INIT && (sctp[2] || sctp[3]))
		return REASON_MALFORMED;
	if (chunk == SCTP_INIT)
		packet->kind = PACKET_OPENS;
	else if (chunk != SCTP_HEARTBEAT ||
		 client_port_tell(bpf_ntohs(sctp[0]), bpf_ntohs(sctp[1])) == CLIENT_DESTINATION)
		packet->kind = PACKET_CONTINUES;
	return 0;
}

#define NO_REQUEST (-1)

/* The type of the request that a reply answers. */
static __always_inline int icmp_request_of(__u8 protocol, __u8 type)
{
	switch (protocol << 8 | type) {
	case IPPROTO_ICMP << 8 | ICMP_ECHO_REPLY:
		return ICMP_ECHO_REQUEST;
	case IPPROTO_ICMP << 8 | ICMP_TIMESTAMP_REPLY:
		return ICMP_TIMESTAMP_REQUEST;
	case IPPROTO_ICMP << 8 | ICMP_INFO_REPLY:
		return ICMP_INFO_REQUEST;
	case IPPROTO_ICMP << 8 | ICMP_MASK_REPLY:
		return ICMP_MASK_REQUEST;
	case IPPROTO_ICMPV6 << 8 | ICMPV6_ECHO_REPLY:
		return ICMPV6_ECHO_REQUEST;
	case IPPROTO_ICMPV6 << 8 | ICMPV6_NI_REPLY:
		return ICMPV6_NI_QUERY;
	default:
		return NO_REQUEST;
	}
}

static __always_inline enum packet_kind icmp_kind(__u8 type)
{
	switch (type) {
	case ICMP_UNREACHABLE:
	case ICMP_SOURCE_QUENCH:
	case ICMP_REDIRECT:
	case ICMP_TIME_EXCEEDED:
	case ICMP_PARAMETER_PROBLEM:
		return PACKET_ERROR;
	default:
		return PACKET_OPENS;
	}
}

static __always_inline enum packet_kind icmpv6_kind(__u8 type)
{
	if (type < ICMPV6_ECHO_REQUEST) /* RFC 4443, 2.1 */
		return PACKET_ERROR;
	if ((type >= ICMPV6_MGM_QUERY && type <= ND_REDIRECT) || type == ICMPV6_MLD2_REPORT)
		return PACKET_NEIGHBOUR;
	return PACKET_OPENS;
}

/* Requests and replies have an identifier; in node information the same field is the question. */
static __always_inline int has_identifier(__u8 protocol, __u8 type)
{
	if (icmp_request_of(protocol, type) != NO_REQUEST)
		return 1;
	if (protocol == IPPROTO_ICMPV6)
		return type == ICMPV6_ECHO_REQUEST || type == ICMPV6_NI_QUERY;
	return type == ICMP_ECHO_REQUEST || type == ICMP_TIMESTAMP_REQUEST ||
	       type == ICMP_INFO_REQUEST || type == ICMP_MASK_REQUEST;
}

static __always_inline int parse_icmp(struct __sk_buff *skb, struct packet *packet)
{
	const struct icmp *icmp = packet_read(skb, packet, packet->transport, sizeof(*icmp));

	if (!icmp || packet->transport + ICMP_HEADER > packet->end)
		return REASON_MALFORMED;
	packet->type_code = icmp->type << 8 | icmp->code;
	if (icmp_request_of(packet->protocol, icmp->type) != NO_REQUEST)
		packet->kind = PACKET_CONTINUES;
	else if (packet->protocol == IPPROTO_ICMP)
		packet->kind = icmp_kind(icmp->type);
	else
		packet->kind = icmpv6_kind(icmp->type);
	if (has_identifier(packet->protocol, icmp->type))
		packet->source_port_be = icmp->identifier;
	else
		packet->source_port_be = bpf_htons(packet->type_code);
	packet->destination_port_be = packet->source_port_be;
	/* RFC 6980: neighbour discovery that hides in fragments is an attack. */
	if (packet->kind == PACKET_NEIGHBOUR && packet->first_fragment)
		return REASON_MALFORMED;
	return 0;
}

/* icmp: which of the two ICMPs this family has; the other is a protocol like any. */
static __always_inline int parse_transport(
	struct __sk_buff *skb, struct packet *packet, const __u8 icmp)
{
	if (packet->protocol == IPPROTO_TCP)
		return parse_tcp(skb, packet);
	if (packet->protocol == IPPROTO_UDP)
		return parse_udp(skb, packet);
	if (packet->protocol == IPPROTO_SCTP)
		return parse_sctp(skb, packet);
	if (packet->protocol == icmp)
		return parse_icmp(skb, packet);
	return 0;
}

/* Only what finds the connection. */
static __always_inline int parse_carried_transport(
	struct __sk_buff *skb, struct packet *packet, const __u8 icmp)
{
	__be16 start[4];

	if (bpf_skb_load_bytes(skb, packet->transport, start, sizeof(start)))
		return REASON_MALFORMED;
	switch (packet->protocol) {
	case IPPROTO_TCP:
	case IPPROTO_UDP:
	case IPPROTO_SCTP:
		packet->source_port_be = start[0];
		packet->destination_port_be = start[1];
		return 0;
	}
	if (packet->protocol != icmp)
		return 0;
	packet->type_code = bpf_ntohs(start[0]);
	packet->source_port_be =
		has_identifier(packet->protocol, packet->type_code >> 8) ? start[2] : start[0];
	packet->destination_port_be = packet->source_port_be;
	return 0;
}
