/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One row of the suite: a way to say what policy forbids, as frames, and what becomes of each of
 * them. Words of an outcome stand for the frames in order; the last one stands for the rest, too:
 *
 *	passed            it arrives
 *	held              the kernel keeps or drops it by itself before the data plane sees it
 *	any other         the reason in xdp/reasons.h under which it is refused and counted
 */
#pragma once

#include "wire.h"

#define SHOT_FRAMES_MAX 6

#define DENIED_PORT  6000
#define ALLOWED_PORT 7000

enum families {
	ANY_FAMILY, /* once, as IPv4 */
	ONLY_IPV4 = 1,
	ONLY_IPV6 = 2,
	BOTH_FAMILIES = 3,
};

/* Whose frames they are. */
struct scene {
	uint8_t own_mac[6];
	uint8_t next_mac[6];   /* what leads to the victim: its own or a router's */
	struct address own[2]; /* by ipv6 */
	struct address victim[2];
	struct address node[2];
	struct address stranger[2]; /* on the same network, nobody's */
	uint16_t port;              /* that datagrams come from */
};

struct trick;

struct shot {
	const struct scene *scene;
	const struct trick *trick;
	bool ipv6;
	uint16_t serial; /* no two shots have the same */
	struct wire frames[SHOT_FRAMES_MAX];
	size_t count;
	uint8_t marks;
};

/* The truthful frame that the trick dresses up: arrives where there is no policy. */
enum twin {
	TWIN_UDP,
	TWIN_TCP,
	TWIN_ECHO,
	TWIN_NEIGHBOUR, /* ARP or neighbour discovery */
};

enum places {
	ON_THE_BRIDGE,
	AND_ROUTED, /* also tried through a router */
	ONLY_ROUTED,
};

struct trick {
	const char *name;
	void (*build)(struct shot *shot);
	enum families families;
	enum twin twin;
	const uint8_t *bytes; /* what build() takes from the row */
	size_t size;
	unsigned int number;
	const char *ebpf; /* outcome */
	const char *nft;
	const char *why;  /* where nft has held: who keeps it */
	const char *bare; /* where the kernel alone does not let it arrive: why */
	enum places places;
};

/* Rows, each list closed by one without a name. */
extern const struct trick tricks_link[];
extern const struct trick tricks_claim[];
extern const struct trick tricks_ipv4[];
extern const struct trick tricks_ipv6[];
extern const struct trick tricks_fragment[];
extern const struct trick tricks_transport[];
extern const struct trick tricks_icmp[];
extern const struct trick tricks_honest[];

#define BYTES(...) \
	.bytes = (const uint8_t[]){__VA_ARGS__}, .size = sizeof((const uint8_t[]){__VA_ARGS__})

/* A new frame with an Ethernet and an IP header from the sender to the victim. */
struct wire *shot_ip(struct shot *shot, uint8_t protocol);
/* The same with wishes; addresses that are NULL are the usual ones. */
struct wire *shot_ip_with(struct shot *shot, struct wire_ip ip);
struct wire *shot_frame(struct shot *shot);
/* Eight bytes that no other frame has. */
void shot_mark(struct shot *shot, struct wire *wire);
/* A whole UDP datagram with a mark. */
struct wire *shot_udp(struct shot *shot, uint16_t port);
/* The row's twin. */
void shot_twin(struct shot *shot);
/* ICMPv6 or ICMP, as the family has it. */
uint8_t shot_icmp(const struct shot *shot);
