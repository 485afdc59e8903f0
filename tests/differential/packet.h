/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Probes as bytes, from the IP header on, with all checksums: conntrack looks at them. */
#pragma once

#include "probe.h"

#define PACKET_MAX 128

struct packet {
	uint8_t bytes[PACKET_MAX];
	size_t size;
};

struct packet packet_build(const struct probe *probe);

/* The number in the tag at the packet's end, also where an ICMP error quotes the packet. False:
 * none of ours. */
bool packet_number(const uint8_t *bytes, size_t size, uint32_t *ret);
