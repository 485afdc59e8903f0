/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Odd but truthful and allowed: all of it must arrive. */
#include "trick.h"

#include <net/ethernet.h>
#include <netinet/icmp6.h>
#include <netinet/in.h>
#include <netinet/ip_icmp.h>

static void datagram(struct shot *shot)
{
	(void)shot_udp(shot, ALLOWED_PORT);
}

static void syn(struct shot *shot)
{
	struct wire *wire = shot_ip(shot, IPPROTO_TCP);

	wire_tcp(wire, shot->serial, ALLOWED_PORT, TCP_SYN);
	shot_mark(shot, wire);
	wire_finish(wire, IPPROTO_TCP);
}

static void with_options(struct shot *shot)
{
	struct wire *wire = shot_ip_with(shot, (struct wire_ip){.protocol = IPPROTO_UDP,
						       .options = shot->trick->bytes,
						       .options_size = shot->trick->size});

	wire_udp(wire, shot->scene->port, ALLOWED_PORT);
	shot_mark(shot, wire);
	wire_finish(wire, IPPROTO_UDP);
}

/* Bytes: the first is the type of the header, the others are the headers themselves. */
static void with_extensions(struct shot *shot)
{
	struct wire *wire = shot_ip(shot, shot->trick->bytes[0]);

	wire_add(wire, shot->trick->bytes + 1, shot->trick->size - 1);
	wire->transport = wire->size;
	wire_udp(wire, shot->scene->port, ALLOWED_PORT);
	shot_mark(shot, wire);
	wire_finish(wire, IPPROTO_UDP);
}

/* number: how many. */
static void fragments(struct shot *shot)
{
	struct wire *wire = shot_ip(shot, IPPROTO_UDP);
	struct wire whole;
	size_t size, each;

	wire_udp(wire, shot->serial, ALLOWED_PORT);
	for (int i = 0; i < 20; i++)
		shot_mark(shot, wire);
	wire_finish(wire, IPPROTO_UDP);
	whole = *wire;
	shot->count = 0;
	size = whole.size - whole.transport;
	each = (size / shot->trick->number + 7) / 8 * 8;
	for (size_t offset = 0; offset < size; offset += each) {
		bool more = offset + each < size;

		*shot_frame(shot) = wire_fragment(&whole, IPPROTO_UDP, shot->serial, offset,
			more ? each : size - offset, more);
	}
}

/* What a hasty reader would take for the later one's ports says DHCP server, or for its type ICMP
 * error or neighbour advertisement. */
static void misleading_fragments(struct shot *shot)
{
	struct wire *wire = shot_ip(shot, IPPROTO_UDP);
	struct wire whole;

	wire_udp(wire, shot->serial, ALLOWED_PORT);
	shot_mark(shot, wire);
	wire_add(wire, shot->trick->bytes, shot->trick->size);
	shot_mark(shot, wire);
	wire_finish(wire, IPPROTO_UDP);
	whole = *wire;
	shot->count = 0;
	*shot_frame(shot) = wire_fragment(&whole, IPPROTO_UDP, shot->serial, 0, 16, true);
	*shot_frame(shot) = wire_fragment(
		&whole, IPPROTO_UDP, shot->serial, 16, whole.size - whole.transport - 16, false);
}

static void no_checksum(struct shot *shot)
{
	struct wire *wire = shot_udp(shot, ALLOWED_PORT);

	wire_put16(wire, wire->transport + 6, 0);
}

/* Bytes behind the IP packet, as short frames have them. */
static void padded(struct shot *shot)
{
	struct wire *wire = shot_udp(shot, ALLOWED_PORT);

	wire->padding = 22;
	wire_fill(wire, 0, wire->padding);
}

