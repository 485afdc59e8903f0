/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A node of three workloads for the programs of xdp/: the skeleton loaded unpinned, tables filled
 * by hand, frames sent through BPF_PROG_TEST_RUN. Needs root; lives in its own network namespace.
 *
 *   web, api, intruder: local workloads, each with an address of both families
 *   host: the node; internet: whatever no address names
 */
#pragma once

#include "base/error.h"
#include "frame.h"
#include "xdp/abi.h"
#include "xdp/reasons.h"

#include <stdbool.h>
#include <stdint.h>

#define WORLD_RULES_MAX 64
#define WORLD_ETHERTYPE 0x88b5     /* that the configuration lets pass */
#define WORLD_PASS      UINT32_MAX /* TC_ACT_UNSPEC */
#define WORLD_REFUSE    2U         /* TC_ACT_SHOT */
#define WORLD_ANSWER    7U         /* TC_ACT_REDIRECT: refused, and sent back */

/* Identities and classes of the ends; an end's class is its identity, which is enough for tests. */
enum world_identity {
	WORLD_WEB = 1,
	WORLD_API,
	WORLD_INTRUDER,
	WORLD_HOST,
	WORLD_INTERNET_V4,
	WORLD_INTERNET_V6,
	WORLD_IDENTITIES
};

/* What a subject decides about a peer: port 0 with length 0 is every port of the protocol. */
struct world_rule {
	uint32_t subject; /* enum world_identity */
	enum abi_direction direction;
	uint32_t peer;
	uint8_t protocol; /* enum abi_protocol_index */
	uint16_t port;
	uint8_t length; /* prefix bits of port */
	struct abi_decision decision;
};

struct world_events {
	size_t count[ABI_EVENT_DENIED + 1]; /* by enum abi_event_type, since the last look */
	struct abi_event last[ABI_EVENT_DENIED + 1];
};

struct segd_bpf;
struct ring_buffer;

struct world {
	struct segd_bpf *skeleton;
	struct ring_buffer *ring;
	struct world_events events;
	bool ipv6; /* which addresses the ends below have */
	struct end web, api, intruder, host, internet;
	uint32_t generation;
	bool isolated[WORLD_IDENTITIES][ABI_DIRECTIONS];
	struct abi_decision otherwise[WORLD_IDENTITIES][ABI_DIRECTIONS];
	struct world_rule rules[WORLD_RULES_MAX];
	size_t rules_count;
};

/* 0: as small as tests want it, and as the programs have it. */
struct world_options {
	uint32_t connections_max;
	uint64_t udp_ns;
	uint32_t share; /* connections that one workload may have */
	uint32_t denials_share;
	uint32_t samples; /* in a second; 0: none, as the programs have it */
	uint32_t sampled_connections;
};

/* Enters a new network namespace, for good. options NULL: all zero. */
int world_open(struct world *world, const struct world_options *options, struct error *error);
void world_close(struct world *world);

/* Everything forgotten, nobody isolated, generation 1 in force. */
int world_reset(struct world *world, bool ipv6, struct error *error);

/* Isolates a subject: what no rule decides is refused (or whatever otherwise says). */
void world_isolate(struct world *world, const struct end *subject, enum abi_direction direction,
	struct abi_decision otherwise);
void world_rule(struct world *world, struct world_rule rule);
void world_forget_policy(struct world *world);
/* Builds the next generation's tables and swaps. */
int world_apply(struct world *world, struct error *error);

/* More rules that decide nothing here, for the generation in force. */
int world_fill_rules(struct world *world, size_t count, struct error *error);

/* Where the frame is seen: leaving (egress) or entering (ingress) the workload at end. */
int world_send(struct world *world, const struct frame *frame, enum abi_direction hook,
	uint32_t ifindex, uint32_t *ret_verdict);
/* The same, with a mark on the packet; what became of both comes back in frame and mark. */
int world_send_marked(struct world *world, struct frame *frame, enum abi_direction hook,
	uint32_t ifindex, uint32_t *mark, uint32_t *ret_verdict);

uint64_t world_counter(const struct world *world, enum reason reason, enum abi_direction hook,
	uint64_t *ret_bytes);
uint64_t world_loss(const struct world *world, enum abi_loss loss);
/* -ENOENT. The connection of these ends and ports, either way round. */
int world_connection(const struct world *world, const struct frame_description *description,
	struct abi_connection_key *ret_key, struct abi_connection *ret);
int world_set_connection(const struct world *world, const struct abi_connection_key *key,
	const struct abi_connection *connection);
/* What the end takes of the connection table, as it is counted. */
struct abi_share world_share(const struct world *world, const struct end *end);
uint64_t world_hits(const struct world *world, uint32_t rule);
size_t world_connections_count(const struct world *world);
/* -ENOENT. The only entry with this reason; or the one of the hook and ifindex that *ret_key brings
 * along, unless its ifindex is 0. */
int world_denial(const struct world *world, enum reason reason, struct abi_denial_key *ret_key,
	struct abi_denial *ret);
size_t world_denials_count(const struct world *world);
int world_set_endpoint(
	const struct world *world, const struct end *end, const struct abi_endpoint *endpoint);
int world_get_endpoint(const struct world *world, const struct end *end, struct abi_endpoint *ret);
int world_set_address(
	const struct world *world, const struct address *address, const struct abi_address *value);
/* What the ring buffer has brought since the last call. */
struct world_events world_take_events(struct world *world);
/* CLOCK_BOOTTIME. */
uint64_t world_now_ns(void);
