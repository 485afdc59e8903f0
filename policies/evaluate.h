/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The reference evaluator: what is right for one connection, by the IR alone. */
#pragma once

#include "policies/ir.h"

struct flow_query {
	struct address source;
	struct address destination;
	uint8_t protocol;
	uint16_t port; /* destination port; ICMP: type << 8 | code */
};

struct evaluation {
	enum verdict verdict; /* both directions together */
	enum direction
		direction;      /* where refused or audited: the direction that did, egress first */
	struct decision egress; /* IR_RULE_DEFAULT and allow where the source is no subject */
	struct decision ingress;
};

struct evaluation evaluate(const struct ir *ir, const struct flow_query *query);

/* The class of an address: workloads' and the node's own first, then the longest prefix. */
uint32_t evaluate_class(const struct ir *ir, const struct address *address);
struct decision evaluate_port_table(
	const struct ir_port_table *table, uint8_t protocol, uint16_t port);