/* About the answer to what has arrived on the allowed port: path MTU discovery. */
static void too_big(struct shot *shot)
{
	const struct scene *scene = shot->scene;
	struct wire carried = {0};
	struct wire *wire;

	(void)shot_udp(shot, ALLOWED_PORT); /* opens the connection */
	wire_ip(&carried, &(struct wire_ip){.from = &scene->victim[shot->ipv6],
				  .to = &scene->own[shot->ipv6],
				  .protocol = IPPROTO_UDP,
				  .id = shot->serial});
	wire_udp(&carried, ALLOWED_PORT, scene->port);
	shot_mark(shot, &carried);
	wire_finish(&carried, IPPROTO_UDP);
	wire = shot_ip(shot, shot_icmp(shot));
	wire_icmp(wire, shot->ipv6 ? ICMP6_PACKET_TOO_BIG : ICMP_DEST_UNREACH, shot->ipv6 ? 0 : 4,
		1400);
	wire_add(wire, carried.bytes, carried.size);
	wire_finish(wire, shot_icmp(shot));
}

/* Of a type that the agent was told to let pass. */
static void allowed_type(struct shot *shot)
{
	const uint8_t *row = shot->trick->bytes;
	struct wire *wire = shot_frame(shot);

	wire_ethernet(wire, shot->scene->next_mac, shot->scene->own_mac,
		(uint16_t)(row[0] << 8 | row[1]));
	for (int i = 0; i < 6; i++)
		shot_mark(shot, wire);
}

#define PASSED .ebpf = "passed", .nft = "passed"

const struct trick tricks_honest[] = {
	{"a datagram", datagram, BOTH_FAMILIES, PASSED, .places = AND_ROUTED},
	{"a SYN", syn, BOTH_FAMILIES, TWIN_TCP, PASSED, .places = AND_ROUTED},
	{"router alert", with_options, ONLY_IPV4, BYTES(148, 4, 0, 0), PASSED,
		.places = AND_ROUTED},
	{"record route", with_options, ONLY_IPV4, BYTES(7, 7, 4, 0, 0, 0, 0, 0), PASSED},
	{"timestamps", with_options, ONLY_IPV4, BYTES(68, 8, 5, 0, 0, 0, 0, 0), PASSED},
	{"hop-by-hop options", with_extensions, ONLY_IPV6,
		BYTES(IPPROTO_HOPOPTS, IPPROTO_UDP, 0, 1, 4, 0, 0, 0, 0), PASSED,
		.places = AND_ROUTED},
	{"destination options", with_extensions, ONLY_IPV6,
		BYTES(IPPROTO_DSTOPTS, IPPROTO_UDP, 0, 1, 4, 0, 0, 0, 0), PASSED},
	{"both options", with_extensions, ONLY_IPV6,
		BYTES(IPPROTO_HOPOPTS, IPPROTO_DSTOPTS, 0, 1, 4, 0, 0, 0, 0, IPPROTO_UDP, 0, 1, 4,
			0, 0, 0, 0),
		PASSED},
	{"an atomic fragment", with_extensions, ONLY_IPV6,
		BYTES(IPPROTO_FRAGMENT, IPPROTO_UDP, 0, 0, 0, 0, 0, 7, 7), PASSED},
	{"two fragments", fragments, BOTH_FAMILIES, .number = 2, PASSED, .places = AND_ROUTED},
	{"five fragments", fragments, BOTH_FAMILIES, .number = 5, PASSED},
	{"later fragment like DHCP", misleading_fragments, ONLY_IPV4,
		BYTES(0, 67, 0, 68, 0, 0, 0, 0), PASSED},
	{"later fragment like DHCP", misleading_fragments, ONLY_IPV6,
		BYTES(0x02, 0x23, 0x02, 0x22, 0, 0, 0, 0), PASSED},
	{"UDP without a checksum", no_checksum, ONLY_IPV4, PASSED},
	{"padding behind the packet", padded, BOTH_FAMILIES, PASSED},
	{"fragmentation needed, of an allowed flow", too_big, BOTH_FAMILIES, TWIN_ECHO, PASSED},
	{"a type that is allowed by configuration", allowed_type, ONLY_IPV4, BYTES(0x88, 0xcc),
		PASSED},
	{0},
};
