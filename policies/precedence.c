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

static int compare_places(const struct written_rule *a, const struct written_rule *b)
{
	int order = (int)a->document->kind - (int)b->document->kind;

	if (!order)
		order = strcmp(a->document->namespace, b->document->namespace);
	if (!order)
		order = strcmp(a->document->name, b->document->name);
	return order ? order : (a->index > b->index) - (a->index < b->index);
}

bool written_rule_precedes(const struct written_rule *a, const struct written_rule *b)
{
	const struct policy *first = a->document->policy, *second = b->document->policy;
	int order = compare_rank(first, second);

	if (!order)
		order = (int)first->ordered - (int)second->ordered;
	if (!order && !first->ordered)
		order = (int)written_rule_source(a)->action - (int)written_rule_source(b)->action;
	return (order ? order : compare_places(a, b)) < 0;
}
