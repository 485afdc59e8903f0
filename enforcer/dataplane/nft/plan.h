/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * From the rule IR to what the table should hold.
 *
 *	subject           element of egress4/6 and ingress4/6: address -> chain of its peer table
 *	peer table        chain "egress-shop-db-from-api-3f2a91bc0d11" with
 *	                    …-hosts4/6     workloads and nodes that its prefixes do not tell right,
 *	                                   or, where these are fewer, that lead elsewhere than
 *	                                   otherwise: the prefixes are then for others alone
 *	                    node4/6        the node's addresses, of all chains alike, where all of
 *	                                   them lead to one place: hosts are workloads alone then
 *	                    …-prefixes4/6  disjoint intervals
 *	                    otherwise
 *	                  each a map to verdicts, or a set where all of it leads to one place
 *	port table        chain "egress-ports-…" with …-ports, …-icmp, …-icmpv6, otherwise
 *	decision          allow: return, so that the other direction is judged;
 *	                  deny: chain "refuse-egress-<rule id>"
 */
#pragma once

#include "base/error.h"
#include "dataplane/nft/intervals.h"
#include "dataplane/nft/plan_follow.h"
#include "dataplane/nft/ruleset.h"
#include "policies/ir.h"

#include <stdint.h>

/* Addresses that no peer table can tell apart: the same class, and the same by prefix alone. */
struct plan_group {
	uint32_t class;
	uint32_t prefix_class;
	size_t first; /* in plan.order */
	size_t count;
};

/* What all steps of one compilation share. */
struct plan {
	const struct ir *ir;
	struct ruleset *ruleset;
	struct interval_list space[2]; /* by ipv4: classes of all addresses in no table */
	uint32_t *prefix_class;        /* of each ir.addresses: what its prefix says */
	size_t *node;                  /* indexes of ir.addresses that are the node's */
	size_t node_count;
	size_t *order; /* indexes of ir.addresses, by group */
	struct plan_group *groups;
	size_t groups_count;
	struct target *ports[DIRECTION_COUNT]; /* by port table; code TARGET_NONE: not made yet */
	struct plan_table *tables;             /* by peer table */
	bool apart;                            /* some chain asks whether the IR knows an address */
	bool asks_node;                        /* some chain asks whether it is the node */
	bool irregular;                        /* as in plan_follow.h */
};

/* Fills an empty ruleset. ret_memory, for plan_follow(), may be NULL. 0, -ENOMEM or -EINVAL (the IR
 * contradicts itself), with error. */
int plan_build(const struct ir *ir, struct ruleset *ret, struct plan_memory *ret_memory,
	struct error *error);
/* The same for the node itself: the maps from address family to chain instead of those from
 * subjects. */
int plan_build_host(const struct ir *ir, struct ruleset *ret, struct error *error);

/* Where a decision, a port table or a peer table of that direction leads; makes the chain. */
int plan_decision(struct plan *plan, enum direction direction, const struct decision *decision,
	struct target *ret);
int plan_port_table(
	struct plan *plan, enum direction direction, uint32_t index, struct target *ret);
int plan_peer_table(struct plan *plan, uint32_t index, struct target *ret);

/* Elements of the maps of a port table; targets as plan_decision() gives them. Pure. */
struct port_elements {
	struct element_list ports;
	struct element_list icmp[2]; /* by ipv4 */
	bool ranges;                 /* some element of ports is more than one port */
};
int port_elements_add(
	struct port_elements *elements, const struct ir_port_range *range, struct target target);
void port_elements_clear(struct port_elements *elements);

/* Writes a chain of a plan with its rules. Its sets must be there. */
int plan_write_chain(struct batch *batch, const struct ir *ir, const struct ruleset *ruleset,
	const struct ruleset_chain *chain, uint16_t nflog_group);
