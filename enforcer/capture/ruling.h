/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What policy says of the connection that a packet speaks of, in the words of flow events. */
#pragma once

#include "capture/packet.h"
#include "policies/ir.h"

#include <stdbool.h>
#include <stdint.h>

struct ruling {
	bool allowed;
	bool audited;
	enum direction direction;       /* the one that is named in records */
	uint32_t rule[DIRECTION_COUNT]; /* ids; 0: no subject there */
	const struct ir_rule *deciding; /* of direction; NULL: neither end is a subject */
};

/* Of a connection whose originator sends from ends.source. */
struct ruling ruling_of(const struct ir *ir, const struct packet_ends *ends);

/* Of a TCP connection of which no SYN was seen, where one of its segments has these ends, and who
 * began it (track.bpf.h): *ret_ends are as its originator sends. */
struct ruling ruling_of_guess(
	const struct ir *ir, const struct packet_ends *sent, struct packet_ends *ret_ends);
/* The same by a first segment in mid-stream, which may be a SYN with ACK. */
struct ruling ruling_in_mid_stream(
	const struct ir *ir, const struct capture_packet *packet, struct packet_ends *ret_ends);

/* Whether policy has a say about connections of these ends: one is a workload's or the node's. */
bool ruling_concerns(const struct ir *ir, const struct packet_ends *ends);
