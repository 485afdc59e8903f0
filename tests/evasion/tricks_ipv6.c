/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The IPv6 header: extension headers, lengths, addresses. */
#include "trick.h"

#include <netinet/in.h>
#include <string.h>

#define ROUTE(type)   (IPPROTO_ROUTING | (type) << 8)
#define MOBILITY      135
#define HIP           139
#define SHIM6         140
#define ENDLESS_CHAIN 20
#define JUMBO_OPTION  0xc2

static void add_routing(struct wire *wire, const struct shot *shot, unsigned int type)
{
	wire_add8(wire, 2);
	wire_add8(wire, (uint8_t)type);
	wire_add8(wire, type == 4 ? 0 : 1); /* segments left */
	wire_add32(wire, 0);
	wire_add(wire, shot->scene->victim[1].bytes, 16);
}

/* One header of the chain; next is what follows it. */
static void add_header(
	struct wire *wire, const struct shot *shot, unsigned int header, uint8_t next)
{
	wire_add8(wire, next);
	switch (header & 0xff) {
	case IPPROTO_ROUTING:
		add_routing(wire, shot, header >> 8);
		return;
	case IPPROTO_FRAGMENT: /* of one: an atomic fragment */
		wire_fill(wire, 0, 3);
		wire_add32(wire, shot->serial);
		return;
	case IPPROTO_AH:
		wire_add8(wire, 4);
		wire_fill(wire, 0, 22);
		return;
	case IPPROTO_HOPOPTS:
	case IPPROTO_DSTOPTS:
		wire_add(wire, (const uint8_t[]){0, 1, 4, 0, 0, 0, 0}, 7);
		return;
	default: /* eight bytes, as RFC 6564 wants new ones */
		wire_add8(wire, 0);
		wire_fill(wire, 0x11, 6);
	}
}

static void build_chain(struct shot *shot, const uint8_t *types, size_t count, uint16_t port)
{
	struct wire *wire = shot_ip(shot, count ? types[0] : IPPROTO_UDP);

	for (size_t i = 0; i < count; i++)
		add_header(wire, shot, types[i] | shot->trick->number << 8,
			i + 1 < count ? types[i + 1] : IPPROTO_UDP);
	wire->transport = wire->size;
	wire_udp(wire, shot->scene->port, port);
	shot_mark(shot, wire);
	wire_finish(wire, IPPROTO_UDP);
}

/* Bytes: the headers in order; number: the type of routing headers. */
static void chain(struct shot *shot)
{
	build_chain(shot, shot->trick->bytes, shot->trick->size, DENIED_PORT);
}

static void endless_chain(struct shot *shot)
{
	uint8_t types[ENDLESS_CHAIN];

	memset(types, IPPROTO_DSTOPTS, sizeof(types));
	build_chain(shot, types, sizeof(types), DENIED_PORT);
}

/* Length of the payload 0, and the real one in an option (RFC 2675). */
static void jumbogram(struct shot *shot)
{
	struct wire *wire = shot_ip(shot, IPPROTO_HOPOPTS);

	wire_add(wire, (const uint8_t[]){IPPROTO_UDP, 0, JUMBO_OPTION, 4, 0, 1, 0, 8}, 8);
	wire->transport = wire->size;
	wire_udp(wire, shot->scene->port, DENIED_PORT);
	shot_mark(shot, wire);
	wire_finish(wire, IPPROTO_UDP);
	wire_put16(wire, wire->network + 4, 0);
}

static void nothing_follows(struct shot *shot)
{
	struct wire *wire = shot_udp(shot, DENIED_PORT);

	wire->bytes[wire->network + 6] = IPPROTO_NONE;
}

/* Bytes: at which offset behind the Ethernet header, and what is there instead. */
static void with_lie(struct shot *shot)
{
	static const uint8_t one[] = {IPPROTO_DSTOPTS};

	build_chain(shot, one, shot->trick->number, DENIED_PORT);
	memcpy(shot->frames[0].bytes + shot->frames[0].network + shot->trick->bytes[0],
		shot->trick->bytes + 1, shot->trick->size - 1);
}

static void send_datagram(struct shot *shot, const struct address *from, const struct address *to)
{
	struct wire *wire = shot_ip_with(
		shot, (struct wire_ip){.protocol = IPPROTO_UDP, .from = from, .to = to});

	wire_udp(wire, shot->scene->port, DENIED_PORT);
	shot_mark(shot, wire);
	wire_finish(wire, IPPROTO_UDP);
}

