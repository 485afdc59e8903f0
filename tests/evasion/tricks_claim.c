/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Speaking for others: ARP, neighbour and router discovery, DHCP. */
#include "trick.h"

#include <net/ethernet.h>
#include <netinet/icmp6.h>
#include <netinet/in.h>
#include <string.h>

/* Whose MAC or address a claim names. */
enum who {
	OWN,
	VICTIM,
	NODE,
	NOBODY,
};

static const struct address *address_of(const struct shot *shot, enum who who)
{
	static const struct address nobody[2] = {{{[10] = 255, 255}}, {{0}}};
	const struct scene *scene = shot->scene;
	const struct address *const addresses[] = {
		&scene->own[shot->ipv6],
		&scene->victim[shot->ipv6],
		&scene->node[shot->ipv6],
		&nobody[shot->ipv6],
	};

	return addresses[who];
}

static const uint8_t *mac_of(const struct shot *shot, enum who who)
{
	static const uint8_t nobody[6] = {2, 0, 0, 0, 0, 0x99};

	if (who == NOBODY)
		return nobody;
	return who == OWN ? shot->scene->own_mac : shot->scene->next_mac;
}

/* Bytes: operation, who as sender's MAC, sender, target; whether to everybody. */
static void arp(struct shot *shot)
{
	static const uint8_t everybody[] = {255, 255, 255, 255, 255, 255};
	const uint8_t *row = shot->trick->bytes;
	struct wire *wire = shot_frame(shot);

	wire_ethernet(wire, row[4] ? everybody : shot->scene->next_mac, shot->scene->own_mac,
		ETHERTYPE_ARP);
	wire_add(wire, (const uint8_t[]){0, 1, 8, 0, 6, 4, 0, row[0]}, 8);
	wire_add(wire, mac_of(shot, row[1]), 6);
	wire_add(wire, address_of(shot, row[2])->bytes + 12, 4);
	wire_fill(wire, 0, 6);
	wire_add(wire, address_of(shot, row[3])->bytes + 12, 4);
	shot_mark(shot, wire); /* as padding */
}

/* Bytes: type, who as source, who as target, option or 0, whose MAC it names. */
static void discovery(struct shot *shot)
{
	const uint8_t *row = shot->trick->bytes;
	const struct wire_ip ip = {.protocol = IPPROTO_ICMPV6,
		.hop_limit = (uint8_t)(shot->trick->number ? shot->trick->number : 255),
		.from = address_of(shot, row[1])};
	struct wire *wire = shot_ip_with(shot, ip);

	wire_icmp(wire, row[0], 0, row[0] == ND_NEIGHBOR_ADVERT ? 0x20000000 : 0);
	if (row[0] == ND_ROUTER_ADVERT)
		wire_fill(wire, 1, 8);
	if (row[0] >= ND_NEIGHBOR_SOLICIT)
		wire_add(wire, address_of(shot, row[2])->bytes, 16);
	if (row[0] == ND_REDIRECT)
		wire_add(wire, address_of(shot, VICTIM)->bytes, 16);
	if (row[3]) {
		wire_add16(wire, (uint16_t)(row[3] << 8 | 1));
		wire_add(wire, mac_of(shot, row[4]), 6);
	}
	wire_finish(wire, IPPROTO_ICMPV6);
}

/* As much as a reassembler needs to see an advertisement. */
static void discovery_in_fragments(struct shot *shot)
{
	struct wire whole;

	discovery(shot);
	whole = shot->frames[0];
	shot->frames[0] = wire_fragment(&whole, IPPROTO_ICMPV6, shot->serial, 0, 24, true);
	*shot_frame(shot) = wire_fragment(&whole, IPPROTO_ICMPV6, shot->serial, 24, 8, false);
}

/* A server's answer: from its port to the client's. */
static void dhcp(struct shot *shot)
{
	struct wire *wire = shot_ip(shot, IPPROTO_UDP);

	wire_udp(wire, shot->ipv6 ? 547 : 67, shot->ipv6 ? 546 : 68);
	wire_add32(wire, 0x02010600);
	shot_mark(shot, wire);
	wire_finish(wire, IPPROTO_UDP);
}

#define ARP_LIE "spoofed_arp"
#define ND_LIE  "spoofed_neighbour"

