/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Behind IP: TCP's flags and lengths, UDP's lengths, protocols without ports, tunnels. */
#include "trick.h"

#include <endian.h>
#include <netinet/in.h>
#include <string.h>

#define DCCP 33
#define L2TP 115

/* Chunks (RFC 9260, 3.2). */
#define SCTP_DATA          0
#define SCTP_INIT          1
#define SCTP_HEARTBEAT     4
#define SCTP_HEARTBEAT_ACK 5
#define SCTP_ABORT         6
#define SCTP_SHUTDOWN_ACK  8

/* number: the flags. */
static void tcp_flags(struct shot *shot)
{
	struct wire *wire = shot_ip(shot, IPPROTO_TCP);

	wire_tcp(wire, shot->serial, DENIED_PORT, (uint8_t)shot->trick->number);
	shot_mark(shot, wire);
	wire_finish(wire, IPPROTO_TCP);
}

static void tcp_flags_allowed_port(struct shot *shot)
{
	struct wire *wire = shot_ip(shot, IPPROTO_TCP);

	wire_tcp(wire, shot->serial, ALLOWED_PORT, (uint8_t)shot->trick->number);
	shot_mark(shot, wire);
	wire_finish(wire, IPPROTO_TCP);
}

/* Bytes: source and destination port. */
static void udp_ports(struct shot *shot)
{
	const uint8_t *row = shot->trick->bytes;
	struct wire *wire = shot_ip(shot, IPPROTO_UDP);

	wire_udp(wire, (uint16_t)(row[0] << 8 | row[1]), (uint16_t)(row[2] << 8 | row[3]));
	shot_mark(shot, wire);
	wire_finish(wire, IPPROTO_UDP);
}

static void tcp_ports(struct shot *shot)
{
	const uint8_t *row = shot->trick->bytes;
	struct wire *wire = shot_ip(shot, IPPROTO_TCP);

	wire_tcp(wire, (uint16_t)(row[0] << 8 | row[1]), (uint16_t)(row[2] << 8 | row[3]), TCP_SYN);
	shot_mark(shot, wire);
	wire_finish(wire, IPPROTO_TCP);
}

/* number: the offset in the TCP header where the row's bytes stand, after the checksum was made. */
static void tcp_lie(struct shot *shot)
{
	shot_twin(shot);
	for (size_t i = 0; i < shot->trick->size; i++)
		shot->frames[0].bytes[shot->frames[0].transport + shot->trick->number + i] =
			shot->trick->bytes[i];
}

static void udp_lie(struct shot *shot)
{
	struct wire *wire = shot_udp(shot, DENIED_PORT);

	for (size_t i = 0; i < shot->trick->size; i++)
		wire->bytes[wire->transport + shot->trick->number + i] = shot->trick->bytes[i];
}

/* number: so many bytes of the segment are there. */
static void tcp_cut_off(struct shot *shot)
{
	struct wire *wire;

	shot_twin(shot);
	wire = &shot->frames[0];
	wire->size = wire->transport + shot->trick->number;
	wire_finish(wire, IPPROTO_TCP);
}

static void udp_cut_off(struct shot *shot)
{
	struct wire *wire = shot_udp(shot, DENIED_PORT);

	wire->size = wire->transport + shot->trick->number;
	wire_finish(wire, IPPROTO_NONE);
}

/* number: the protocol. */
static void other_protocol(struct shot *shot)
{
	struct wire *wire = shot_ip(shot, (uint8_t)shot->trick->number);

	wire_add16(wire, 5000);
	wire_add16(wire, ALLOWED_PORT);
	for (int i = 0; i < 4; i++)
		shot_mark(shot, wire);
	wire_finish(wire, IPPROTO_NONE);
}

/* CRC32c of RFC 9260, appendix A. */
static uint32_t sctp_sum(const uint8_t *bytes, size_t size)
{
	uint32_t sum = UINT32_MAX;

	for (size_t i = 0; i < size; i++) {
		sum ^= bytes[i];
		for (int bit = 0; bit < 8; bit++)
			sum = sum >> 1 ^ (sum & 1 ? 0x82f63b78 : 0);
	}
	return htole32(~sum);
}

/* Bytes: source and destination port; number: the type of the chunk. An INIT has no tag yet. */
static void sctp_chunk(struct shot *shot)
{
	const struct trick *trick = shot->trick;
	struct wire *wire = shot_ip(shot, IPPROTO_SCTP);
	uint32_t sum;

	wire_add(wire, trick->bytes, trick->size);
	wire_add32(wire, trick->number == SCTP_INIT ? 0 : 1);
	wire_add32(wire, 0);
	wire_add32(wire, (uint32_t)trick->number << 24 | 0x1c); /* eight bytes of parameters */
	wire_add32(wire, 1);
	wire_add32(wire, 65535);
	wire_add32(wire, 0x00010001);
	wire_add32(wire, 1);
	shot_mark(shot, wire);
	wire_finish(wire, IPPROTO_SCTP);
	sum = sctp_sum(wire->bytes + wire->transport, wire->size - wire->transport);
	memcpy(wire->bytes + wire->transport + 8, &sum, sizeof(sum));
}

