/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Frames made to measure: a description, one for both families, to bytes. Checksums are left zero,
 * as the programs do not look at them. */
#pragma once

#include "base/address.h"
#include "xdp/abi.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FRAME_MAX            6000
#define FRAME_EXTENSIONS_MAX 10

#define TCP_FIN 0x01
#define TCP_SYN 0x02
#define TCP_RST 0x04
#define TCP_PSH 0x08
#define TCP_ACK 0x10

/* One end of a conversation. */
struct end {
	struct address address;
	uint8_t mac[6];
	uint32_t ifindex; /* hook; 0: not a local workload */
	uint32_t identity;
	uint32_t class;
};

/* What stays zero is as usual. The family follows from the source's address. */
struct frame_description {
	struct end source;
	struct end destination;
	uint8_t protocol;
	uint16_t source_port;
	uint16_t destination_port;
	uint8_t tcp_flags;
	uint8_t icmp_type;
	uint8_t icmp_code;
	uint16_t icmp_identifier;
	uint8_t sctp_chunk; /* 0: INIT */
	uint8_t hop_limit;  /* 0: 64 */

	uint16_t vlan_types[2];                   /* EtherTypes of tags, outermost first */
	uint16_t ethertype;                       /* instead of the family's */
	uint8_t ipv4_options;                     /* bytes, a multiple of 4 */
	uint8_t extensions[FRAME_EXTENSIONS_MAX]; /* protocol + 1 of each IPv6 extension header */
	bool fragment;                            /* fragment_* count */
	uint32_t fragment_id;
	uint16_t fragment_offset; /* bytes; behind the first there is no transport header */
	bool fragment_more;

	const void *body; /* behind the ICMP header, or instead of the whole transport header of
			     an unknown protocol or a later fragment */
	size_t body_size;
};

struct frame {
	uint8_t bytes[FRAME_MAX];
	size_t size;
	size_t network;   /* offset of the IP header */
	size_t transport; /* offset of the transport header */
};

struct frame frame_build(const struct frame_description *description);
/* The key as abi.h defines it, worked out by memcmp and not as the programs do it. */
struct abi_connection_key frame_connection_key(const struct frame_description *description);
/* A request or reply: sender and target as they are given, IPv4. */
struct frame frame_arp(uint16_t operation, const struct end *ethernet, const struct end *sender,
	const struct address *target);
