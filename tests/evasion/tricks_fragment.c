/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A forbidden packet in pieces, or pieces that change what an allowed one says. */
#include "trick.h"

#include <netinet/in.h>

/* A datagram or segment of 64 bytes behind its header, as it will be cut. */
static struct wire whole(struct shot *shot, uint8_t protocol, uint16_t port)
{
	struct wire *wire = shot_ip(shot, protocol);
	struct wire copy;

	if (protocol == IPPROTO_UDP)
		wire_udp(wire, shot->serial, port);
	else
		wire_tcp(wire, shot->serial, port, TCP_SYN);
	for (int i = 0; i < 8; i++)
		shot_mark(shot, wire);
	wire_finish(wire, protocol);
	copy = *wire;
	shot->count--;
	return copy;
}

/* size 0: all that is left. */
static void cut(
	struct shot *shot, const struct wire *from, uint8_t protocol, size_t offset, size_t size)
{
	size_t end = from->size - from->transport;
	bool more = size && offset + size < end;

	*shot_frame(shot) = wire_fragment(
		from, protocol, shot->serial, offset, size ? size : end - offset, more);
}

static void in_order(struct shot *shot)
{
	struct wire from = whole(shot, IPPROTO_UDP, DENIED_PORT);

	cut(shot, &from, IPPROTO_UDP, 0, 32);
	cut(shot, &from, IPPROTO_UDP, 32, 0);
}

static void later_first(struct shot *shot)
{
	struct wire from = whole(shot, IPPROTO_UDP, DENIED_PORT);

	cut(shot, &from, IPPROTO_UDP, 32, 0);
	cut(shot, &from, IPPROTO_UDP, 0, 32);
}

static void later_alone(struct shot *shot)
{
	struct wire from = whole(shot, IPPROTO_UDP, DENIED_PORT);

	cut(shot, &from, IPPROTO_UDP, 32, 0);
}

/* Eight bytes of TCP: ports, but no flags. */
static void tiny(struct shot *shot)
{
	struct wire from = whole(shot, IPPROTO_TCP, DENIED_PORT);

	cut(shot, &from, IPPROTO_TCP, 0, 8);
	cut(shot, &from, IPPROTO_TCP, 8, 0);
}

/* RFC 3128: the first is allowed, the second writes over its flags. */
static void rewritten_flags(struct shot *shot)
{
	struct wire from = whole(shot, IPPROTO_TCP, ALLOWED_PORT);

	cut(shot, &from, IPPROTO_TCP, 0, 32);
	cut(shot, &from, IPPROTO_TCP, 8, 0);
}

/* The first is allowed, its double speaks to another port. */
static void two_firsts(struct shot *shot)
{
	struct wire allowed = whole(shot, IPPROTO_UDP, ALLOWED_PORT);
	struct wire denied = whole(shot, IPPROTO_UDP, DENIED_PORT);

	cut(shot, &allowed, IPPROTO_UDP, 0, 32);
	cut(shot, &denied, IPPROTO_UDP, 0, 32);
	cut(shot, &denied, IPPROTO_UDP, 32, 0);
}

/* The number of a datagram that has arrived whole, once more. */
static void number_again(struct shot *shot)
{
	struct wire allowed = whole(shot, IPPROTO_UDP, ALLOWED_PORT);
	struct wire denied = whole(shot, IPPROTO_UDP, DENIED_PORT);

	cut(shot, &allowed, IPPROTO_UDP, 0, 32);
	cut(shot, &allowed, IPPROTO_UDP, 32, 0);
	cut(shot, &denied, IPPROTO_UDP, 0, 40);
	cut(shot, &denied, IPPROTO_UDP, 40, 0);
}

/* Destination options, then UDP, all of it behind the fragment header. */
static struct wire whole_behind_options(struct shot *shot, uint16_t port)
{
	struct wire *wire = shot_ip(shot, IPPROTO_DSTOPTS);
	size_t start = wire->transport;
	struct wire copy;

	wire_add(wire, (const uint8_t[]){IPPROTO_UDP, 1, 1, 12}, 4);
	wire_fill(wire, 0, 12);
	wire->transport = wire->size;
	wire_udp(wire, shot->serial, port);
	for (int i = 0; i < 8; i++)
		shot_mark(shot, wire);
	wire_finish(wire, IPPROTO_UDP);
	wire->transport = start;
	copy = *wire;
	shot->count--;
	return copy;
}

/* The second begins in the options of the first, and brings another UDP header. */
static void rewritten_port(struct shot *shot)
{
	struct wire allowed = whole_behind_options(shot, ALLOWED_PORT);
	struct wire denied = whole_behind_options(shot, DENIED_PORT);

	cut(shot, &allowed, IPPROTO_DSTOPTS, 0, 32);
	cut(shot, &denied, IPPROTO_DSTOPTS, 8, 0);
}

