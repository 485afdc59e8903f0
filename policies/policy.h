/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The one normal form that all policy kinds become: what a document means, with its defaults made
 * explicit, before it is resolved against a model.
 */
#pragma once

#include "base/address.h"
#include "policies/ir.h"
#include "policies/selector.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* In the order in which they decide among rules of one priority. */
enum policy_action {
	POLICY_DENY,
	POLICY_ALLOW,
	POLICY_PASS
};

enum policy_entity {
	ENTITY_ALL,  /* every address */
	ENTITY_HOST, /* the node's own addresses */
	ENTITY_WORLD /* neither a workload nor the node */
};

/* Where in the document's file; as in struct location. */
struct policy_place {
	unsigned int line;
	unsigned int column;
};

/* Workloads by label, in one namespace or in those that a selector takes. */
struct policy_workloads {
	struct selector labels;
	char *namespace; /* NULL: namespaces decides */
	struct selector namespaces;
};

enum policy_peer_kind {
	PEER_WORKLOADS,
	PEER_CIDR,
	PEER_ENTITY,
	PEER_NODES, /* of the cluster, by label: workloads.labels */
};

struct policy_peer {
	enum policy_peer_kind kind;
	struct policy_workloads workloads;
	struct prefix cidr;
	struct prefix *except;
	size_t except_count;
	enum policy_entity entity;
	struct policy_place place;
};

struct policy_port {
	uint8_t protocol; /* IPPROTO_* */
	char *name;       /* NULL: first..last */
	uint16_t first;
	uint16_t last;
	bool range; /* written as one, be it of a single port */
	struct policy_place place;
};

struct policy_rule {
	struct policy_peer *peers; /* none: every peer */
	size_t peers_count;
	bool peers_empty;          /* written as a list without items */
	struct policy_port *ports; /* none: every protocol and port */
	size_t ports_count;
	enum policy_action action;
	bool log;
	bool reject;
	unsigned int line;
	unsigned int column;
};

struct policy {
	enum tier tier;
	int priority; /* inside the admin and baseline tiers, lower first */
	bool audit;
	bool ordered; /* the first matching rule of this policy decides, not the strictest */
	bool host;    /* the subject is the node itself, and subject says nothing */
	struct policy_workloads subject;
	struct policy_place subject_place;
	bool isolates[DIRECTION_COUNT];
	bool reject[DIRECTION_COUNT]; /* answer what isolation refuses */
	struct policy_rule *rules[DIRECTION_COUNT];
	size_t rules_count[DIRECTION_COUNT];
	/* Rules that policyTypes leaves out. They mean nothing, which has to be explained. */
	struct policy_rule *unused[DIRECTION_COUNT];
	size_t unused_count[DIRECTION_COUNT];
};

struct policy *policy_new(void);
void policy_free(struct policy *policy);
void policy_workloads_clear(struct policy_workloads *workloads);
/* Moves the rules of a direction to the unused ones. */
void policy_drop_rules(struct policy *policy, enum direction direction);

bool policy_workloads_match(const struct policy_workloads *workloads, const char *namespace,
	const struct labels *namespace_labels, const struct labels *labels);

static inline void policy_freep(struct policy **policy)
{
	policy_free(*policy);
}
