/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ICMP errors belong to the connection of the packet that they carry. */
#pragma once

#include "xdp/connection.bpf.h"
#include "xdp/parse.bpf.h"

static __always_inline int parse_carried(
	struct __sk_buff *skb, const struct packet *error, struct packet *carried)
{
	const __u32 offset = error->transport + ICMP_HEADER;

	carried->ethertype = error->ethertype;
	if (error->ethertype == ETH_P_IP)
		return parse_ipv4(skb, carried, offset, 1);
	return parse_ipv6(skb, carried, offset, 1);
}

/*
 * The one who receives the error must have sent the carried packet, on a connection that stands.
 * Any router on the way may be the error's source; a workload may report only what it received.
 */
static __noinline int relate(struct __sk_buff *skb, const struct packet *error)
{
	const struct abi_connection *connection;
	struct packet carried = {};
	__u32 sender, here;

	/* Redirects move other people's routes: not for workloads to say. */
	if (error->hook == ABI_EGRESS && error->ethertype == ETH_P_IP &&
		error->type_code >> 8 == ICMP_REDIRECT)
		return REASON_UNRELATED_ICMP_ERROR;
	if (parse_carried(skb, error, &carried) || carried.kind == PACKET_FRAGMENT ||
		!address_equal(&carried.source, &error->destination))
		return REASON_UNRELATED_ICMP_ERROR;
	connection_key(&carried);
	connection = bpf_map_lookup_elem(&connections, &carried.key);
	if (!connection || (__s32)(error->generation - connection->generation) > 0 ||
		connection_expired(connection, carried.protocol))
		return REASON_UNRELATED_ICMP_ERROR;
	sender = connection_sender(connection, &carried);
	here = error->hook == ABI_EGRESS ? !sender : sender;
	if (connection->ifindex[here & 1] != error->ifindex)
		return REASON_UNRELATED_ICMP_ERROR;
	return REASON_RELATED;
}