static void from_address(struct shot *shot)
{
	struct address from = address_from_ipv6(shot->trick->bytes);

	send_datagram(shot, &from, NULL);
}

static void to_address(struct shot *shot)
{
	struct address to = address_from_ipv6(shot->trick->bytes);

	send_datagram(shot, NULL, &to);
}

/* fe80::/64 with an identifier made of the MAC (RFC 4291, A). */
static struct address link_local(const uint8_t mac[static 6])
{
	const uint8_t bytes[16] = {0xfe, 0x80, 0, 0, 0, 0, 0, 0, mac[0] ^ 2, mac[1], mac[2], 0xff,
		0xfe, mac[3], mac[4], mac[5]};

	return address_from_ipv6(bytes);
}

static void to_link_local(struct shot *shot)
{
	struct address to = link_local(shot->scene->next_mac);

	send_datagram(shot, NULL, &to);
}

static void between_link_locals(struct shot *shot)
{
	struct address to = link_local(shot->scene->next_mac);
	struct address from = link_local(shot->scene->own_mac);

	send_datagram(shot, &from, &to);
}

#define DENIED          "policy_denied"
#define SPOOFED         "spoofed_source"
#define BAD             "malformed"
#define INVALID         "invalid_conntrack_state"
#define CHAIN           chain, ONLY_IPV6, TWIN_UDP
#define REFUSED(reason) .ebpf = (reason), .nft = (reason)
#define LOOPBACK        0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1
#define UNSPECIFIED     0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0
#define MAPPED          0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 255, 255, 10, 77, 0, 32
#define COMPATIBLE      0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 10, 77, 0, 32
#define SIX_TO_FOUR     0x20, 0x02, 10, 77, 0, 32, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1
#define NAT64           0, 0x64, 0xff, 0x9b, 0, 0, 0, 0, 0, 0, 0, 0, 10, 77, 0, 32
#define ISATAP          0xfe, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0x5e, 0xfe, 10, 77, 0, 32
#define TEREDO          0x20, 0x01, 0, 0, 10, 77, 0, 1, 0, 0, 0, 0, 245, 178, 255, 223
#define ALL_NODES       255, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1
#define ALL_NODES_SITE  255, 5, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1
#define NODE_LOCAL      255, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1

