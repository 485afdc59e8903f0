/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "capture/sender.h"

#include "xdp/reasons.h"

#include <net/ethernet.h>
#include <netinet/icmp6.h>
#include <netinet/in.h>
#include <string.h>

#define DHCP_SERVER_PORT   67
#define DHCPV6_SERVER_PORT 547

static bool is_own(const struct judge_sender *sender, const uint8_t address[static 16])
{
	for (size_t i = 0; i < sender->addresses_count; i++)
		if (!memcmp(sender->addresses[i].bytes, address, 16))
			return true;
	return false;
}

static bool is_zero(const uint8_t address[static 16])
{
	static const uint8_t zero[16];

	return !memcmp(address, zero, sizeof(zero));
}

static bool is_link_local(const uint8_t address[static 16])
{
	return address[0] == 0xfe && (address[1] & 0xc0) == 0x80;
}

/* fe80::/64 with the interface identifier that the kernel makes of the MAC (RFC 4291, A). */
static bool is_of_mac(const uint8_t address[static 16], const uint8_t mac[static 6])
{
	const uint8_t own[16] = {0xfe, 0x80, 0, 0, 0, 0, 0, 0, mac[0] ^ 2, mac[1], mac[2], 0xff,
		0xfe, mac[3], mac[4], mac[5]};

	return !memcmp(address, own, sizeof(own));
}

/* ARP and neighbour discovery that a workload sends (neighbour.bpf.h). 0: truthful. */
static int check_claim(const struct capture_packet *packet, const struct judge_sender *sender)
{
	const uint8_t type = (uint8_t)(packet->ends.type_code >> 8);

	if (packet->ethertype == ETH_P_ARP)
		return memcmp(packet->sender_mac, sender->mac, sizeof(sender->mac)) ||
				       !is_own(sender, packet->claim)
			       ? REASON_SPOOFED_ARP
			       : 0;
	if (type == ND_ROUTER_ADVERT)
		return REASON_ROUTER_ADVERTISEMENT;
	if (type == ND_REDIRECT)
		return REASON_SPOOFED_NEIGHBOUR;
	if (type < ND_ROUTER_SOLICIT || type > ND_REDIRECT || is_zero(packet->claim))
		return 0;
	return is_own(sender, packet->claim) || is_of_mac(packet->claim, sender->mac)
		       ? 0
		       : REASON_SPOOFED_NEIGHBOUR;
}

int sender_check(const struct capture_packet *packet, const struct judge_sender *sender)
{
	const struct packet_ends *ends = &packet->ends;
	bool neighbour = packet->kind == PACKET_NEIGHBOUR;
	uint16_t dhcp = packet->ethertype == ETH_P_IP ? DHCP_SERVER_PORT : DHCPV6_SERVER_PORT;

	if (packet->ethertype == ETH_P_ARP)
		return check_claim(packet, sender);
	if (packet->kind == PACKET_FOREIGN)
		return 0;
	if (!is_own(sender, ends->source) &&
		!(neighbour && (is_zero(ends->source) || is_link_local(ends->source))))
		return REASON_SPOOFED_SOURCE;
	if (neighbour)
		return check_claim(packet, sender);
	return ends->protocol == IPPROTO_UDP && ends->source_port == dhcp ? REASON_DHCP_SERVER : 0;
}
