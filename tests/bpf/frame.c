/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "frame.h"

#include <arpa/inet.h>
#include <net/ethernet.h>
#include <net/if_arp.h>
#include <netinet/if_ether.h>
#include <netinet/ip.h>
#include <netinet/ip6.h>
#include <netinet/tcp.h>
#include <netinet/udp.h>
#include <string.h>

#define IPV4_MAPPED 12
#define SCTP_INIT   1 /* RFC 9260, 3.2 */

static void put(struct frame *frame, const void *bytes, size_t size)
{
	if (size)
		memcpy(frame->bytes + frame->size, bytes, size);
	frame->size += size;
}

static void put_u16(struct frame *frame, uint16_t value)
{
	uint16_t value_be = htons(value);

	put(frame, &value_be, sizeof(value_be));
}

static void put_ethernet(struct frame *frame, const struct frame_description *d, uint16_t ethertype)
{
	put(frame, d->destination.mac, sizeof(d->destination.mac));
	put(frame, d->source.mac, sizeof(d->source.mac));
	for (size_t i = 0; i < 2 && d->vlan_types[i]; i++) {
		put_u16(frame, d->vlan_types[i]);
		put_u16(frame, 42);
	}
	put_u16(frame, d->ethertype ? d->ethertype : ethertype);
}

static void put_ipv4(struct frame *frame, const struct frame_description *d)
{
	struct iphdr ip = {
		.version = 4,
		.ihl = 5 + d->ipv4_options / 4,
		.ttl = d->hop_limit ? d->hop_limit : 64,
		.protocol = d->protocol,
	};
	uint8_t options[40];

	if (d->fragment) {
		ip.id = htons((uint16_t)d->fragment_id);
		ip.frag_off = htons(d->fragment_offset / 8 | (d->fragment_more ? IP_MF : 0));
	}
	memcpy(&ip.saddr, d->source.address.bytes + IPV4_MAPPED, sizeof(ip.saddr));
	memcpy(&ip.daddr, d->destination.address.bytes + IPV4_MAPPED, sizeof(ip.daddr));
	put(frame, &ip, sizeof(ip));
	memset(options, IPOPT_NOP, sizeof(options));
	put(frame, options, d->ipv4_options);
}

/* Each extension header has 8 bytes, which is a valid length for all of them. */
static void put_extensions(struct frame *frame, const struct frame_description *d, uint8_t *next)
{
	for (size_t i = 0; i < FRAME_EXTENSIONS_MAX && d->extensions[i]; i++) {
		uint8_t header[8] = {0};

		*next = d->extensions[i] - 1;
		next = frame->bytes + frame->size;
		put(frame, header, sizeof(header));
	}
	if (d->fragment) {
		struct ip6_frag fragment = {
			.ip6f_offlg = htons(d->fragment_offset | d->fragment_more),
			.ip6f_ident = htonl(d->fragment_id),
		};

		*next = IPPROTO_FRAGMENT;
		next = frame->bytes + frame->size;
		put(frame, &fragment, sizeof(fragment));
	}
	*next = d->protocol;
}

static void put_ipv6(struct frame *frame, const struct frame_description *d)
{
	struct ip6_hdr ip = {.ip6_hlim = d->hop_limit ? d->hop_limit : 64};
	size_t start = frame->size;

	ip.ip6_vfc = 6 << 4;
	memcpy(&ip.ip6_src, d->source.address.bytes, sizeof(ip.ip6_src));
	memcpy(&ip.ip6_dst, d->destination.address.bytes, sizeof(ip.ip6_dst));
	put(frame, &ip, sizeof(ip));
	put_extensions(frame, d, frame->bytes + start + offsetof(struct ip6_hdr, ip6_nxt));
}

static void put_icmp(struct frame *frame, const struct frame_description *d)
{
	const uint8_t start[] = {d->icmp_type, d->icmp_code, 0, 0};

	put(frame, start, sizeof(start));
	put_u16(frame, d->icmp_identifier);
	put_u16(frame, 1);
	put(frame, d->body, d->body_size);
}

static void put_tcp(struct frame *frame, const struct frame_description *d)
{
	struct tcphdr tcp = {
		.source = htons(d->source_port), .dest = htons(d->destination_port), .doff = 5};

	tcp.th_flags = d->tcp_flags;
	put(frame, &tcp, sizeof(tcp));
	put(frame, d->body, d->body_size);
}

