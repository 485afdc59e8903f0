/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Below IP: tags, other Ethernet types, MACs. */
#include "trick.h"

#include <net/ethernet.h>
#include <netinet/in.h>
#include <string.h>

/* A datagram to the forbidden port with the row's bytes between its MACs and its type. */
static void tagged(struct shot *shot)
{
	const struct wire *whole = shot_udp(shot, DENIED_PORT);
	struct wire wire = {.network = whole->network + shot->trick->size,
		.transport = whole->transport + shot->trick->size};

	wire_add(&wire, whole->bytes, 2 * ETH_ALEN);
	wire_add(&wire, shot->trick->bytes, shot->trick->size);
	wire_add(&wire, whole->bytes + 2 * ETH_ALEN, whole->size - 2 * ETH_ALEN);
	shot->frames[0] = wire;
}

/* The row's bytes instead of the type, and a datagram behind. */
static void retyped(struct shot *shot)
{
	const struct wire *whole = shot_udp(shot, DENIED_PORT);
	struct wire wire = {0};

	wire_add(&wire, whole->bytes, 2 * ETH_ALEN);
	wire_add(&wire, shot->trick->bytes, shot->trick->size);
	wire_add(&wire, whole->bytes + whole->network, whole->size - whole->network);
	wire.network = wire.transport = ETH_HLEN;
	shot->frames[0] = wire;
}

/* 802.3: a length where the type was, then what the row says in front of the datagram. */
static void with_length(struct shot *shot)
{
	retyped(shot);
	wire_put16(&shot->frames[0], 2 * ETH_ALEN, (uint16_t)(shot->frames[0].size - ETH_HLEN));
}

static void to_mac(struct shot *shot)
{
	struct wire *wire = shot_udp(shot, DENIED_PORT);

	memcpy(wire->bytes, shot->trick->bytes, ETH_ALEN);
}

static void from_mac(struct shot *shot)
{
	struct wire *wire = shot_udp(shot, DENIED_PORT);

	memcpy(wire->bytes + ETH_ALEN,
		shot->trick->bytes ? shot->trick->bytes : shot->scene->next_mac, ETH_ALEN);
}

/* The victim's MAC, but an address that is nobody's. */
static void to_stranger(struct shot *shot)
{
	struct wire *wire = shot_ip_with(shot, (struct wire_ip){.protocol = IPPROTO_UDP,
						       .to = &shot->scene->stranger[shot->ipv6]});

	wire_udp(wire, shot->scene->port, DENIED_PORT);
	shot_mark(shot, wire);
	wire_finish(wire, IPPROTO_UDP);
}

static void only_header(struct shot *shot)
{
	struct wire *wire = shot_udp(shot, DENIED_PORT);

	wire->size = ETH_HLEN;
}

#define TYPE "unsupported_ethertype"

const struct trick tricks_link[] = {
	{"VLAN tag", tagged, BOTH_FAMILIES, BYTES(0x81, 0, 0, 5), .ebpf = TYPE, .nft = TYPE},
	{"priority tag", tagged, BOTH_FAMILIES, BYTES(0x81, 0, 0xe0, 0), .ebpf = TYPE, .nft = TYPE},
	{"QinQ, 802.1ad outside", tagged, ONLY_IPV4, BYTES(0x88, 0xa8, 0, 5, 0x81, 0, 0, 6),
		.ebpf = TYPE, .nft = TYPE},
	{"QinQ, 802.1Q twice", tagged, ONLY_IPV4, BYTES(0x81, 0, 0, 5, 0x81, 0, 0, 6), .ebpf = TYPE,
		.nft = TYPE},
	{"QinQ, 0x9100", tagged, ONLY_IPV4, BYTES(0x91, 0, 0, 5), .ebpf = TYPE, .nft = TYPE},
	{"four tags", tagged, ONLY_IPV4,
		BYTES(0x88, 0xa8, 0, 1, 0x81, 0, 0, 2, 0x81, 0, 0, 3, 0x81, 0, 0, 4), .ebpf = TYPE,
		.nft = TYPE},
	{"LLC/SNAP with IPv4", with_length, ONLY_IPV4, BYTES(0, 0, 0xaa, 0xaa, 3, 0, 0, 0, 8, 0),
		.ebpf = TYPE, .nft = TYPE},
	{"LLC, IP's own SAP", with_length, ONLY_IPV4, BYTES(0, 0, 6, 6, 3), .ebpf = TYPE,
		.nft = TYPE},
	{"MPLS", retyped, ONLY_IPV4, BYTES(0x88, 0x47, 0, 1, 1, 0x40), .ebpf = TYPE, .nft = TYPE},
	{
		"PPPoE session",
		retyped,
		ONLY_IPV4,
		BYTES(0x88, 0x64, 0x11, 0, 0, 1, 0, 50, 0, 0x21),
		.ebpf = TYPE,
		.nft = TYPE,
	},
	{"MACsec", retyped, ONLY_IPV4, BYTES(0x88, 0xe5, 0, 0, 0, 0, 0, 1), .ebpf = TYPE,
		.nft = TYPE},
	{"EAPOL", retyped, ONLY_IPV4, BYTES(0x88, 0x8e, 1, 0, 0, 0), .ebpf = TYPE, .nft = TYPE},
	{"a local experiment's type", retyped, ONLY_IPV4, BYTES(0x88, 0xb5), .ebpf = TYPE,
		.nft = TYPE},
	{"RARP", retyped, ONLY_IPV4, BYTES(0x80, 0x35, 0, 1, 8, 0, 6, 4, 0, 4), .ebpf = TYPE,
		.nft = TYPE},
	{"IPX's old type", retyped, ONLY_IPV4, BYTES(0x81, 0x37), .ebpf = TYPE, .nft = TYPE},
	{"IPv4 as IPv6", retyped, ONLY_IPV4, BYTES(0x86, 0xdd), .ebpf = "malformed",
		.nft = "spoofed_source"},
	{"IPv6 as IPv4", retyped, ONLY_IPV6, BYTES(8, 0), .ebpf = "malformed",
		.nft = "spoofed_source"},
	{"an Ethernet header alone", only_header, BOTH_FAMILIES, .ebpf = "malformed",
		.nft = "spoofed_source"},
	{"a foreign MAC", from_mac, BOTH_FAMILIES, BYTES(2, 0, 0, 0, 0, 0x99),
		.ebpf = "spoofed_mac", .nft = "spoofed_mac", .places = AND_ROUTED},
	{"the receiver's MAC", from_mac, BOTH_FAMILIES, .ebpf = "spoofed_mac",
		.nft = "spoofed_mac"},
	{"to the broadcast MAC", to_mac, BOTH_FAMILIES, BYTES(255, 255, 255, 255, 255, 255),
		.ebpf = "policy_denied", .nft = "policy_denied"},
	{"to a multicast MAC", to_mac, BOTH_FAMILIES, BYTES(1, 0, 0x5e, 0, 0, 1),
		.ebpf = "policy_denied", .nft = "policy_denied"},
	{"to the bridges' MAC", to_mac, BOTH_FAMILIES, BYTES(1, 0x80, 0xc2, 0, 0, 0),
		.ebpf = "policy_denied", .nft = "policy_denied"},
	{"to an unknown MAC, flooded", to_mac, BOTH_FAMILIES, BYTES(2, 0, 0, 0, 0, 0x77),
		.ebpf = "policy_denied", .nft = "policy_denied"},
	{"the victim's MAC, nobody's address", to_stranger, BOTH_FAMILIES, .ebpf = "policy_denied",
		.nft = "policy_denied"},
	{0},
};
