/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "trick.h"

#include <net/ethernet.h>
#include <netinet/icmp6.h>
#include <netinet/in.h>
#include <netinet/ip_icmp.h>
#include <stdlib.h>
#include <string.h>

struct wire *shot_frame(struct shot *shot)
{
	struct wire *wire;

	if (shot->count == SHOT_FRAMES_MAX)
		abort();
	wire = &shot->frames[shot->count++];
	memset(wire, 0, sizeof(*wire));
	return wire;
}

struct wire *shot_ip_with(struct shot *shot, struct wire_ip ip)
{
	const struct scene *scene = shot->scene;
	struct wire *wire = shot_frame(shot);

	if (!ip.from)
		ip.from = &scene->own[shot->ipv6];
	if (!ip.to)
		ip.to = &scene->victim[shot->ipv6];
	if (!ip.id)
		ip.id = shot->serial;
	wire_ethernet(
		wire, scene->next_mac, scene->own_mac, shot->ipv6 ? ETHERTYPE_IPV6 : ETHERTYPE_IP);
	wire_ip(wire, &ip);
	return wire;
}

struct wire *shot_ip(struct shot *shot, uint8_t protocol)
{
	return shot_ip_with(shot, (struct wire_ip){.protocol = protocol});
}

void shot_mark(struct shot *shot, struct wire *wire)
{
	wire_add32(wire, 0x5e9dc0de);
	wire_add16(wire, shot->serial);
	wire_add16(wire, (uint16_t)(shot->marks++ << 8 | 0x5e));
}

struct wire *shot_udp(struct shot *shot, uint16_t port)
{
	struct wire *wire = shot_ip(shot, IPPROTO_UDP);

	wire_udp(wire, shot->scene->port, port);
	shot_mark(shot, wire);
	wire_finish(wire, IPPROTO_UDP);
	return wire;
}

uint8_t shot_icmp(const struct shot *shot)
{
	return shot->ipv6 ? IPPROTO_ICMPV6 : IPPROTO_ICMP;
}

static void twin_tcp(struct shot *shot)
{
	struct wire *wire = shot_ip(shot, IPPROTO_TCP);

	wire_tcp(wire, shot->serial, DENIED_PORT, TCP_SYN);
	shot_mark(shot, wire);
	wire_finish(wire, IPPROTO_TCP);
}

static void twin_echo(struct shot *shot)
{
	struct wire *wire = shot_ip(shot, shot_icmp(shot));

	wire_icmp(
		wire, shot->ipv6 ? ICMP6_ECHO_REQUEST : ICMP_ECHO, 0, (uint32_t)shot->serial << 16);
	shot_mark(shot, wire);
	wire_finish(wire, shot_icmp(shot));
}

/* A request for the victim's MAC, in the sender's own name. */
static void twin_arp(struct shot *shot)
{
	const struct scene *scene = shot->scene;
	struct wire *wire = shot_frame(shot);

	wire_ethernet(wire, scene->next_mac, scene->own_mac, ETHERTYPE_ARP);
	wire_add(wire, (const uint8_t[]){0, 1, 8, 0, 6, 4, 0, 1}, 8);
	wire_add(wire, scene->own_mac, 6);
	wire_add(wire, scene->own[0].bytes + 12, 4);
	wire_fill(wire, 0, 6);
	wire_add(wire, scene->victim[0].bytes + 12, 4);
}

static void twin_advertisement(struct shot *shot)
{
	const struct scene *scene = shot->scene;
	struct wire *wire =
		shot_ip_with(shot, (struct wire_ip){.protocol = IPPROTO_ICMPV6, .hop_limit = 255});

	wire_icmp(wire, ND_NEIGHBOR_ADVERT, 0, 0x20000000);
	wire_add(wire, scene->own[1].bytes, 16);
	wire_add16(wire, ND_OPT_TARGET_LINKADDR << 8 | 1);
	wire_add(wire, scene->own_mac, 6);
	wire_finish(wire, IPPROTO_ICMPV6);
}

void shot_twin(struct shot *shot)
{
	switch (shot->trick->twin) {
	case TWIN_UDP:
		(void)shot_udp(shot, DENIED_PORT);
		return;
	case TWIN_TCP:
		twin_tcp(shot);
		return;
	case TWIN_ECHO:
		twin_echo(shot);
		return;
	case TWIN_NEIGHBOUR:
		if (shot->ipv6)
			twin_advertisement(shot);
		else
			twin_arp(shot);
		return;
	}
}