static void put_transport(struct frame *frame, const struct frame_description *d)
{
	if (d->fragment && d->fragment_offset) {
		put(frame, d->body, d->body_size);
		return;
	}
	switch (d->protocol) {
	case IPPROTO_TCP:
		put_tcp(frame, d);
		break;
	case IPPROTO_UDP:
		put_u16(frame, d->source_port);
		put_u16(frame, d->destination_port);
		put_u16(frame, (uint16_t)(sizeof(struct udphdr) + d->body_size));
		put_u16(frame, 0);
		put(frame, d->body, d->body_size);
		break;
	case IPPROTO_SCTP:
		put_u16(frame, d->source_port);
		put_u16(frame, d->destination_port);
		put(frame, (uint8_t[8]){0}, 8); /* tag, checksum */
		put(frame, (uint8_t[4]){d->sctp_chunk ? d->sctp_chunk : SCTP_INIT, 0, 0, 4}, 4);
		put(frame, d->body, d->body_size);
		break;
	case IPPROTO_ICMP:
	case IPPROTO_ICMPV6:
		put_icmp(frame, d);
		break;
	default:
		put(frame, d->body, d->body_size);
	}
}

struct frame frame_build(const struct frame_description *d)
{
	bool ipv4 = address_is_ipv4(&d->source.address);
	struct frame frame = {.size = 0};
	uint16_t length_be;

	put_ethernet(&frame, d, ipv4 ? ETHERTYPE_IP : ETHERTYPE_IPV6);
	frame.network = frame.size;
	if (ipv4)
		put_ipv4(&frame, d);
	else
		put_ipv6(&frame, d);
	frame.transport = frame.size;
	put_transport(&frame, d);

	length_be = htons((uint16_t)(frame.size - frame.network));
	if (ipv4) {
		memcpy(frame.bytes + frame.network + offsetof(struct iphdr, tot_len), &length_be,
			sizeof(length_be));
		return frame;
	}
	length_be = htons((uint16_t)(frame.size - frame.network - sizeof(struct ip6_hdr)));
	memcpy(frame.bytes + frame.network + offsetof(struct ip6_hdr, ip6_plen), &length_be,
		sizeof(length_be));
	return frame;
}

struct abi_connection_key frame_connection_key(const struct frame_description *d)
{
	struct {
		uint8_t address[16];
		uint16_t port_be;
	} sides[2];
	bool icmp = d->protocol == IPPROTO_ICMP || d->protocol == IPPROTO_ICMPV6;
	struct abi_connection_key key = {.protocol = d->protocol};
	bool swap;

	memcpy(sides[0].address, &d->source.address, sizeof(sides[0].address));
	memcpy(sides[1].address, &d->destination.address, sizeof(sides[1].address));
	sides[0].port_be = htons(icmp ? d->icmp_identifier : d->source_port);
	sides[1].port_be = htons(icmp ? d->icmp_identifier : d->destination_port);
	swap = memcmp(&sides[0], &sides[1], sizeof(sides[0])) > 0;
	for (int i = 0; i < 2; i++) {
		memcpy(key.address[i], sides[i ^ swap].address, sizeof(key.address[i]));
		key.port_be[i] = sides[i ^ swap].port_be;
	}
	return key;
}

struct frame frame_arp(uint16_t operation, const struct end *ethernet, const struct end *sender,
	const struct address *target)
{
	static const uint8_t broadcast[6] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
	struct ether_arp arp = {0};
	struct frame frame = {.size = 0};

	arp.arp_hrd = htons(ARPHRD_ETHER);
	arp.arp_pro = htons(ETHERTYPE_IP);
	arp.arp_hln = 6;
	arp.arp_pln = 4;
	arp.arp_op = htons(operation);
	memcpy(arp.arp_sha, sender->mac, sizeof(arp.arp_sha));
	memcpy(arp.arp_spa, sender->address.bytes + IPV4_MAPPED, sizeof(arp.arp_spa));
	memcpy(arp.arp_tpa, target->bytes + IPV4_MAPPED, sizeof(arp.arp_tpa));
	put(&frame, broadcast, sizeof(broadcast));
	put(&frame, ethernet->mac, sizeof(ethernet->mac));
	put_u16(&frame, ETHERTYPE_ARP);
	frame.network = frame.size;
	put(&frame, &arp, sizeof(arp));
	return frame;
}
