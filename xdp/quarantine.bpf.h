/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a quarantined workload may still send: packets to investigators, and the ARP and neighbour
 * discovery that these need. Whether it tells the truth in them is checked by the data plane's own
 * programs, which see the packet next.
 */
#pragma once

#include "xdp/early_maps.bpf.h"
#include "xdp/early_packet.bpf.h"

static __noinline int investigator_is(const union address *address, __u32 flags)
{
	struct abi_prefix_key key = {.length = 128};
	const __u32 *found;

	__builtin_memcpy(key.bytes, address, sizeof(key.bytes));
	found = bpf_map_lookup_elem(&investigators, &key);
	return found && *found & flags;
}

static __always_inline int quarantine_passes_arp(const struct view *view)
{
	const struct arp *arp = view_at(view, ETH_HLEN, sizeof(*arp));
	union address target;
	__be32 ipv4;

	if (!arp || arp->protocol != bpf_htons(ETH_P_IP))
		return 0;
	__builtin_memcpy(&ipv4, arp->target, sizeof(ipv4));
	address_from_ipv4(&target, ipv4);
	return investigator_is(&target, ABI_INVESTIGATOR_TRAFFIC | ABI_INVESTIGATOR_NEIGHBOUR);
}

/* Asks for whom it may ask, and answers whoever is on the link; no announcements to all. */
static __always_inline int quarantine_passes_discovery(
	const struct view *view, const struct early_packet *packet)
{
	const union address *wire;
	union address target;

	if (packet->type_code >> 8 == ND_NEIGHBOUR_ADVERTISEMENT)
		return address_is_link_local(&packet->destination) ||
		       investigator_is(&packet->destination, ABI_INVESTIGATOR_NEIGHBOUR);
	if (packet->type_code >> 8 != ND_NEIGHBOUR_SOLICITATION)
		return 0;
	wire = view_at(view, packet->transport + ICMP_HEADER, sizeof(*wire));
	if (!wire)
		return 0;
	__builtin_memcpy(&target, wire, sizeof(target));
	return address_is_link_local(&target) ||
	       investigator_is(&target, ABI_INVESTIGATOR_TRAFFIC | ABI_INVESTIGATOR_NEIGHBOUR);
}

static __always_inline int quarantine_passes(
	const struct view *view, const struct early_packet *packet)
{
	if (packet->tags)
		return 0;
	if (packet->ethertype == ETH_P_ARP)
		return quarantine_passes_arp(view);
	if (!packet->addressed)
		return 0;
	if (investigator_is(&packet->destination, ABI_INVESTIGATOR_TRAFFIC))
		return 1;
	return packet->ethertype == ETH_P_IPV6 && packet->protocol == IPPROTO_ICMPV6 &&
	       !packet->follows && quarantine_passes_discovery(view, packet);
}
