/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "policies/ir_compile.h"

#include "policies/array.h"

#include <errno.h>

void rule_list_clear(struct rule_list *list)
{
	free(list->rules);
	free(list->policies);
}

static int add_policy(struct rule_list *list, const struct compiled_policy *compiled)
{
	size_t count = compiled->policy->rules_count[list->direction];
	const struct compiled_policy **policy;

	if (!count && !compiled->policy->isolates[list->direction])
		return 0;
	policy = array_append(list->policies, list->policies_count);
	if (!policy)
		return -ENOMEM;
	*policy = compiled;
	for (size_t i = 0; i < count; i++) {
		const struct compiled_rule **rule = array_append(list->rules, list->rules_count);

		if (!rule)
			return -ENOMEM;
		*rule = &compiled->rules[list->direction][i];
	}
	return 0;
}

static int compare_rules(const void *a, const void *b)
{
	return compiled_rule_compare(
		*(const struct compiled_rule *const *)a, *(const struct compiled_rule *const *)b);
}

/* Ready to be used: policies by name, rules in the order in which they decide. */
static void sort_list(struct rule_list *list)
{
	if (list->policies_count)
		qsort(list->policies, list->policies_count, sizeof(struct compiled_policy *),
			compiled_policy_compare);
	if (list->rules_count)
		qsort(list->rules, list->rules_count, sizeof(const struct compiled_rule *),
			compare_rules);
}

bool compiled_policy_selects(const struct compiled_policy *compiled, const struct shape *shape)
{
	if (!shape || compiled->policy->host)
		return !shape && compiled->policy->host;
	return policy_workloads_match(&compiled->policy->subject, shape->workload.namespace,
		&shape->namespace_labels, &shape->workload.labels);
}

int rule_list_fill(struct rule_list *list, const struct compile *compile, const struct shape *shape)
{
	for (size_t i = 0; i < compile->policies_count; i++)
		if (compiled_policy_selects(compile->policies[i], shape) &&
			add_policy(list, compile->policies[i]) < 0)
			return -ENOMEM;
	sort_list(list);
	return 0;
}

int rule_list_follow(struct rule_list *list, const struct rule_list *former,
	struct compiled_policy *const *added, size_t added_count, const struct shape *shape)
{
	for (size_t i = 0; i < former->policies_count; i++)
		if (!former->policies[i]->gone && add_policy(list, former->policies[i]) < 0)
			return -ENOMEM;
	for (size_t i = 0; i < added_count; i++)
		if (compiled_policy_selects(added[i], shape) && add_policy(list, added[i]) < 0)
			return -ENOMEM;
	sort_list(list);
	return 0;
}

bool rule_list_has_gone(const struct rule_list *list)
{
	for (size_t i = 0; i < list->policies_count; i++)
		if (list->policies[i]->gone)
			return true;
	return false;
}
