/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ICMP and ICMPv6: echoes that carry data, answers that nobody asked for, errors about others. */
#include "trick.h"

#include <netinet/icmp6.h>
#include <netinet/in.h>
#include <netinet/ip_icmp.h>

#define NODE_QUERY      139
#define LISTENER_REPORT 143

/* Bytes: type, code. Number: hop limit, or 0. */
static void message(struct shot *shot)
{
	struct wire *wire = shot_ip_with(shot, (struct wire_ip){.protocol = shot_icmp(shot),
						       .hop_limit = (uint8_t)shot->trick->number});

	wire_icmp(wire, shot->trick->bytes[0], shot->trick->bytes[1], (uint32_t)shot->serial << 16);
	for (int i = 0; i < 4; i++)
		shot_mark(shot, wire);
	wire_finish(wire, shot_icmp(shot));
}

static void cut_off(struct shot *shot)
{
	struct wire *wire;

	shot_twin(shot);
	wire = &shot->frames[0];
	wire->size = wire->transport + shot->trick->number;
	wire_finish(wire, shot_icmp(shot));
}

/*
 * An error about a datagram that the victim has sent: to the node, which is true, but none of the
 * sender's business (number 0); or to the sender, which is not true (1).
 */
static void error_about(struct shot *shot)
{
	const struct scene *scene = shot->scene;
	const struct address *to =
		shot->trick->number ? &scene->own[shot->ipv6] : &scene->node[shot->ipv6];
	struct wire carried = {0};
	struct wire *wire;

	wire_ip(&carried, &(struct wire_ip){.from = &scene->victim[shot->ipv6],
				  .to = to,
				  .protocol = IPPROTO_UDP,
				  .id = shot->serial});
	wire_udp(&carried, ALLOWED_PORT, shot->trick->number ? shot->serial : DENIED_PORT);
	wire_add32(&carried, 0x5e9dc0de);
	wire_finish(&carried, IPPROTO_UDP);
	wire = shot_ip(shot, shot_icmp(shot));
	wire_icmp(wire, shot->trick->bytes[0], shot->trick->bytes[1], 1280);
	wire_add(wire, carried.bytes, carried.size);
	wire_finish(wire, shot_icmp(shot));
}

#define REFUSED(reason) .ebpf = (reason), .nft = (reason)
#define V4              message, ONLY_IPV4, TWIN_ECHO
#define V6              message, ONLY_IPV6, TWIN_ECHO
#define ERROR4          error_about, ONLY_IPV4, TWIN_ECHO
#define ERROR6          error_about, ONLY_IPV6, TWIN_ECHO
#define UNASKED         .ebpf = "no_connection", .nft = "invalid_conntrack_state"
#define UNRELATED       "unrelated_icmp_error"

const struct trick tricks_icmp[] = {
	{"echo as a tunnel", V4, BYTES(ICMP_ECHO, 0), REFUSED("policy_denied"),
		.places = AND_ROUTED},
	{"echo with a code", V4, BYTES(ICMP_ECHO, 77), REFUSED("policy_denied")},
	{"echo reply that nobody asked for", V4, BYTES(ICMP_ECHOREPLY, 0), UNASKED,
		.places = AND_ROUTED},
	{"timestamp request", V4, BYTES(ICMP_TIMESTAMP, 0), REFUSED("policy_denied")},
	{"timestamp reply", V4, BYTES(ICMP_TIMESTAMPREPLY, 0), UNASKED},
	{"address mask request", V4, BYTES(ICMP_ADDRESS, 0), REFUSED("policy_denied")},
	{"address mask reply", V4, BYTES(ICMP_ADDRESSREPLY, 0), UNASKED},
	{"information request", V4, BYTES(ICMP_INFO_REQUEST, 0), REFUSED("policy_denied")},
	{"router advertisement by ICMP", V4, BYTES(9, 0), .ebpf = "policy_denied",
		.nft = "invalid_conntrack_state"},
	{"unknown ICMP type", V4, BYTES(200, 0), .ebpf = "policy_denied",
		.nft = "invalid_conntrack_state"},
	{"echo as a tunnel", V6, BYTES(ICMP6_ECHO_REQUEST, 0), REFUSED("policy_denied"),
		.places = AND_ROUTED},
	{"echo reply that nobody asked for", V6, BYTES(ICMP6_ECHO_REPLY, 0), UNASKED,
		.places = AND_ROUTED},
	{"node information query", V6, BYTES(NODE_QUERY, 0), .ebpf = "policy_denied",
		.nft = "policy_denied"},
	{"node information reply", V6, BYTES(NODE_QUERY + 1, 0), UNASKED},
	{"unknown ICMPv6 type", V6, BYTES(200, 0), .ebpf = "policy_denied",
		.nft = "invalid_conntrack_state"},
	{"listener report as a tunnel", V6, BYTES(LISTENER_REPORT, 0), REFUSED("malformed"),
		.places = AND_ROUTED},
	{"listener report to a neighbour", V6, BYTES(LISTENER_REPORT, 0), 1, REFUSED("malformed")},
	{"listener query as a tunnel", V6, BYTES(MLD_LISTENER_QUERY, 0), REFUSED("malformed"),
		.places = AND_ROUTED},
	{"ICMP cut off at 4 bytes", cut_off, BOTH_FAMILIES, TWIN_ECHO, .number = 4,
		.ebpf = "malformed", .nft = "invalid_conntrack_state"},
	{"unreachable about nothing", ERROR4, BYTES(ICMP_DEST_UNREACH, 3), 1, .ebpf = UNRELATED,
		.nft = "invalid_conntrack_state"},
	{"fragmentation needed about nothing", ERROR4, BYTES(ICMP_DEST_UNREACH, 4), 1,
		.ebpf = UNRELATED, .nft = "invalid_conntrack_state", .places = AND_ROUTED},
	{"fragmentation needed about another's connection", ERROR4, BYTES(ICMP_DEST_UNREACH, 4),
		REFUSED(UNRELATED), .places = AND_ROUTED},
	{"unreachable about another's connection", ERROR4, BYTES(ICMP_DEST_UNREACH, 1),
		REFUSED(UNRELATED)},
	{"time exceeded about another's connection", ERROR4, BYTES(ICMP_TIME_EXCEEDED, 0),
		REFUSED(UNRELATED)},
	{"ICMP redirect about another's connection", ERROR4, BYTES(ICMP_REDIRECT, 1),
		REFUSED(UNRELATED)},
	{"source quench about another's connection", ERROR4, BYTES(ICMP_SOURCE_QUENCH, 0),
		REFUSED(UNRELATED)},
	{"error whose packet is cut off", message, BOTH_FAMILIES, TWIN_ECHO,
		BYTES(ICMP_DEST_UNREACH, 1), REFUSED(UNRELATED)},
	{"unreachable about nothing", ERROR6, BYTES(ICMP6_DST_UNREACH, 4), 1, .ebpf = UNRELATED,
		.nft = "invalid_conntrack_state"},
	{"packet too big about nothing", ERROR6, BYTES(ICMP6_PACKET_TOO_BIG, 0), 1,
		.ebpf = UNRELATED, .nft = "invalid_conntrack_state"},
	{"packet too big about another's connection", ERROR6, BYTES(ICMP6_PACKET_TOO_BIG, 0),
		REFUSED(UNRELATED), .places = AND_ROUTED},
	{"unknown ICMPv6 error", V6, BYTES(100, 0), REFUSED(UNRELATED)},
	{0},
};
