/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What is in the table, or should be: chains and sets by name. What a policy makes of a chain and
 * of the sets that only it uses is part of its name (as a hash), so equal names mean equal contents
 * and nothing that packets may be looking at is ever rewritten. Only maps from addresses change.
 */
#pragma once

#include "base/hash.h"
#include "dataplane/nft/element.h"
#include "dataplane/nft/set.h"
#include "policies/ir.h"

#include <stdbool.h>
#include <stdint.h>

enum chain_kind {
	CHAIN_PEERS,   /* of a peer table: index counts in ir.peer_tables */
	CHAIN_PORTS,   /* of a port table: index counts in ir.port_tables */
	CHAIN_REFUSAL, /* of a rule: index counts in ir.rules */
};

struct ruleset_chain {
	uint64_t id; /* identity of its name */
	char *name;
	enum chain_kind kind;
	enum direction direction;
	uint32_t index;     /* in the IR that the ruleset was made from */
	bool reject;        /* CHAIN_REFUSAL */
	bool apart;         /* CHAIN_PEERS: its prefixes are not for addresses that the IR knows */
	struct target node; /* CHAIN_PEERS: where the node is led, which is not among the hosts
			       then; code TARGET_NONE: its addresses are as any other */
	struct target otherwise;
	uint64_t retired_ns; /* in the kernel, not needed any more since; 0: needed */
	UT_hash_handle hh;
};

struct ruleset_set {
	char *name;
	struct shape shape;
	struct target
		target; /* of what is in it, where that is the same for all; else TARGET_NONE */
	bool mutable;   /* elements come and go; else they are what the name says */
	struct element_list elements;
	uint64_t retired_ns;
	UT_hash_handle hh;
};

struct ruleset {
	struct ruleset_chain *chains;
	struct ruleset_set *sets;
};

/* FNV-1a, 64 bits. */
#define IDENTITY_START UINT64_C(0xcbf29ce484222325)
uint64_t identity_add(uint64_t identity, const void *bytes, size_t size);
uint64_t identity_add_number(uint64_t identity, uint64_t number);
uint64_t identity_add_text(uint64_t identity, const char *text);
uint64_t identity_add_target(uint64_t identity, struct target target);

/* Copies name. NULL: out of memory. The name must not be there. */
struct ruleset_chain *ruleset_add_chain(struct ruleset *ruleset, const char *name);
struct ruleset_set *ruleset_add_set(
	struct ruleset *ruleset, const char *name, const struct shape *shape, bool mutable);

/* Takes elements. Where all lead to one place, the set is a plain one and its target tells; else it
 * is a map to verdicts. Plain sets cost the kernel less: whenever a rule or an element that leads
 * to a chain is added, it looks through all maps of the table for loops. */
void ruleset_set_fill(struct ruleset_set *set, struct element_list *elements);

struct ruleset_chain *ruleset_find_chain(const struct ruleset *ruleset, uint64_t id);
struct ruleset_set *ruleset_find_set(const struct ruleset *ruleset, const char *name);
/* Those of the same name as one of another ruleset, by the hash that this one has of it. */
struct ruleset_chain *ruleset_find_same_chain(
	const struct ruleset *ruleset, const struct ruleset_chain *other);
struct ruleset_set *ruleset_find_same_set(
	const struct ruleset *ruleset, const struct ruleset_set *other);
/* As chain_name_fn; userdata is the ruleset. "" for what is not there. */
const char *ruleset_chain_name(uint64_t id, void *ruleset);

void ruleset_remove_chain(struct ruleset *ruleset, struct ruleset_chain *chain);
void ruleset_remove_set(struct ruleset *ruleset, struct ruleset_set *set);
void ruleset_clear(struct ruleset *ruleset);
