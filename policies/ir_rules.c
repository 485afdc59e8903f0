/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "policies/ir_compile.h"

#include "base/cleanup.h"
#include "policies/array.h"
#include "policies/precedence.h"

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

static uint32_t id_hash(const struct ir_rule *rule)
{
	const struct document *document = rule->document;
	uint32_t hash = FNV_OFFSET;
	char index[16];

	if (!document)
		return (uint32_t)rule->index + 1;
	hash = hash_text(hash, document_kind_name(document->kind));
	hash = hash_text(hash, document->namespace);
	hash = hash_text(hash, document->name);
	hash = hash_text(hash, direction_name(rule->direction));
	snprintf(index, sizeof(index), "%d", rule->index);
	return hash_text(hash, index);
}

static int add_rule(struct compile *compile, const struct ir_rule *rule, uint32_t *ret_number)
{
	struct ir *ir = compile->ir;
	struct ir_rule *slot = array_append(ir->rules, ir->rules_count);
	uint32_t hash = id_hash(rule);

	if (!slot)
		return -ENOMEM;
	*slot = *rule;
	if (slot->document)
		document_reference((struct document *)slot->document);
	*ret_number = (uint32_t)(ir->rules_count - 1);
	if (choose_id(&compile->rule_ids, hash, &slot->id) < 0)
		return -ENOMEM;
	compile->rule_ids_collide |= slot->id != hash;
	return 0;
}

static int add_fixed_rules(struct compile *compile)
{
	for (int i = 0; i < IR_RULE_FIRST; i++) {
		bool denies = i == IR_RULE_DEFAULT && compile->options->posture == POSTURE_DENY;
		struct ir_rule rule = {
			.tier = TIER_NONE,
			.verdict = denies ? VERDICT_DENY : VERDICT_ALLOW,
			.index = i,
		};
		uint32_t number;

		if (add_rule(compile, &rule, &number) < 0)
			return -ENOMEM;
	}
	return 0;
}

static int add_written_rules(
	struct compile *compile, struct compiled_policy *compiled, enum direction direction)
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
		rule->direction = direction;
		if (add_rule(compile, &written, &rule->number) < 0)
			return -ENOMEM;
	}
	return 0;
}

static int add_isolation(
	struct compile *compile, struct compiled_policy *compiled, enum direction direction)
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
	return add_rule(compile, &isolation, &compiled->isolation[direction]);
}

int compile_add_rules(struct compile *compile, struct compiled_policy *compiled)
{
	for (int direction = 0; direction < DIRECTION_COUNT; direction++)
		if (add_written_rules(compile, compiled, (enum direction)direction) < 0)
			return -ENOMEM;
	for (int direction = 0; direction < DIRECTION_COUNT; direction++)
		if (add_isolation(compile, compiled, (enum direction)direction) < 0)
			return -ENOMEM;
	return 0;
}

static void drop_rule(struct compile *compile, uint32_t number)
{
	struct ir_rule *rule = &compile->ir->rules[number];

	intern_remove(&compile->rule_ids, &rule->id, sizeof(rule->id));
	document_release((struct document *)rule->document);
	*rule = (struct ir_rule){0};
	compile->rules_gone++;
}

void compile_drop_rules(struct compile *compile, const struct compiled_policy *compiled)
{
	for (int direction = 0; direction < DIRECTION_COUNT; direction++) {
		for (size_t i = 0; i < compiled->policy->rules_count[direction]; i++)
			drop_rule(compile, compiled->rules[direction][i].number);
		if (compiled->policy->isolates[direction])
			drop_rule(compile, compiled->isolation[direction]);
	}
}

int compiled_policy_compare(const void *a, const void *b)
{
	const struct compiled_policy *const *first = a, *const *second = b;

	return documents_compare((*first)->document, (*second)->document);
}

int compiled_policy_new(
	struct compile *compile, struct document *document, struct compiled_policy **ret)
{
	struct compiled_policy *compiled = calloc(1, sizeof(*compiled));

	if (!compiled)
		return -ENOMEM;
	compiled->serial = compile->serials++;
	compiled->document = document_reference(document);
	compiled->policy = document->policy;
	*ret = compiled;
	return 0;
}

void compiled_policy_free(struct compiled_policy *compiled)
{
	for (int direction = 0; direction < DIRECTION_COUNT; direction++)
		free(compiled->rules[direction]);
	document_release(compiled->document);
	free(compiled);
}

int compile_rules(
	struct compile *compile, const struct document_list *documents, struct error *error)
{
	for (size_t i = 0; i < documents->count; i++) {
		struct compiled_policy *compiled, **slot;

		if (!document_is_policy(documents->items[i]))
			continue;
		if (compiled_policy_new(compile, documents->items[i], &compiled) < 0)
			return error_nomem(error);
		slot = array_append(compile->policies, compile->policies_count);
		if (!slot) {
			compiled_policy_free(compiled);
			return error_nomem(error);
		}
		*slot = compiled;
	}
	if (compile->policies_count)
		qsort(compile->policies, compile->policies_count, sizeof(struct compiled_policy *),
			compiled_policy_compare);
	if (add_fixed_rules(compile) < 0)
		return error_nomem(error);
	for (size_t i = 0; i < compile->policies_count; i++)
		if (compile_add_rules(compile, compile->policies[i]) < 0)
			return error_nomem(error);
	return 0;
}

int compiled_rule_compare(const struct compiled_rule *a, const struct compiled_rule *b)
{
	const struct written_rule first = {a->policy->document, a->direction,
		(size_t)(a->source - a->policy->policy->rules[a->direction])};
	const struct written_rule second = {b->policy->document, b->direction,
		(size_t)(b->source - b->policy->policy->rules[b->direction])};

	return written_rule_compare(&first, &second);
}