/* An allowed datagram, but in a tunnel: bytes: what stands between; number: the protocol. */
static void tunnel(struct shot *shot)
{
	bool outer = shot->ipv6, inner = shot->trick->number == IPPROTO_IPV6;
	struct wire carried;
	struct wire *wire;

	shot->ipv6 = inner;
	carried = *shot_udp(shot, ALLOWED_PORT);
	shot->count = 0;
	shot->ipv6 = outer;
	wire = shot_ip(shot, (uint8_t)shot->trick->number);
	if (shot->trick->size)
		wire_add(wire, shot->trick->bytes, shot->trick->size);
	wire_add(wire, carried.bytes + carried.network, carried.size - carried.network);
	wire_finish(wire, IPPROTO_NONE);
}

#define REFUSED(reason)   .ebpf = (reason), .nft = (reason)
#define DENIED_OR_INVALID .ebpf = "policy_denied", .nft = "invalid_conntrack_state"
#define TCP               tcp_flags, BOTH_FAMILIES, TWIN_TCP
#define UNKNOWN           .ebpf = "no_connection", .nft = "no_connection"
#define INVALID           .ebpf = "no_connection", .nft = "invalid_conntrack_state"
#define BOTH              BOTH_FAMILIES, TWIN_UDP
#define SCTP(ports...)    sctp_chunk, BOTH, BYTES(ports)
#define BOTH_TCP          BOTH_FAMILIES, TWIN_TCP