/* RFC 7112: no transport header in the first. */
static void header_in_second(struct shot *shot)
{
	struct wire from = whole_behind_options(shot, DENIED_PORT);

	cut(shot, &from, IPPROTO_DSTOPTS, 0, 16);
	cut(shot, &from, IPPROTO_DSTOPTS, 16, 0);
}

/* The fragment header of the second says another protocol. */
static void other_protocol(struct shot *shot)
{
	struct wire from = whole(shot, IPPROTO_UDP, ALLOWED_PORT);

	cut(shot, &from, IPPROTO_UDP, 0, 32);
	cut(shot, &from, IPPROTO_TCP, 32, 0);
	if (!shot->ipv6) {
		shot->frames[1].bytes[shot->frames[1].network + 9] = IPPROTO_TCP;
		wire_sum_header(&shot->frames[1]);
	}
}

/* A later fragment that ends behind byte 65535 ("ping of death"). */
static void beyond_the_end(struct shot *shot)
{
	struct wire from = whole(shot, IPPROTO_UDP, DENIED_PORT);
	struct wire *wire;

	cut(shot, &from, IPPROTO_UDP, 0, 0);
	wire = &shot->frames[0];
	if (shot->ipv6) {
		wire_put16(wire, wire->transport - 6, 0xfff8);
	} else {
		wire_put16(wire, wire->network + 6, 0x1fff);
		wire_sum_header(wire);
	}
}

static void without_payload(struct shot *shot)
{
	struct wire from = whole(shot, IPPROTO_UDP, DENIED_PORT);

	cut(shot, &from, IPPROTO_UDP, 32, 8);
	shot->frames[0].size -= 8;
	wire_finish(&shot->frames[0], IPPROTO_NONE);
}

#define KEEPS "conntrack reassembles: it keeps pieces, and drops those that contradict"
#define LOST  "fragment_without_first"

const struct trick tricks_fragment[] = {
	{"fragments in order", in_order, BOTH_FAMILIES, .ebpf = "policy_denied " LOST,
		.nft = "held policy_denied", .why = KEEPS, .places = AND_ROUTED},
	{"the later fragment first", later_first, BOTH_FAMILIES, .ebpf = LOST " policy_denied",
		.nft = "held policy_denied", .why = KEEPS},
	{"a later fragment alone", later_alone, BOTH_FAMILIES, .ebpf = LOST, .nft = "held",
		.why = KEEPS, .places = AND_ROUTED},
	{"tiny first fragment", tiny, ONLY_IPV4, TWIN_TCP, .ebpf = "malformed",
		.nft = "held policy_denied", .why = KEEPS},
	{"tiny first fragment", tiny, ONLY_IPV6, TWIN_TCP, .ebpf = "malformed",
		.nft = "held invalid_conntrack_state", .why = KEEPS},
	{"second fragment over TCP's flags", rewritten_flags, BOTH_FAMILIES, TWIN_TCP,
		.ebpf = "passed malformed", .nft = "held", .why = KEEPS},
	{"a double of the first with another port", two_firsts, BOTH_FAMILIES,
		.ebpf = "passed policy_denied " LOST, .nft = "held held invalid_conntrack_state",
		.why = KEEPS},
	{"a used number again", number_again, BOTH_FAMILIES,
		.ebpf = "passed passed policy_denied " LOST,
		.nft = "passed passed held policy_denied", .why = KEEPS},
	{"second fragment over the UDP header behind options", rewritten_port, ONLY_IPV6,
		.ebpf = "passed malformed", .nft = "held", .why = KEEPS},
	{"transport header in the second fragment", header_in_second, ONLY_IPV6,
		.ebpf = "malformed " LOST, .nft = "held invalid_conntrack_state", .why = KEEPS},
	{"second fragment of another protocol", other_protocol, ONLY_IPV4, .ebpf = "passed " LOST,
		.nft = "held", .why = KEEPS},
	/* Only the first one's counts (RFC 8200, 4.5), so this is the datagram that it says. */
	{"second fragment of another protocol", other_protocol, ONLY_IPV6, .ebpf = "passed " LOST,
		.nft = "passed"},
	{"fragment beyond 65535", beyond_the_end, BOTH_FAMILIES, .ebpf = "malformed", .nft = "held",
		.why = KEEPS},
	{"fragment without payload", without_payload, BOTH_FAMILIES, .ebpf = "malformed",
		.nft = "held", .why = KEEPS},
	{0},
};
