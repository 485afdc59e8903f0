/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One kind of refusal: who, whom, what, why, and how much of it was reported. */
#pragma once

#include "base/hash.h"
#include "dataplane/nft/element.h"
#include "dataplane/nft/nflog.h"
#include "dataplane/nft/refusal.h"
#include "flow/event.h"
#include "policies/ir.h"

#include <stdbool.h>
#include <stdint.h>

/* The element that counts it; set REFUSAL_SETS: nothing in the kernel does. */
struct denial_key {
	uint32_t set;
	uint8_t bytes[ELEMENT_KEY_MAX];
};

struct denial {
	struct denial_key key;
	struct flow_event event; /* as last reported; counters are left to the reporter */
	uint64_t packets;        /* reported */
	uint64_t bytes;
	uint64_t pending_packets; /* of set REFUSAL_SETS: seen, not reported yet */
	uint64_t pending_bytes;
	uint64_t active_ns; /* monotonic: when the counter last moved */
	UT_hash_handle hh;
};

/* What a log prefix says. */
struct denial_prefix {
	bool adopt;
	enum reason reason;
	enum direction direction; /* DIRECTION_COUNT: not said */
	uint32_t rule;            /* 0: not said */
};

/* -EINVAL: not ours. Pure. */
int denial_parse_prefix(const char *text, struct denial_prefix *ret);

/* The element that the kernel's rules would count this packet in. Pure. */
struct denial_key denial_key_of_packet(const struct nflog_packet *packet, enum reason reason);

/* Both: the key's addresses and ports, and whatever is known beyond. now_ns: CLOCK_REALTIME. */
void denial_from_packet(struct denial *denial, const struct nflog_packet *packet,
	const struct denial_prefix *prefix, uint64_t now_ns);
void denial_from_key(struct denial *denial, const struct denial_key *key, uint64_t now_ns);

/* Fills direction and rule from policy, where the log did not say them. ir may be NULL. */
void denial_explain(struct denial *denial, const struct ir *ir);
