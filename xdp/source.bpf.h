/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a workload may send and receive at all, before any policy is asked: only in its own name. */
#pragma once

#include "xdp/neighbour.bpf.h"

#define DHCP_SERVER_PORT   67
#define DHCPV6_SERVER_PORT 547

/*
 * 0: go on; else the reason that becomes the verdict.
 *
 * A workload sends from its own MAC alone, so it has no other to receive by, either. What comes
 * with another's is a copy, from a bridge that does not know where that MAC is, or from a mirror:
 * whoever sniffs here shall not have it, and this workload's policy is not asked about it. But
 * where the address is the workload's, its sender knows a former MAC.
 *
 * Not inlined: the stack of judge_packet() is on the longest way of calls.
 */
static __noinline int check_mac(
	struct __sk_buff *skb, const struct packet *packet, const struct abi_endpoint *endpoint)
{
	const void *start = (void *)(long)skb->data;
	const struct ethhdr *ethernet = start;

	if (start + sizeof(*ethernet) > (void *)(long)skb->data_end)
		return REASON_MALFORMED;
	if (packet->hook == ABI_EGRESS)
		return mac_equal(ethernet->h_source, endpoint->mac) ? 0 : REASON_SPOOFED_MAC;
	if (ethernet->h_dest[0] & 1 || mac_equal(ethernet->h_dest, endpoint->mac) ||
		address_is_own(&packet->destination, packet->ifindex))
		return 0;
	return REASON_UNKNOWN_UNICAST;
}

/* Before a workload's interface has a global address, it speaks to its neighbours from none or from
 * a link-local one, which no runtime reports. */
static __always_inline int source_is_own(const struct packet *packet)
{
	if (address_is_own(&packet->source, packet->ifindex))
		return 1;
	return packet->kind == PACKET_NEIGHBOUR &&
	       (address_is_unspecified(&packet->source) || address_is_link_local(&packet->source));
}

static __always_inline int answers_dhcp(const struct packet *packet)
{
	const __u16 port = packet->ethertype == ETH_P_IP ? DHCP_SERVER_PORT : DHCPV6_SERVER_PORT;

	return packet->protocol == IPPROTO_UDP && packet->source_port_be == bpf_htons(port);
}

/* What opens a connection is judged by the very entry that says whose the source is: it is compared
 * there (track_new()) instead of being looked up twice. */
static __always_inline int source_is_judged(const struct packet *packet)
{
	return packet->unknown && packet->kind != PACKET_CONTINUES && !answers_dhcp(packet);
}

/* 0: go on; else the reason that becomes the verdict. */
static __noinline int check_source(
	struct __sk_buff *skb, const struct packet *packet, const struct abi_endpoint *endpoint)
{
	if (packet->ethertype == ETH_P_ARP)
		return check_arp(skb, packet, endpoint);
	if (packet->kind == PACKET_FOREIGN || source_is_judged(packet))
		return 0;
	if (!source_is_own(packet))
		return REASON_SPOOFED_SOURCE;
	if (packet->kind == PACKET_NEIGHBOUR)
		return check_discovery(skb, packet, endpoint);
	if (answers_dhcp(packet))
		return REASON_DHCP_SERVER;
	return 0;
}
