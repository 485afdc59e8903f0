/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * From one workload of this node straight to the other, past the bridge: only for a packet that a
 * standing connection carries, and that the bridge would hand to the same veth, unchanged.
 *
 * - Its destination MAC is the other workload's own, so nothing would route it.
 * - Each end has sent packets of this very connection by its own hook. Where addresses are
 *   translated between the two, the one that is translated is of another connection there, or comes
 *   to the other end only; so no such connection is ever taken.
 * - The other's hook would pass it as ours does, by the same entry, and counts nothing that ours
 *   has not counted: the sender's own hook counts. An entry of an older generation carries nothing,
 *   so a revoked connection ends here, too.
 */
#pragma once

#include "xdp/connection.bpf.h"

/* Not inlined: on the longest way of calls, which it is not on, the stack is full. */
static __noinline int fast_path(struct __sk_buff *skb, const struct packet *packet)
{
	const void *start = (void *)(long)skb->data;
	const struct ethhdr *ethernet = start;
	const struct abi_connection *connection;
	__u32 receiver;

	connection = bpf_map_lookup_elem(&connections, &packet->key);
	if (!connection || connection->seen != (1 << ABI_ORIGINATOR | 1 << ABI_RESPONDER) ||
		start + sizeof(*ethernet) > (void *)(long)skb->data_end)
		return PACKET_PASS;
	if (packet->protocol == IPPROTO_TCP && !(connection->flags & ABI_CONNECTION_ESTABLISHED))
		return PACKET_PASS;
	receiver = (connection_sender(connection, packet) ^ 1) & 1;
	if (!connection->ifindex[receiver] || connection->ifindex[receiver] & ABI_INSIDE ||
		!connection->ifindex[receiver ^ 1] ||
		connection->generation != packet->generation ||
		!mac_equal(ethernet->h_dest, connection->mac[receiver]))
		return PACKET_PASS;
	return (int)bpf_redirect_peer(connection->ifindex[receiver], 0);
}
