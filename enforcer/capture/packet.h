/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A captured packet as the data plane sees it: parsed by the code of the BPF programs itself
 * (xdp/parse.bpf.h), so that a capture is judged by what the kernel judges by.
 */
#pragma once

#include "xdp/packet_kind.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Who talks to whom, IPv4 as ::ffff:a.b.c.d. Bytes, since the programs have an address type of
 * their own. */
struct packet_ends {
	uint8_t source[16];
	uint8_t destination[16];
	uint16_t source_port; /* host order; ICMP: identifier, or type << 8 | code, as both */
	uint16_t destination_port;
	uint16_t type_code; /* ICMP: type << 8 | code */
	uint8_t protocol;
};

struct capture_packet {
	uint64_t time_ns; /* CLOCK_REALTIME; set by whoever captured it */
	const uint8_t *frame;
	uint32_t captured; /* bytes of it that are there */
	uint32_t length;   /* that it had */

	int reason; /* of enum reason: to refuse it for its form alone; 0: it could be parsed */
	bool cut;   /* not enough was captured to tell: nothing below is to be relied upon */
	enum packet_kind kind;
	struct packet_ends ends;
	struct packet_ends carried; /* PACKET_ERROR: of the packet that it is about */
	bool has_carried;
	uint8_t source_mac[6]; /* zero where the capture has no Ethernet header */
	uint8_t destination_mac[6];
	uint8_t sender_mac[6]; /* ARP: as it claims */
	uint8_t claim[16];     /* neighbour discovery: the address that it claims; zero: none */
	uint8_t tcp_flags;     /* SCTP: the chunk in TCP's words */
	uint8_t hop_limit;
	bool first_fragment; /* more follow */
	uint8_t fragment_protocol;
	uint32_t fragment_id;
	uint16_t ethertype; /* host order */
	uint32_t bytes;     /* without the Ethernet header */
	/* UDP, whole or its first fragment: what is behind the header, as far as it was captured;
	 * NULL: nothing. */
	const uint8_t *datagram;
	uint32_t datagram_captured;
	uint32_t datagram_size;
};

/* What stands before the packet in a capture, by the numbers of pcap-linktype(7). */
enum capture_link {
	CAPTURE_LINK_NULL = 0,
	CAPTURE_LINK_ETHERNET = 1,
	CAPTURE_LINK_RAW_OLD = 12,
	CAPTURE_LINK_RAW = 101,
	CAPTURE_LINK_LOOP = 108,
	CAPTURE_LINK_COOKED = 113,
	CAPTURE_LINK_IPV4 = 228,
	CAPTURE_LINK_IPV6 = 229,
	CAPTURE_LINK_COOKED2 = 276
};

/* Whether packet_parse() reads it. */
bool packet_link_is_known(int link);

/* Fills everything but time_ns from frame, captured and length, which are set. Never fails. */
void packet_parse(struct capture_packet *packet, enum capture_link link);

/* What policy calls the port: host order; ICMP: type << 8 | code. */
uint16_t packet_ends_port(const struct packet_ends *ends);
/* TCP, UDP and SCTP: what people call ports is one. */
bool packet_ends_have_ports(const struct packet_ends *ends);
bool packet_ends_are_icmp(const struct packet_ends *ends);
/* As the other end sends. */
struct packet_ends packet_ends_turned(const struct packet_ends *ends);
