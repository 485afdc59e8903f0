/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Packets that rules have logged to a group, as the kernel's nfnetlink_log hands them out. */
#pragma once

#include "base/address.h"
#include "base/error.h"

#include <libmnl/libmnl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define NFLOG_PREFIX_MAX 128

struct nflog_packet {
	char prefix[NFLOG_PREFIX_MAX];
	struct address source;
	struct address destination;
	uint8_t protocol;
	bool has_transport;        /* ports, or type and code, are there */
	size_t transport;          /* where they begin in the payload; else 0 */
	uint16_t source_port;      /* host byte order */
	uint16_t destination_port; /* ICMP: type << 8 | code */
	uint8_t tcp_flags;
	uint16_t ethertype;
	uint8_t source_mac[6];
	uint8_t destination_mac[6];
	uint32_t ifindex; /* where it came in: the bridge's port, else the interface */
	uint64_t bytes;   /* of the IP packet */
};

/* Of a packet, enough for what the rest of this header says. */
#define NFLOG_HEADER_BYTES 128

/* Binds to group in this network namespace; each message is one packet, of which so many bytes are
 * there at most. -EBUSY: somebody else has it. */
int nflog_open(uint16_t group, uint32_t bytes, struct mnl_socket **ret, struct error *error);
/* -EINVAL: no packet that can be read. */
int nflog_parse(const struct nlmsghdr *message, struct nflog_packet *ret);
/* Its bytes from the network header on, borrowed from message; NULL: none. */
const uint8_t *nflog_payload(const struct nlmsghdr *message, size_t *ret_size);
/* From the network header on. Pure. */
int nflog_parse_payload(const uint8_t *bytes, size_t size, struct nflog_packet *packet);
