/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Connections of the packets in a capture, by the rules of the data plane: what a connection lets
 * pass (connection.bpf.h) and how long it is remembered (connection_times.h). Time is that of the
 * packets. Bounded: beyond that, the one that was silent longest goes.
 */
#pragma once

#include "base/address.h"
#include "base/large_hash.h"
#include "capture/packet.h"
#include "policies/ir.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum tracker_side {
	TRACKER_ORIGINATOR,
	TRACKER_RESPONDER,
	TRACKER_SIDES
};

struct tracker_key {
	uint8_t address[2][16]; /* the smaller (address, port) first */
	uint16_t port[2];
	uint8_t protocol;
	uint8_t pad[3];
};

struct tracked {
	struct tracker_key key;
	struct packet_ends ends; /* as the originator sends */
	uint8_t mac[TRACKER_SIDES][6];
	uint16_t ethertype;
	uint64_t packets[TRACKER_SIDES];
	uint64_t bytes[TRACKER_SIDES];
	uint64_t start_ns;
	uint64_t last_ns;
	uint64_t id;
	uint8_t tcp_flags[TRACKER_SIDES]; /* all that were seen, ORed */
	bool replied;
	bool established; /* TCP, SCTP: handshake complete */
	bool over;        /* both sides have finished, or one has reset it */
	bool adopted;     /* first seen in mid-stream */
	uint64_t told_ns; /* for whoever reports it: when it was last */

	/* What policy said, and under which one; for whoever judges. */
	uint64_t generation; /* 0: not judged yet */
	bool audited;
	enum direction direction;
	uint32_t rule[DIRECTION_COUNT]; /* ids; 0: no subject there */
	const struct ir_rule *deciding; /* of that generation; NULL: none */

	UT_hash_handle hh;
	struct tracked *prev, *next; /* by last_ns */
};

struct tracker;

/* ended is called for each connection that is over or forgotten (NULL: nobody). */
int tracker_new(size_t connections_max,
	void (*ended)(const struct tracked *tracked, void *userdata), void *userdata,
	struct tracker **ret);
/* Ends those that are left. */
void tracker_free(struct tracker *tracker);
size_t tracker_count(const struct tracker *tracker);
/* How many went to make room. */
uint64_t tracker_evicted(const struct tracker *tracker);

/* The one that these ends are of, whoever sends; expired ones are ended first. NULL: none. */
struct tracked *tracker_find(
	struct tracker *tracker, const struct packet_ends *ends, uint64_t now_ns);
/* Whether a packet is part of it: what opens must be the originator's own repeated packet. */
bool tracked_owns(const struct tracked *tracked, const struct capture_packet *packet);
enum tracker_side tracked_sender(const struct tracked *tracked, const struct packet_ends *ends);

/* Opens one (ends are as its originator sends), in place of one of the same key. NULL: no memory.
 */
struct tracked *tracker_open(
	struct tracker *tracker, const struct packet_ends *ends, uint64_t now_ns);
/* Counts a packet that is part of it. */
void tracker_count_packet(
	struct tracker *tracker, struct tracked *tracked, const struct capture_packet *packet);
void tracker_end(struct tracker *tracker, struct tracked *tracked);
/* Ends all that are expired by then, and calls visit (NULL: nobody) for those that are not. */
void tracker_sweep(struct tracker *tracker, uint64_t now_ns,
	void (*visit)(struct tracked *tracked, void *userdata), void *userdata);

static inline void tracker_freep(struct tracker **tracker)
{
	tracker_free(*tracker);
}
