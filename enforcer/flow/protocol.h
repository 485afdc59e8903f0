/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a record calls the protocol of a packet and the flags of TCP. */
#pragma once

#include <net/ethernet.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>

#define PROTOCOL_TEXT_MAX 12

/* "tcp", "icmpv6", "arp", an IP protocol's number, or "0x88cc" for other Ethernet types. ethertype
 * 0: an IP packet. Returns text or a static string. */
const char *protocol_format(
	uint16_t ethertype, uint8_t protocol, char text[static PROTOCOL_TEXT_MAX]);
/* The reverse; *ret_ethertype is 0 for IP. -EINVAL. Any case. */
int protocol_parse(const char *text, uint16_t *ret_ethertype, uint8_t *ret_protocol);

static inline bool protocol_is_ip(uint16_t ethertype)
{
	return !ethertype || ethertype == ETHERTYPE_IP || ethertype == ETHERTYPE_IPV6;
}

static inline bool protocol_has_ports(uint8_t protocol)
{
	return protocol == IPPROTO_TCP || protocol == IPPROTO_UDP || protocol == IPPROTO_SCTP;
}

static inline bool protocol_is_icmp(uint8_t protocol)
{
	return protocol == IPPROTO_ICMP || protocol == IPPROTO_ICMPV6;
}

#define TCP_FLAGS_TEXT_MAX 9

/* A letter a flag in the order of the header's bits: "FSRPAUEC". Returns text. */
const char *tcp_flags_format(uint8_t flags, char text[static TCP_FLAGS_TEXT_MAX]);
int tcp_flags_parse(const char *text, uint8_t *ret);
