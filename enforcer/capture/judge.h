/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the data plane says of a packet, said again from the packet and the policies alone: the
 * order of questions is that of the BPF programs (segd.bpf.c), the parser is theirs, and policy is
 * asked through the reference evaluator. For captures, which see packets but not their verdicts.
 */
#pragma once

#include "capture/packet.h"
#include "capture/sender.h"
#include "capture/tracker.h"
#include "flow/event.h"
#include "policies/ir.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define JUDGE_ETHERTYPES 16

struct judge_options {
	size_t connections_max;
	/* For so long from the first packet on, TCP in mid-stream is of a connection that is older
	 * than the capture, if policy allows it. UINT64_MAX: for ever. */
	uint64_t adoption_ns;
	/* The same, until then (CLOCK_REALTIME), and no matter when the first packet is. */
	uint64_t adopts_until_ns;
	uint16_t ethertypes[JUDGE_ETHERTYPES]; /* host order; 0: none: that pass unjudged */
	/* A connection is over or forgotten; NULL: nobody asks. */
	void (*ended)(const struct tracked *tracked, void *userdata);
	void *userdata;
};

struct judgement {
	enum flow_verdict verdict;
	enum reason reason;
	enum direction direction;   /* whose policy decided */
	const struct ir_rule *rule; /* valid as long as the policies; NULL: none decided */
	uint32_t rule_id;           /* 0: none */
	/* The connection that it is part of, or opened; NULL: none. Valid until the next packet. */
	struct tracked *connection;
	bool opened; /* it did */
	/* The packet is sent by who opened the connection, or would have opened it. */
	bool by_originator;
};

struct judge;

int judge_new(const struct judge_options *options, struct judge **ret);
void judge_free(struct judge *judge);

/* ir is in force from the next packet on; borrowed until another is. generation: another number for
 * another policy, never 0. Connections are judged again on their next packet. */
void judge_set_policy(struct judge *judge, const struct ir *ir, uint64_t generation);

/* A connection that stands already, ends as its originator sends. 0 or -ENOMEM. */
int judge_add_connection(struct judge *judge, const struct packet_ends *ends, uint64_t now_ns);
/* Packets may have been missed: from now on, whoever seems to speak in mid-stream may do so where
 * policy allows it. */
void judge_doubt(struct judge *judge);

/* sender: NULL where it is not known. A packet that is cut before its headers end is allowed: it is
 * not known better. -ENOMEM: judged, but not remembered. */
int judge_packet(struct judge *judge, const struct capture_packet *packet,
	const struct judge_sender *sender, struct judgement *ret);
/* The packet is known to have passed. */
int judge_passed(struct judge *judge, const struct capture_packet *packet, struct judgement *ret);

struct tracker *judge_tracker(struct judge *judge);

/* "allowed: established, SegmentPolicy shop/api ingress[0]": never longer than size; returns text.
 */
const char *judgement_format(const struct judgement *judgement, char *text, size_t size);

static inline void judge_freep(struct judge **judge)
{
	judge_free(*judge);
}
