/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What is in the tables of a data plane, page by page: a table may have a million entries, and
 * whoever asks must neither hold up the agent nor fill its memory. Nothing is remembered between
 * two pages, so an entry that comes or goes meanwhile may be told or not; one that is there all the
 * time is told at least once.
 */
#pragma once

#include "flow/event.h"
#include "policies/ir.h"

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

/* X(SYMBOL, "name"). A data plane has those that say something about it. */
#define DATAPLANE_TABLES(X)               \
	X(ENDPOINTS, "endpoints")         \
	X(ADDRESSES, "addresses")         \
	X(PREFIXES, "prefixes")           \
	X(PEERS, "peers")                 \
	X(PORTS, "ports")                 \
	X(CONNECTIONS, "connections")     \
	X(DENIALS, "denials")             \
	X(FRAGMENTS, "fragments")         \
	X(CHAINS, "chains")               \
	X(SETS, "sets")                   \
	X(INVESTIGATORS, "investigators") \
	X(DENY_RANGES, "deny-ranges")

enum dataplane_table {
#define X(symbol, name) DATAPLANE_##symbol,
	DATAPLANE_TABLES(X)
#undef X
	DATAPLANE_TABLES_COUNT
};

#define DUMP_PAGE_ENTRIES 1024 /* that are looked at for one page */

/* Where the next page begins. All zero: at the beginning. For nobody else to make sense of. */
struct dump_cursor {
	uint8_t phase;
	bool started;
	uint8_t token[32];
};

/* A connection, or a kind of refusal, as the kernel has it now. */
struct dump_flow {
	struct flow_event event; /* counters are those of the entry, not what is new */
	const char *state;       /* static: "established"; NULL: not known */
	uint32_t generation;     /* of policy that decided; 0: not known */
	bool is_current;         /* that is the one in force */
	uint64_t idle_ns;        /* since its last packet */
	uint64_t timeout_ns;     /* idle time after which it is over; 0: not known */
};

struct dump {
	enum dataplane_table table;
	const struct ir *ir; /* in force; what names come from */
	/* connections and denials */
	void (*flow)(const struct dump_flow *flow, void *userdata);
	/* The others; takes entry (NULL: out of memory). Numbers of rules and interfaces are left
	 * for the caller to name: "rule", "ifindex", "address". */
	void (*entry)(json_t *entry, void *userdata);
	void *userdata;
};