const struct trick tricks_transport[] = {
	{"SYN", TCP, .number = TCP_SYN, REFUSED("policy_denied"), .places = AND_ROUTED},
	{"SYN with PSH and URG", TCP, .number = TCP_SYN | TCP_PSH | TCP_URG,
		REFUSED("policy_denied")},
	{"SYN with congestion bits", TCP, .number = TCP_SYN | 0xc0, REFUSED("policy_denied")},
	{"lone ACK", TCP, .number = TCP_ACK, UNKNOWN, .places = AND_ROUTED},
	{"lone RST", TCP, .number = TCP_RST, INVALID},
	{"RST and ACK", TCP, .number = TCP_RST | TCP_ACK, INVALID},
	{"lone FIN", TCP, .number = TCP_FIN, INVALID},
	{"FIN and ACK", TCP, .number = TCP_FIN | TCP_ACK, INVALID},
	{"SYN and FIN", TCP, .number = TCP_SYN | TCP_FIN, INVALID},
	{"SYN and RST", TCP, .number = TCP_SYN | TCP_RST, INVALID},
	{"SYN and ACK", TCP, .number = TCP_SYN | TCP_ACK, INVALID},
	{"PSH and ACK with data", TCP, .number = TCP_PSH | TCP_ACK, UNKNOWN},
	{"no flags", TCP, .number = 0, INVALID},
	{"christmas tree", TCP, .number = 0x3f, INVALID},
	{"all eight flags", TCP, .number = 0xff, INVALID},
	{"lone ACK to the allowed port", tcp_flags_allowed_port, BOTH_TCP, .number = TCP_ACK,
		UNKNOWN},
	{"lone FIN to the allowed port", tcp_flags_allowed_port, BOTH_TCP, .number = TCP_FIN,
		INVALID},
	{"TCP from port 0", tcp_ports, BOTH_TCP, BYTES(0, 0, 0x17, 0x70), REFUSED("policy_denied")},
	{"TCP to port 0", tcp_ports, BOTH_TCP, BYTES(0x13, 0x88, 0, 0), REFUSED("policy_denied")},
	{"TCP from the allowed port", tcp_ports, BOTH_TCP, BYTES(0x1b, 0x58, 0x17, 0x70),
		REFUSED("policy_denied")},
	{"UDP from port 0", udp_ports, BOTH, BYTES(0, 0, 0x17, 0x70), REFUSED("policy_denied")},
	{"UDP to port 0", udp_ports, BOTH, BYTES(0x13, 0x88, 0, 0), REFUSED("policy_denied")},
	{"UDP from port 53", udp_ports, BOTH, BYTES(0, 53, 0x17, 0x70), REFUSED("policy_denied"),
		.places = AND_ROUTED},
	{"UDP from the allowed port", udp_ports, BOTH, BYTES(0x1b, 0x58, 0x17, 0x70),
		REFUSED("policy_denied")},
	{"TCP header of 4 words", tcp_lie, BOTH_TCP, BYTES(0x40), 12, .ebpf = "malformed",
		.nft = "invalid_conntrack_state"},
	{"TCP header of 0 words", tcp_lie, BOTH_TCP, BYTES(0x00), 12, .ebpf = "malformed",
		.nft = "invalid_conntrack_state"},
	{"TCP header beyond the packet", tcp_lie, BOTH_TCP, BYTES(0xf0), 12, .ebpf = "malformed",
		.nft = "invalid_conntrack_state"},
	{"wrong TCP checksum", tcp_lie, BOTH_TCP, BYTES(0x5e, 0x9d), 16, .ebpf = "policy_denied",
		.nft = "invalid_conntrack_state"},
	{"TCP cut off at 8 bytes", tcp_cut_off, BOTH_TCP, .number = 8, .ebpf = "malformed",
		.nft = "invalid_conntrack_state"},
	{"TCP cut off at 19 bytes", tcp_cut_off, BOTH_TCP, .number = 19, .ebpf = "malformed",
		.nft = "invalid_conntrack_state"},
	{"UDP length 0", udp_lie, BOTH, BYTES(0, 0), 4, .ebpf = "malformed",
		.nft = "invalid_conntrack_state"},
	{"UDP length 7", udp_lie, BOTH, BYTES(0, 7), 4, .ebpf = "malformed",
		.nft = "invalid_conntrack_state"},
	{"UDP length beyond the packet", udp_lie, BOTH, BYTES(255, 255), 4, .ebpf = "policy_denied",
		.nft = "invalid_conntrack_state"},
	{"wrong UDP checksum", udp_lie, BOTH, BYTES(0x5e, 0x9d), 6, .ebpf = "policy_denied",
		.nft = "invalid_conntrack_state"},
	{"UDP cut off at 4 bytes", udp_cut_off, BOTH, .number = 4, .ebpf = "malformed",
		.nft = "invalid_conntrack_state"},
	{"SCTP", SCTP(0x13, 0x88, 0x17, 0x70), .number = SCTP_INIT, REFUSED("policy_denied")},
	{"SCTP HEARTBEAT", SCTP(0x13, 0x89, 0x17, 0x70), .number = SCTP_HEARTBEAT,
		REFUSED("policy_denied")},
	{"SCTP HEARTBEAT of a server", SCTP(0x13, 0x8a, 0x9c, 0x40), .number = SCTP_HEARTBEAT,
		UNKNOWN},
	{"SCTP DATA to the allowed port", SCTP(0x13, 0x8b, 0x1b, 0x58), .number = SCTP_DATA,
		INVALID},
	{"SCTP ABORT to the allowed port", SCTP(0x13, 0x8c, 0x1b, 0x58), .number = SCTP_ABORT,
		INVALID},
	{"SCTP HEARTBEAT ACK to the allowed port", SCTP(0x13, 0x8d, 0x1b, 0x58),
		.number = SCTP_HEARTBEAT_ACK, UNKNOWN},
	{"SCTP SHUTDOWN ACK to the allowed port", SCTP(0x13, 0x8e, 0x1b, 0x58),
		.number = SCTP_SHUTDOWN_ACK, UNKNOWN},
	{"UDP-Lite to the allowed port", other_protocol, BOTH, .number = IPPROTO_UDPLITE,
		DENIED_OR_INVALID},
	{"DCCP to the allowed port", other_protocol, BOTH, .number = DCCP,
		REFUSED("policy_denied")},
	{"ESP", other_protocol, BOTH, .number = IPPROTO_ESP, REFUSED("policy_denied")},
	{"L2TPv3", other_protocol, BOTH, .number = L2TP, REFUSED("policy_denied")},
	{"OSPF", other_protocol, BOTH, .number = 89, REFUSED("policy_denied")},
	{"VRRP", other_protocol, BOTH, .number = 112, REFUSED("policy_denied")},
	{"PIM", other_protocol, BOTH, .number = 103, REFUSED("policy_denied")},
	{"IGMP", other_protocol, ONLY_IPV4, .number = 2, REFUSED("policy_denied")},
	{"experimental protocol 254", other_protocol, BOTH, .number = 254,
		REFUSED("policy_denied")},
	{"protocol 0 in IPv4", other_protocol, ONLY_IPV4, .number = 0, REFUSED("policy_denied")},
	{"authentication header in IPv4", other_protocol, ONLY_IPV4, .number = IPPROTO_AH,
		REFUSED("policy_denied")},
	{"ICMPv6 in IPv4", other_protocol, ONLY_IPV4, .number = IPPROTO_ICMPV6, DENIED_OR_INVALID},
	{"ICMP in IPv6", other_protocol, ONLY_IPV6, .number = IPPROTO_ICMP, DENIED_OR_INVALID},
	{"IPv4 in IP", tunnel, BOTH, .number = IPPROTO_IPIP, REFUSED("policy_denied"),
		.places = AND_ROUTED},
	{"IPv6 in IP", tunnel, BOTH, .number = IPPROTO_IPV6, REFUSED("policy_denied")},
	{"GRE", tunnel, BOTH, BYTES(0, 0, 8, 0), IPPROTO_GRE, REFUSED("policy_denied")},
	{0},
};
