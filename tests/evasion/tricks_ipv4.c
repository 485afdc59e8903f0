/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The IPv4 header: options, lengths, addresses. */
#include "trick.h"

#include <netinet/in.h>
#include <string.h>

/* Options come first; the rest of the row is as in any datagram to the forbidden port. */
static void with_options(struct shot *shot)
{
	struct wire *wire = shot_ip_with(shot, (struct wire_ip){.protocol = IPPROTO_UDP,
						       .options = shot->trick->bytes,
						       .options_size = shot->trick->size});

	wire_udp(wire, shot->scene->port, DENIED_PORT);
	shot_mark(shot, wire);
	wire_finish(wire, IPPROTO_UDP);
}

/* Bytes: at which offset of the IP header, and what is there instead. */
static void with_lie(struct shot *shot)
{
	struct wire *wire = shot_udp(shot, DENIED_PORT);

	memcpy(wire->bytes + wire->network + shot->trick->bytes[0], shot->trick->bytes + 1,
		shot->trick->size - 1);
	wire_sum_header(wire);
}

static void wrong_sum(struct shot *shot)
{
	struct wire *wire = shot_udp(shot, DENIED_PORT);

	wire->bytes[wire->network + 10] ^= 0x55;
}

/* The frame ends within the header. */
static void cut_off(struct shot *shot)
{
	struct wire *wire = shot_udp(shot, DENIED_PORT);

	wire->size = wire->network + shot->trick->number;
}

static void from_address(struct shot *shot)
{
	struct address from = address_from_ipv4(shot->trick->bytes);
	struct wire *wire =
		shot_ip_with(shot, (struct wire_ip){.protocol = IPPROTO_UDP, .from = &from});

	wire_udp(wire, shot->scene->port, DENIED_PORT);
	shot_mark(shot, wire);
	wire_finish(wire, IPPROTO_UDP);
}

static void to_address(struct shot *shot)
{
	struct address to = address_from_ipv4(shot->trick->bytes);
	struct wire *wire =
		shot_ip_with(shot, (struct wire_ip){.protocol = IPPROTO_UDP, .to = &to});

	wire_udp(wire, shot->scene->port, DENIED_PORT);
	shot_mark(shot, wire);
	wire_finish(wire, IPPROTO_UDP);
}

/* Source and destination are the victim (a "land" packet), or whoever the row says. */
static void land(struct shot *shot)
{
	struct wire *wire = shot_ip_with(shot, (struct wire_ip){.protocol = IPPROTO_UDP,
						       .from = &shot->scene->victim[shot->ipv6]});

	wire_udp(wire, DENIED_PORT, DENIED_PORT);
	shot_mark(shot, wire);
	wire_finish(wire, IPPROTO_UDP);
}

static void from_node(struct shot *shot)
{
	struct wire *wire = shot_ip_with(shot,
		(struct wire_ip){.protocol = IPPROTO_UDP, .from = &shot->scene->node[shot->ipv6]});

	wire_udp(wire, shot->scene->port, DENIED_PORT);
	shot_mark(shot, wire);
	wire_finish(wire, IPPROTO_UDP);
}

static void mac_and_address(struct shot *shot)
{
	land(shot);
	memcpy(shot->frames[0].bytes + 6, shot->scene->next_mac, 6);
	shot->frames[0].bytes[11] ^= 0x40; /* the bridge would keep the victim's very own */
}

static void hop_limit(struct shot *shot)
{
	struct wire *wire = shot_udp(shot, DENIED_PORT);

	wire->bytes[wire->network + (shot->ipv6 ? 7 : 8)] = (uint8_t)shot->trick->number;
	if (!shot->ipv6)
		wire_sum_header(wire);
}

#define DENIED          "policy_denied"
#define SPOOFED         "spoofed_source"
#define BAD             "malformed"
#define INVALID         "invalid_conntrack_state"
#define OPTIONS         with_options, ONLY_IPV4, TWIN_UDP
#define LIE             with_lie, ONLY_IPV4, TWIN_UDP
#define REFUSED(reason) .ebpf = (reason), .nft = (reason)

