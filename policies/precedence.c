/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "policies/precedence.h"

#include <string.h>

const struct policy_rule *written_rule_source(const struct written_rule *rule)
{
	return &rule->document->policy->rules[rule->direction][rule->index];
}

static int compare_rank(const struct policy *a, const struct policy *b)
{
	int order = (int)a->tier - (int)b->tier;

	return order || a->tier == TIER_APPLICATION ? order : a->priority - b->priority;
}

bool policies_are_peers(const struct policy *a, const struct policy *b)
{
	return compare_rank(a, b) == 0;
}

int documents_compare(const struct document *a, const struct document *b)
{
	int order = (int)a->kind - (int)b->kind;

	if (!order)
		order = strcmp(a->namespace, b->namespace);
	return order ? order : strcmp(a->name, b->name);
}

int written_rule_compare(const struct written_rule *a, const struct written_rule *b)
{
	const struct policy *first = a->document->policy, *second = b->document->policy;
	int order = compare_rank(first, second);

	if (!order)
		order = (int)first->ordered - (int)second->ordered;
	if (!order && !first->ordered)
		order = (int)written_rule_source(a)->action - (int)written_rule_source(b)->action;
	if (!order)
		order = documents_compare(a->document, b->document);
	return order ? order : (a->index > b->index) - (a->index < b->index);
}

bool written_rule_precedes(const struct written_rule *a, const struct written_rule *b)
{
	return written_rule_compare(a, b) < 0;
}
