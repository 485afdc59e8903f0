/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a packet can be to a connection: told by the parser, in the programs and in user space. */
#pragma once

/* Of PACKET_NEIGHBOUR over IPv6, as it is sent. Neighbour discovery (RFC 4861, 6.1 and 7.1): a
 * router lowers the limit, so this one proves that the sender is on the link. Listener discovery
 * (RFC 3810, 5): no router passes it on. */
#define ND_HOP_LIMIT  255
#define MLD_HOP_LIMIT 1

enum packet_kind {
	PACKET_EITHER,    /* may open a connection or belong to one: UDP, other protocols */
	PACKET_CONTINUES, /* belongs to one or to none: TCP that is no pure SYN, ICMP replies */
	PACKET_OPENS,     /* only an originator sends it: pure SYN, echo request, ICMP queries */
	PACKET_ERROR,     /* ICMP error: belongs to the connection of the packet that it carries */
	PACKET_NEIGHBOUR, /* ARP, neighbour discovery, multicast listener discovery */
	PACKET_FRAGMENT,  /* not the first: follows it */
	PACKET_FOREIGN,   /* neither IP nor ARP, but allowed by configuration */
};
