/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Why a connection was refused, seen from the rule that came closest to allowing it: which of its
 * conditions did not hold. A pure function over documents, model and IR.
 *
 * Distance. Each allow rule of the refusing direction is held against the connection, condition by
 * condition: subject (namespace, each requirement on the namespace's labels and on its own), peer
 * (the same, or CIDR and except, entity, nodes), port (protocol; number or name), and what may keep
 * a rule that matches from deciding (policyTypes, audit mode, a rule that comes first). Of several
 * peers and of several ports of a rule the nearest one counts. A rule is nearer when fewer of its
 * conditions fail; among equals when what fails is smaller, by the weights of near_miss.c: slips (a
 * label mistyped, a range off by one, a wrong protocol, a policy in the wrong namespace) before
 * plain differences (another number, another label); then in the order of the documents.
 *
 * A policy in the wrong namespace counts as one failed condition, though its peers without a
 * namespace of their own go wrong with it.
 *
 * Where a written rule at the other end lets the connection through, and no rule at this end speaks
 * of it, then this end was forgotten: that is nearer than any rule that fails two conditions.
 */
#pragma once

#include "policies/evaluate.h"
#include "policies/model.h"
#include "policies/policy.h"

enum unmet_kind {
	UNMET_POLICY_NAMESPACE, /* the policy is in another namespace than its subject */
	UNMET_DIRECTION,        /* policyTypes leaves the rule's direction out */
	UNMET_MODE,             /* the policy only audits */
	UNMET_PRECEDENCE,       /* another rule, or isolation by a higher tier, decides first */
	UNMET_RULE,             /* there is no rule at all, this end was forgotten */
	UNMET_NAMESPACE,        /* the peer is in another namespace */
	UNMET_NAMESPACE_LABELS,
	UNMET_LABELS,
	UNMET_CIDR,
	UNMET_EXCEPT, /* in the CIDR, but in an exception */
	UNMET_ENTITY,
	UNMET_NODES,
	UNMET_PROTOCOL,
	UNMET_PORT,
	UNMET_PORT_NAME,
	UNMET_COUNT
};

/* "namespace-labels", … */
const char *unmet_kind_name(enum unmet_kind kind);

struct unmet {
	enum unmet_kind kind;
	bool subject;  /* the policy's subject failed it, not the peer or the port */
	char *message; /* both sides of it: "namespace shop has team=payments, …" */
};

struct near_miss {
	enum direction direction;
	const struct document *document; /* NULL: no policy has a rule that allows */
	int index;                       /* of the rule; -1: none, the policy is at fault */
	bool unused;                     /* the index counts rules that policyTypes leaves out */
	unsigned int line;
	struct unmet *unmet; /* at least one */
	size_t unmet_count;
	unsigned int weight; /* of all unmet conditions together */
};

/*
 * The nearest rule for a direction that evaluation refuses or audits. The result borrows from
 * documents. 0, -ENOENT (that direction neither refuses nor audits), -ENOMEM.
 */
int near_miss_find(const struct document_list *documents, const struct model *model,
	const struct ir *ir, const struct flow_query *query, const struct evaluation *evaluation,
	enum direction direction, struct near_miss *ret);
void near_miss_clear(struct near_miss *near_miss);
