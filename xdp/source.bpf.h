/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a workload may send at all, before any policy is asked: only in its own name. */
#pragma once

#include "xdp/neighbour.bpf.h"

#define DHCP_SERVER_PORT   67
#define DHCPV6_SERVER_PORT 547

static __always_inline int source_mac_is_own(
	struct __sk_buff *skb, const struct abi_endpoint *endpoint)
{
	const void *start = (void *)(long)skb->data;
	const struct ethhdr *ethernet = start;

	if (start + sizeof(*ethernet) > (void *)(long)skb->data_end)
		return 0;
	return mac_equal(ethernet->h_source, endpoint->mac);
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
