/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which of two written rules decides where both match. */
#pragma once

#include "policies/document.h"
#include "policies/policy.h"

/* A rule in its place. */
struct written_rule {
	const struct document *document;
	enum direction direction;
	size_t index; /* in the list of its direction */
};

const struct policy_rule *written_rule_source(const struct written_rule *rule);

/* Policies are counted by kind, namespace and name, whatever order they were given in. */
int documents_compare(const struct document *a, const struct document *b);

/* < 0: a is asked before b, of one direction: by tier, by priority in the tiers that have one (in
 * the application tier all policies are equals), then the strictest action or, inside an ordered
 * policy, the first. Ties are broken by name. */
int written_rule_compare(const struct written_rule *a, const struct written_rule *b);
bool written_rule_precedes(const struct written_rule *a, const struct written_rule *b);

/* Tier and priority decide nothing between them: only their actions, or names, do. */
bool policies_are_peers(const struct policy *a, const struct policy *b);
