/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The rule IR: what policies mean for the workloads of a model, in a form that the evaluator and
 * both data planes consume as it stands. Immutable once compiled.
 *
 *   subject (a workload in one direction) ── peer table
 *   peer table [ class of the peer's address ] ── port table
 *   port table [ protocol, port ] ── decision
 *
 * A class is a set of addresses that no selector, CIDR, entity or named port of the policies in
 * force can tell apart. Workloads under the same policies share peer tables; equal port tables
 * exist once. So the size is bounded by distinct selectors and label sets, not by addresses.
 *
 * A connection is allowed when the egress peer table of its source (if the source is a subject) and
 * the ingress peer table of its destination (if that is one) both say so. Only local workloads are
 * subjects, and the node itself in a direction that some policy with subject entity:host speaks of.
 * A workload always reaches itself, and so does the node. Where no rule about the node decides, it
 * is allowed, whatever the default posture: that is for workloads. The node reaches its workloads,
 * but not one in quarantine.
 */
#pragma once

#include "base/address.h"
#include "base/error.h"
#include "policies/document.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

struct model;

enum direction {
	DIRECTION_INGRESS,
	DIRECTION_EGRESS,
	DIRECTION_COUNT
};
enum verdict {
	VERDICT_ALLOW,
	VERDICT_DENY
};
enum posture {
	POSTURE_ALLOW,
	POSTURE_DENY,
	POSTURE_AUDIT
};
enum tier {
	TIER_NONE,
	TIER_QUARANTINE,
	TIER_ADMIN,
	TIER_APPLICATION,
	TIER_BASELINE
};

const char *direction_name(enum direction direction); /* "ingress", "egress" */
const char *verdict_name(enum verdict verdict);       /* "allow", "deny" */
const char *tier_name(enum tier tier);                /* "admin", …; "default" for TIER_NONE */

enum decision_flags {
	DECISION_LOG = 1 << 0,    /* the rule asks for a record of each connection */
	DECISION_REJECT = 1 << 1, /* answer a refused packet instead of dropping it */
	DECISION_AUDIT = 1 << 2,  /* allowed, but a policy in audit mode would have refused it */
};

struct decision {
	enum verdict verdict;
	unsigned int flags; /* enum decision_flags */
	uint32_t rule; /* index into ir.rules; with DECISION_AUDIT the rule that would refuse */
};

/* The first rules of every IR stand for what no document wrote. */
enum {
	IR_RULE_DEFAULT, /* no policy selects the subject: the agent's default posture */
	IR_RULE_NODE,    /* the node reaches its own workloads */
	IR_RULE_SELF,    /* a workload reaches itself */
	IR_RULE_FIRST,   /* the first one that a policy wrote */
};

/* The fixed rules' ids are 1 to IR_RULE_FIRST on every node. */
static inline bool ir_rule_id_is_written(uint32_t id)
{
	return id > IR_RULE_FIRST;
}

/* Behind a policy's own rules stands one entry for each direction that it isolates, index -1: "no
 * rule of this policy allows". A denial by isolation names the first such policy. */
struct ir_rule {
	uint32_t id; /* the same for the same kind, namespace, name, direction and index on every
			node and after every restart; unique within an IR; 0: this number is
			not in use, and nothing else is set */
	const struct document *document; /* reference held; NULL for the fixed rules */
	enum direction direction;
	enum tier tier;
	enum verdict verdict;
	bool audit;
	int index; /* position in the document's ingress or egress list, from 0 */
	unsigned int line;
};

/* first..last of one protocol. ICMP and ICMPv6: type << 8 | code. */
struct ir_port_range {
	uint8_t protocol; /* IPPROTO_TCP, _UDP, _SCTP, _ICMP, _ICMPV6 */
	uint16_t first;
	uint16_t last;
	struct decision decision;
};

struct ir_port_table {
	struct ir_port_range *ranges; /* by protocol, first; disjoint */
	size_t ranges_count;
	struct decision otherwise; /* what no range covers, and every other protocol */
};

struct ir_peer {
	uint32_t class;
	uint32_t port_table; /* index */
};

struct ir_peer_table {
	enum direction direction;
	struct ir_peer *peers; /* by class */
	size_t peers_count;
	uint32_t otherwise; /* port table of every class that is not listed */
	char *name;         /* the policies behind it, for people: "shop/db-from-api+2" */
};

/* One for each address of a workload or of the node. */
struct ir_address {
	struct address address;
	int64_t workload; /* index into the model's workloads; -1: the node itself */
	uint32_t class;
};

/* The class of addresses that are in no ir_address, by longest prefix. 0.0.0.0/0 and ::/0 are
 * always there. */
struct ir_prefix {
	struct prefix prefix;
	uint32_t class;
};

struct ir_subject {
	/* Index; IR_PEER_TABLE_NONE for remote ones, and for the node where policies are silent.
	 * Workloads and the node never share one. */
	uint32_t peer_table[DIRECTION_COUNT];
};

#define IR_PEER_TABLE_NONE UINT32_MAX

static inline bool ir_subject_is_bound(const struct ir_subject *subject)
{
	return subject->peer_table[DIRECTION_INGRESS] != IR_PEER_TABLE_NONE ||
	       subject->peer_table[DIRECTION_EGRESS] != IR_PEER_TABLE_NONE;
}

struct ir {
	struct ir_rule *rules;
	size_t rules_count;
	struct ir_port_table *port_tables;
	size_t port_tables_count;
	struct ir_peer_table *peer_tables;
	size_t peer_tables_count;
	struct ir_address *addresses; /* by address */
	size_t addresses_count;
	struct ir_prefix *prefixes; /* by address, shorter first */
	size_t prefixes_count;
	struct ir_subject *subjects; /* one for each of the model's workloads, same index */
	size_t subjects_count;
	struct ir_subject host; /* the node: addresses whose workload is -1 */
	char **class_names; /* what is in it, for people: "app=api,env=prod @shop", "10.0.0.0/8"; ""
			       for a number that is not in use */
	size_t classes_count;
	struct ir_shared *shared; /* private: owner of all but addresses and subjects, or NULL */
};

struct ir_options {
	enum posture posture;
	bool restrict_node; /* true: policies also bind what the node sends to its own workloads */
};

/*
 * Resolves the policies among documents against the model. Pods and Namespaces among the documents
 * are passed over: they belong in the model. The same input gives the same IR on every machine,
 * whatever order the documents come in. 0, -ENOMEM, -E2BIG (a bound of the IR, named in error).
 */
int ir_compile(const struct document_list *documents, const struct model *model,
	const struct ir_options *options, struct ir **ret, struct error *error);
void ir_free(struct ir *ir);

/*
 * The same, again and again: an ir_compiler keeps what it has worked out, so that a few workloads
 * added, changed or removed in a copy of the former model (model_copy()), and a few policies that
 * come, go or change, cost what they touch. Numbers of classes, rules and tables stay as they are
 * then, and what does not change is shared between the IRs: the same memory means the same content.
 * An IR may hold tables that no subject has any more, and numbers that are not in use. Anything
 * else that changes is compiled anew; so the result always says the same as ir_compile(), and both
 * dumps are equal.
 */
struct ir_compiler;

int ir_compiler_new(struct ir_compiler **ret);
/* As ir_compile(). Keeps references to the documents and to model, which is finished. After a
 * failure the compiler is as good as new. */
int ir_compiler_update(struct ir_compiler *compiler, const struct document_list *documents,
	struct model *model, const struct ir_options *options, struct ir **ret,
	struct error *error);
/* IRs that it made live on. */
void ir_compiler_free(struct ir_compiler *compiler);

static inline void ir_compiler_freep(struct ir_compiler **compiler)
{
	ir_compiler_free(*compiler);
}

/* Stable text for golden tests and people: IRs that say the same have the same. 0 or -ENOMEM. */
int ir_dump(const struct ir *ir, const struct model *model, FILE *stream);

const struct ir_rule *ir_find_rule(const struct ir *ir, uint32_t id);
/* "SegmentPolicy shop/db-from-api ingress[0]", "no rule of NetworkPolicy shop/db allows",
 * "quarantined: REASON", "default posture". Never longer than size; returns text. */
const char *ir_rule_format(const struct ir_rule *rule, char *text, size_t size);

static inline void ir_freep(struct ir **ir)
{
	ir_free(*ir);
}
