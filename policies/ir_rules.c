/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "policies/ir_compile.h"

#include "base/cleanup.h"
#include "policies/array.h"

#include <errno.h>

/* FNV-1a, 32 bits (Fowler, Noll, Vo). The trailing NUL is hashed, too: it keeps parts apart. */
#define FNV_OFFSET 2166136261u
#define FNV_PRIME  16777619u

static uint32_t hash_text(uint32_t hash, const char *text)
{
	do
		hash = (hash ^ (uint8_t)*text) * FNV_PRIME;
	while (*text++);
	return hash;
}

/* Rules come in sorted order, so a collision is resolved in the same way everywhere. */
static int choose_id(struct intern *taken, uint32_t hash, uint32_t *ret)
{
	uint32_t number;
	int r;

	hash += !hash;
	while ((r = intern(taken, &hash, sizeof(hash), &number)) == 0) {
		hash++;
		hash += !hash;
	}
	if (r < 0)
		return r;
	*ret = hash;
	return 0;
}

static int add_rule(struct compile *compile, struct intern *taken, const struct ir_rule *rule,
	uint32_t *ret_number)
{
	struct ir *ir = compile->ir;
	const struct document *document = rule->document;
	struct ir_rule *slot = array_append(ir->rules, ir->rules_count);
	uint32_t hash = FNV_OFFSET;
	char index[16];

	if (!slot)
		return -ENOMEM;
	*slot = *rule;
	if (ret_number)
		*ret_number = (uint32_t)(ir->rules_count - 1);
	if (!document)
		return choose_id(taken, (uint32_t)rule->index + 1, &slot->id);
	slot->document = document_reference((struct document *)document);
	hash = hash_text(hash, document_kind_name(document->kind));
	hash = hash_text(hash, document->namespace);
	hash = hash_text(hash, document->name);
	hash = hash_text(hash, direction_name(rule->direction));
	snprintf(index, sizeof(index), "%d", rule->index);
	return choose_id(taken, hash_text(hash, index), &slot->id);
}

static int add_fixed_rules(struct compile *compile, struct intern *taken)
{
	for (int i = 0; i < IR_RULE_FIRST; i++) {
		bool denies = i == IR_RULE_DEFAULT && compile->options->posture == POSTURE_DENY;
		struct ir_rule rule = {
			.tier = TIER_NONE,
			.verdict = denies ? VERDICT_DENY : VERDICT_ALLOW,
			.index = i,
		};

		if (add_rule(compile, taken, &rule, NULL) < 0)
			return -ENOMEM;
	}
	return 0;
}

static int add_written_rules(struct compile *compile, struct intern *taken,
	struct compiled_policy *compiled, enum direction direction)
{
	const struct policy *policy = compiled->policy;
	size_t count = policy->rules_count[direction];

	compiled->rules[direction] = calloc(count + 1, sizeof(struct compiled_rule));
	if (!compiled->rules[direction])
		return -ENOMEM;
	for (size_t i = 0; i < count; i++) {
		const struct policy_rule *source = &policy->rules[direction][i];
		struct compiled_rule *rule = &compiled->rules[direction][i];
		struct ir_rule written = {
			.document = compiled->document,
			.direction = direction,
			.tier = policy->tier,
			.verdict = source->action == POLICY_DENY ? VERDICT_DENY : VERDICT_ALLOW,
			.audit = policy->audit,
			.index = (int)i,
			.line = source->line,
		};

		rule->source = source;
		rule->policy = compiled;
		if (add_rule(compile, taken, &written, &rule->number) < 0)
			return -ENOMEM;
	}
	return 0;
}

static int add_isolation(struct compile *compile, struct intern *taken,
	struct compiled_policy *compiled, enum direction direction)
{
	struct ir_rule isolation = {
		.document = compiled->document,
		.direction = direction,
		.tier = compiled->policy->tier,
		.verdict = VERDICT_DENY,
		.audit = compiled->policy->audit,
		.index = -1,
		.line = compiled->document->line,
	};

	if (!compiled->policy->isolates[direction])
		return 0;
	return add_rule(compile, taken, &isolation, &compiled->isolation[direction]);
}

static int add_policy_rules(
	struct compile *compile, struct intern *taken, struct compiled_policy *compiled)
{
	for (int direction = 0; direction < DIRECTION_COUNT; direction++)
		if (add_written_rules(compile, taken, compiled, (enum direction)direction) < 0)
			return -ENOMEM;
	for (int direction = 0; direction < DIRECTION_COUNT; direction++)
		if (add_isolation(compile, taken, compiled, (enum direction)direction) < 0)
			return -ENOMEM;
	return 0;
}

static int compare_policies(const void *a, const void *b)
{
	const struct document *first = ((const struct compiled_policy *)a)->document;
	const struct document *second = ((const struct compiled_policy *)b)->document;
	int order = (int)first->kind - (int)second->kind;

	if (!order)
		order = strcmp(first->namespace, second->namespace);
	return order ? order : strcmp(first->name, second->name);
}

int compile_rules(
	struct compile *compile, const struct document_list *documents, struct error *error)
{
	_cleanup_(intern_clear) struct intern taken = {0};

	for (size_t i = 0; i < documents->count; i++) {
		struct compiled_policy *slot;

		if (!document_is_policy(documents->items[i]))
			continue;
		slot = array_append(compile->policies, compile->policies_count);
		if (!slot)
			return error_nomem(error);
		slot->document = documents->items[i];
		slot->policy = slot->document->policy;
	}
	if (compile->policies_count)
		qsort(compile->policies, compile->policies_count, sizeof(*compile->policies),
			compare_policies);
	if (add_fixed_rules(compile, &taken) < 0)
		return error_nomem(error);
	for (size_t i = 0; i < compile->policies_count; i++)
		if (add_policy_rules(compile, &taken, &compile->policies[i]) < 0)
			return error_nomem(error);
	return 0;
}

/* Priority counts only where tiers have one: in the application tier all policies are equals. */
int compiled_rule_compare(const struct compiled_rule *a, const struct compiled_rule *b)
{
	const struct policy *first = a->policy->policy, *second = b->policy->policy;
	int order = (int)first->tier - (int)second->tier;

	if (!order && first->tier != TIER_APPLICATION)
		order = first->priority - second->priority;
	if (!order)
		order = (int)first->ordered - (int)second->ordered;
	if (!order && !first->ordered)
		order = (int)a->source->action - (int)b->source->action;
	/* Rules are numbered by kind, namespace, name and index. */
	return order ? order : (a->number > b->number) - (a->number < b->number);
}