const struct trick tricks_ipv6[] = {
	{"hop-by-hop options", CHAIN, BYTES(IPPROTO_HOPOPTS), REFUSED(DENIED),
		.places = AND_ROUTED},
	{"destination options", CHAIN, BYTES(IPPROTO_DSTOPTS), REFUSED(DENIED)},
	{"routing header type 0", CHAIN, BYTES(IPPROTO_ROUTING), REFUSED(DENIED)},
	{"routing header type 2", CHAIN, BYTES(IPPROTO_ROUTING), 2, REFUSED(DENIED)},
	{"segment routing header", CHAIN, BYTES(IPPROTO_ROUTING), 4, REFUSED(DENIED)},
	{"routing header of an unknown type", CHAIN, BYTES(IPPROTO_ROUTING), 253, REFUSED(DENIED)},
	{"authentication header", CHAIN, BYTES(IPPROTO_AH), REFUSED(DENIED)},
	{"ESP", CHAIN, BYTES(IPPROTO_ESP), REFUSED(DENIED)},
	{"mobility header", CHAIN, BYTES(MOBILITY), REFUSED(DENIED)},
	{"HIP", CHAIN, BYTES(HIP), REFUSED(DENIED)},
	{"shim6", CHAIN, BYTES(SHIM6), REFUSED(DENIED)},
	{"experimental extension 253", CHAIN, BYTES(253), REFUSED(DENIED)},
	{"reserved next header 255", CHAIN, BYTES(255), .ebpf = DENIED, .nft = BAD},
	{"all extension headers", CHAIN,
		BYTES(IPPROTO_HOPOPTS, IPPROTO_DSTOPTS, IPPROTO_ROUTING, IPPROTO_FRAGMENT,
			IPPROTO_AH, IPPROTO_DSTOPTS),
		REFUSED(DENIED)},
	{"hop-by-hop options in the middle", CHAIN, BYTES(IPPROTO_DSTOPTS, IPPROTO_HOPOPTS),
		REFUSED(DENIED)},
	{"atomic fragment", CHAIN, BYTES(IPPROTO_FRAGMENT), REFUSED(DENIED)},
	{"atomic fragment in the middle", CHAIN,
		BYTES(IPPROTO_HOPOPTS, IPPROTO_FRAGMENT, IPPROTO_DSTOPTS), REFUSED(DENIED)},
	{"atomic fragment in an atomic fragment", CHAIN, BYTES(IPPROTO_FRAGMENT, IPPROTO_FRAGMENT),
		REFUSED(DENIED)},
	{"eight headers", CHAIN,
		BYTES(IPPROTO_DSTOPTS, IPPROTO_DSTOPTS, IPPROTO_DSTOPTS, IPPROTO_DSTOPTS,
			IPPROTO_DSTOPTS, IPPROTO_DSTOPTS, IPPROTO_DSTOPTS, IPPROTO_DSTOPTS),
		REFUSED(DENIED)},
	{"twenty headers", endless_chain, ONLY_IPV6, .ebpf = BAD, .nft = DENIED},
	{"nothing follows, but it does", nothing_follows, ONLY_IPV6, .ebpf = DENIED,
		.nft = INVALID},
	{"jumbogram", jumbogram, ONLY_IPV6, .ebpf = BAD, .nft = "held",
		.why = "br_netfilter knows no jumbograms so small"},
	{"payload length 0", with_lie, ONLY_IPV6, BYTES(4, 0, 0), .ebpf = BAD, .nft = INVALID},
	{"payload length beyond the frame", with_lie, ONLY_IPV6, BYTES(4, 5, 0), REFUSED(BAD)},
	{"payload length 65535", with_lie, ONLY_IPV6, BYTES(4, 255, 255), REFUSED(BAD)},
	{"payload that ends in the UDP header", with_lie, ONLY_IPV6, BYTES(4, 0, 4), .ebpf = BAD,
		.nft = INVALID},
	{"extension header beyond the packet", with_lie, ONLY_IPV6, BYTES(41, 200), 1, .ebpf = BAD,
		.nft = INVALID},
	{"version 4 in IPv6", with_lie, ONLY_IPV6, BYTES(0, 0x45), REFUSED(BAD)},
	{"from ::1", from_address, ONLY_IPV6, BYTES(LOOPBACK), REFUSED(SPOOFED)},
	{"from ::", from_address, ONLY_IPV6, BYTES(UNSPECIFIED), REFUSED(SPOOFED)},
	{"from ::ffff:10.77.0.32", from_address, ONLY_IPV6, BYTES(MAPPED), .ebpf = BAD,
		.nft = SPOOFED},
	{"from all nodes", from_address, ONLY_IPV6, BYTES(ALL_NODES), REFUSED(SPOOFED)},
	{"to ::1", to_address, ONLY_IPV6, BYTES(LOOPBACK), REFUSED(DENIED)},
	{"to ::", to_address, ONLY_IPV6, BYTES(UNSPECIFIED), REFUSED(DENIED)},
	{"to ::ffff:10.77.0.32", to_address, ONLY_IPV6, BYTES(MAPPED), .ebpf = BAD, .nft = DENIED},
	{"to ::10.77.0.32", to_address, ONLY_IPV6, BYTES(COMPATIBLE), REFUSED(DENIED)},
	{"to 6to4's form of the victim", to_address, ONLY_IPV6, BYTES(SIX_TO_FOUR),
		REFUSED(DENIED)},
	{"to NAT64's form of the victim", to_address, ONLY_IPV6, BYTES(NAT64), REFUSED(DENIED)},
	{"to ISATAP's form of the victim", to_address, ONLY_IPV6, BYTES(ISATAP), REFUSED(DENIED)},
	{"to Teredo's form of the victim", to_address, ONLY_IPV6, BYTES(TEREDO), REFUSED(DENIED)},
	{"to all nodes", to_address, ONLY_IPV6, BYTES(ALL_NODES), REFUSED(DENIED)},
	{"to all nodes of the site", to_address, ONLY_IPV6, BYTES(ALL_NODES_SITE), REFUSED(DENIED)},
	{"to interface-local multicast", to_address, ONLY_IPV6, BYTES(NODE_LOCAL), REFUSED(DENIED)},
	{"to the victim's link-local address", to_link_local, ONLY_IPV6, REFUSED(DENIED)},
	{"between link-local addresses", between_link_locals, ONLY_IPV6, REFUSED(SPOOFED)},
	{0},
};