const struct trick tricks_ipv4[] = {
	{"loose source route", OPTIONS, BYTES(131, 7, 4, 10, 77, 0, 32, 0), REFUSED(DENIED)},
	{"strict source route", OPTIONS, BYTES(137, 7, 4, 10, 77, 0, 32, 0), REFUSED(DENIED)},
	{"record route", OPTIONS, BYTES(7, 11, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0), REFUSED(DENIED)},
	{"timestamp option", OPTIONS, BYTES(68, 12, 5, 0, 0, 0, 0, 0, 0, 0, 0, 0), REFUSED(DENIED)},
	{"router alert", OPTIONS, BYTES(148, 4, 0, 0), REFUSED(DENIED), .places = AND_ROUTED},
	{"security option", OPTIONS, BYTES(130, 4, 0, 0), REFUSED(DENIED)},
	{"ten words of no operation", OPTIONS,
		BYTES(1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1,
			1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1),
		REFUSED(DENIED)},
	{"option of length 0", OPTIONS, BYTES(7, 0, 4, 0), REFUSED(DENIED)},
	{"option of length 1", OPTIONS, BYTES(131, 1, 4, 0), REFUSED(DENIED)},
	{"option longer than the header", OPTIONS, BYTES(131, 200, 4, 0), REFUSED(DENIED)},
	{"options behind their end", OPTIONS, BYTES(0, 131, 7, 4, 10, 77, 0, 32), REFUSED(DENIED)},
	{"version 6 in IPv4", LIE, BYTES(0, 0x65), REFUSED(BAD)},
	{"version 0", LIE, BYTES(0, 0x05), REFUSED(BAD)},
	{"header length 4 words", LIE, BYTES(0, 0x44), REFUSED(BAD)},
	{"header length 0", LIE, BYTES(0, 0x40), REFUSED(BAD)},
	{"header beyond the packet", LIE, BYTES(0, 0x4f), REFUSED(BAD)},
	{"total length beyond the frame", LIE, BYTES(2, 0x05, 0), REFUSED(BAD)},
	{"total length 65535", LIE, BYTES(2, 255, 255), REFUSED(BAD)},
	{"total length 0", LIE, BYTES(2, 0, 0), REFUSED(BAD)},
	{"total length below the header's", LIE, BYTES(2, 0, 19), REFUSED(BAD)},
	{"total length that ends in the UDP header", LIE, BYTES(2, 0, 24), .ebpf = BAD,
		.nft = INVALID},
	{"reserved flag set", LIE, BYTES(6, 0x80), REFUSED(DENIED)},
	{"unknown TOS", LIE, BYTES(1, 0xff), REFUSED(DENIED)},
	{"wrong header checksum", wrong_sum, ONLY_IPV4, .ebpf = DENIED, .nft = "held",
		.why = "br_netfilter checks it first"},
	{"cut off in the IP header", cut_off, ONLY_IPV4, .number = 16, REFUSED(BAD)},
	{"cut off in the IP header", cut_off, ONLY_IPV6, .number = 16, .ebpf = BAD, .nft = SPOOFED},
	{"cut off behind the IP header", cut_off, ONLY_IPV4, .number = 20, REFUSED(BAD)},
	{"TTL 0", hop_limit, BOTH_FAMILIES, .number = 0, REFUSED(DENIED)},
	{"TTL 1", hop_limit, BOTH_FAMILIES, .number = 1, REFUSED(DENIED)},
	{"in the victim's own name (land)", land, BOTH_FAMILIES, REFUSED(SPOOFED),
		.places = AND_ROUTED},
	{"in the node's name", from_node, BOTH_FAMILIES, REFUSED(SPOOFED)},
	{"another's MAC and address", mac_and_address, BOTH_FAMILIES, REFUSED("spoofed_mac")},
	{"from nobody's address", from_address, ONLY_IPV4, BYTES(10, 77, 0, 99), REFUSED(SPOOFED)},
	{"from 0.0.0.0", from_address, ONLY_IPV4, BYTES(0, 0, 0, 0), REFUSED(SPOOFED)},
	{"from 127.0.0.1", from_address, ONLY_IPV4, BYTES(127, 0, 0, 1), REFUSED(SPOOFED)},
	{"from class E", from_address, ONLY_IPV4, BYTES(240, 0, 0, 1), REFUSED(SPOOFED)},
	{"from multicast", from_address, ONLY_IPV4, BYTES(224, 0, 0, 1), REFUSED(SPOOFED)},
	{"from broadcast", from_address, ONLY_IPV4, BYTES(255, 255, 255, 255), REFUSED(SPOOFED)},
	{"from 169.254", from_address, ONLY_IPV4, BYTES(169, 254, 7, 7), REFUSED(SPOOFED)},
	{"to all hosts", to_address, ONLY_IPV4, BYTES(224, 0, 0, 1), REFUSED(DENIED)},
	{"to mDNS", to_address, ONLY_IPV4, BYTES(224, 0, 0, 251), REFUSED(DENIED)},
	{"to the limited broadcast", to_address, ONLY_IPV4, BYTES(255, 255, 255, 255),
		REFUSED(DENIED)},
	{"to the directed broadcast", to_address, ONLY_IPV4, BYTES(10, 77, 0, 255),
		REFUSED(DENIED)},
	{"to 127.0.0.1", to_address, ONLY_IPV4, BYTES(127, 0, 0, 1), REFUSED(DENIED)},
	{"to 0.0.0.0", to_address, ONLY_IPV4, BYTES(0, 0, 0, 0), REFUSED(DENIED)},
	{"to class E", to_address, ONLY_IPV4, BYTES(240, 0, 0, 1), REFUSED(DENIED)},
	{"to 169.254", to_address, ONLY_IPV4, BYTES(169, 254, 0, 32), REFUSED(DENIED)},
	{0},
};
