/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Who of two TCP ends is the client, told by their ports alone: for connections that are older than
 * the enforcement. Where policy speaks only of what may enter a workload, its answers to a client
 * that it must not serve would otherwise look like a connection of its own, which it may open.
 */
#pragma once

/* Linux gives clients ports from here on (net.ipv4.ip_local_port_range), IANA wants them from 49152
 * on (RFC 6335, 6). */
#define CLIENT_PORT_FIRST 32768

enum client_end {
	CLIENT_UNKNOWN, /* both ports are such as clients have, or none is */
	CLIENT_SOURCE,
	CLIENT_DESTINATION
};

/* Ports in host order. */
static inline enum client_end client_port_tell(unsigned int source, unsigned int destination)
{
	if ((source >= CLIENT_PORT_FIRST) == (destination >= CLIENT_PORT_FIRST))
		return CLIENT_UNKNOWN;
	return source >= CLIENT_PORT_FIRST ? CLIENT_SOURCE : CLIENT_DESTINATION;
}
