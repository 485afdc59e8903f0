/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "policies/policy.h"

#include <stdlib.h>
#include <string.h>

struct policy *policy_new(void)
{
	return calloc(1, sizeof(struct policy));
}

void policy_workloads_clear(struct policy_workloads *workloads)
{
	selector_clear(&workloads->labels);
	selector_clear(&workloads->namespaces);
	free(workloads->namespace);
}

static void rule_clear(struct policy_rule *rule)
{
	for (size_t i = 0; i < rule->peers_count; i++) {
		policy_workloads_clear(&rule->peers[i].workloads);
		free(rule->peers[i].except);
	}
	for (size_t i = 0; i < rule->ports_count; i++)
		free(rule->ports[i].name);
	free(rule->peers);
	free(rule->ports);
}

static void rules_free(struct policy_rule *rules, size_t count)
{
	for (size_t i = 0; i < count; i++)
		rule_clear(&rules[i]);
	free(rules);
}

void policy_drop_rules(struct policy *policy, enum direction direction)
{
	rules_free(policy->unused[direction], policy->unused_count[direction]);
	policy->unused[direction] = policy->rules[direction];
	policy->unused_count[direction] = policy->rules_count[direction];
	policy->rules[direction] = NULL;
	policy->rules_count[direction] = 0;
}

void policy_free(struct policy *policy)
{
	if (!policy)
		return;
	policy_workloads_clear(&policy->subject);
	for (int direction = 0; direction < DIRECTION_COUNT; direction++) {
		rules_free(policy->rules[direction], policy->rules_count[direction]);
		rules_free(policy->unused[direction], policy->unused_count[direction]);
	}
	free(policy);
}

bool policy_workloads_match(const struct policy_workloads *workloads, const char *namespace,
	const struct labels *namespace_labels, const struct labels *labels)
{
	if (workloads->namespace ? strcmp(workloads->namespace, namespace) != 0
				 : !selector_matches(&workloads->namespaces, namespace_labels))
		return false;
	return selector_matches(&workloads->labels, labels);
}
