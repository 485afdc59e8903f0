/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Frames byte by byte, truthful unless told otherwise. Numbers are in host byte order. */
#pragma once

#include "base/address.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define WIRE_MAX 1600

#define TCP_FIN 0x01
#define TCP_SYN 0x02
#define TCP_RST 0x04
#define TCP_PSH 0x08
#define TCP_ACK 0x10
#define TCP_URG 0x20

struct wire {
	uint8_t bytes[WIRE_MAX];
	size_t size;
	size_t network;   /* offset of the IP header */
	size_t transport; /* offset of what is behind the IP headers */
	size_t padding;   /* bytes at the end that nobody has to deliver */
};

/* What stays zero is as usual. */
struct wire_ip {
	const struct address *from;
	const struct address *to; /* of the same family */
	uint8_t protocol;
	uint8_t hop_limit;
	uint16_t id;
	const uint8_t *options; /* IPv4; a multiple of 4 */
	size_t options_size;
};

/* Aborts where there is no room. */
void wire_add(struct wire *wire, const void *bytes, size_t size);
void wire_add8(struct wire *wire, uint8_t value);
void wire_add16(struct wire *wire, uint16_t value);
void wire_add32(struct wire *wire, uint32_t value);
void wire_fill(struct wire *wire, uint8_t value, size_t size);
void wire_put16(struct wire *wire, size_t offset, uint16_t value);

void wire_ethernet(struct wire *wire, const uint8_t to[static 6], const uint8_t from[static 6],
	uint16_t ethertype);
void wire_ip(struct wire *wire, const struct wire_ip *ip);
void wire_udp(struct wire *wire, uint16_t from, uint16_t to);
void wire_tcp(struct wire *wire, uint16_t from, uint16_t to, uint8_t flags);
void wire_icmp(struct wire *wire, uint8_t type, uint8_t code, uint32_t rest);

/* Lengths, then checksums, of what is there by now: of protocol at wire->transport. */
void wire_finish(struct wire *wire, uint8_t protocol);
/* The IPv4 header's checksum only, after a lie in it. */
void wire_sum_header(struct wire *wire);

/* Bytes from offset on of what is behind whole's IP header, as a fragment. whole is finished and
 * has no IPv4 options; protocol is what the IPv6 fragment header says. */
struct wire wire_fragment(const struct wire *whole, uint8_t protocol, uint16_t id, size_t offset,
	size_t size, bool more);