const struct trick tricks_claim[] = {
	{"gratuitous ARP reply for the victim", arp, ONLY_IPV4, TWIN_NEIGHBOUR,
		BYTES(2, OWN, VICTIM, VICTIM, 1), .ebpf = ARP_LIE, .nft = ARP_LIE},
	{"gratuitous ARP request for the victim", arp, ONLY_IPV4, TWIN_NEIGHBOUR,
		BYTES(1, OWN, VICTIM, VICTIM, 1), .ebpf = ARP_LIE, .nft = ARP_LIE},
	{"forged ARP reply: I am the gateway", arp, ONLY_IPV4, TWIN_NEIGHBOUR,
		BYTES(2, OWN, NODE, VICTIM, 0), .ebpf = ARP_LIE, .nft = ARP_LIE},
	{"ARP reply with another's MAC", arp, ONLY_IPV4, TWIN_NEIGHBOUR,
		BYTES(2, NOBODY, OWN, VICTIM, 0), .ebpf = ARP_LIE, .nft = ARP_LIE},
	{"ARP probe for the victim's address", arp, ONLY_IPV4, TWIN_NEIGHBOUR,
		BYTES(1, OWN, NOBODY, VICTIM, 1), .ebpf = ARP_LIE, .nft = ARP_LIE},
	{"inverse ARP", arp, ONLY_IPV4, TWIN_NEIGHBOUR, BYTES(8, OWN, OWN, VICTIM, 0),
		.ebpf = "malformed", .nft = "malformed"},
	{"RARP's operation in ARP", arp, ONLY_IPV4, TWIN_NEIGHBOUR, BYTES(4, OWN, OWN, VICTIM, 0),
		.ebpf = "malformed", .nft = "malformed"},
	{"advertisement of the victim", discovery, ONLY_IPV6, TWIN_NEIGHBOUR,
		BYTES(ND_NEIGHBOR_ADVERT, OWN, VICTIM, 2, OWN), .ebpf = ND_LIE, .nft = ND_LIE},
	{"advertisement of the gateway", discovery, ONLY_IPV6, TWIN_NEIGHBOUR,
		BYTES(ND_NEIGHBOR_ADVERT, OWN, NODE, 2, OWN), .ebpf = ND_LIE, .nft = ND_LIE},
	{"advertisement with another's MAC", discovery, ONLY_IPV6, TWIN_NEIGHBOUR,
		BYTES(ND_NEIGHBOR_ADVERT, OWN, OWN, 2, NOBODY), .ebpf = ND_LIE, .nft = ND_LIE},
	{"advertisement from afar", discovery, ONLY_IPV6, TWIN_NEIGHBOUR,
		BYTES(ND_NEIGHBOR_ADVERT, OWN, OWN, 2, OWN), .number = 254, .ebpf = "malformed",
		.nft = "malformed"},
	{"advertisement to beyond the router", discovery, ONLY_IPV6, TWIN_ECHO,
		BYTES(ND_NEIGHBOR_ADVERT, OWN, OWN, 2, OWN), .ebpf = "malformed",
		.nft = "policy_denied", .places = ONLY_ROUTED},
	{"advertisement in fragments", discovery_in_fragments, ONLY_IPV6, TWIN_NEIGHBOUR,
		BYTES(ND_NEIGHBOR_ADVERT, OWN, VICTIM, 2, OWN),
		.ebpf = "malformed fragment_without_first", .nft = "spoofed_neighbour held",
		.why = "conntrack waits for the first fragment"},
	{"solicitation with another's MAC", discovery, ONLY_IPV6, TWIN_NEIGHBOUR,
		BYTES(ND_NEIGHBOR_SOLICIT, OWN, VICTIM, 1, NOBODY), .ebpf = ND_LIE, .nft = ND_LIE},
	{"solicitation in the victim's name", discovery, ONLY_IPV6, TWIN_NEIGHBOUR,
		BYTES(ND_NEIGHBOR_SOLICIT, VICTIM, NODE, 1, OWN), .ebpf = "spoofed_source",
		.nft = "spoofed_source"},
	{"duplicate detection of the victim's address", discovery, ONLY_IPV6, TWIN_NEIGHBOUR,
		BYTES(ND_NEIGHBOR_SOLICIT, NOBODY, VICTIM, 0, 0), .ebpf = ND_LIE, .nft = ND_LIE},
	{"router solicitation with another's MAC", discovery, ONLY_IPV6, TWIN_NEIGHBOUR,
		BYTES(ND_ROUTER_SOLICIT, OWN, 0, 1, NOBODY), .ebpf = ND_LIE, .nft = ND_LIE},
	{"router advertisement", discovery, ONLY_IPV6, TWIN_NEIGHBOUR,
		BYTES(ND_ROUTER_ADVERT, OWN, 0, 1, OWN), .ebpf = "router_advertisement",
		.nft = "router_advertisement"},
	{"redirect", discovery, ONLY_IPV6, TWIN_NEIGHBOUR, BYTES(ND_REDIRECT, OWN, OWN, 2, OWN),
		.ebpf = ND_LIE, .nft = ND_LIE},
	{"DHCP server's answer", dhcp, BOTH_FAMILIES, .ebpf = "dhcp_server", .nft = "dhcp_server"},
	{0},
};
