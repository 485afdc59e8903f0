/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "policies/ir_shared.h"
#include "policies/share.h"

#include <stdlib.h>

const char *direction_name(enum direction direction)
{
	return direction == DIRECTION_INGRESS ? "ingress" : "egress";
}

const char *verdict_name(enum verdict verdict)
{
	return verdict == VERDICT_ALLOW ? "allow" : "deny";
}

const char *tier_name(enum tier tier)
{
	static const char *const names[] = {
		[TIER_NONE] = "default",
		[TIER_QUARANTINE] = "quarantine",
		[TIER_ADMIN] = "admin",
		[TIER_APPLICATION] = "application",
		[TIER_BASELINE] = "baseline",
	};

	return names[tier];
}

static void free_tables(struct ir *ir)
{
	for (size_t i = 0; i < ir->rules_count; i++)
		document_release((struct document *)ir->rules[i].document);
	for (size_t i = 0; i < ir->port_tables_count; i++)
		share_release(ir->port_tables[i].ranges);
	for (size_t i = 0; i < ir->peer_tables_count; i++) {
		share_release(ir->peer_tables[i].peers);
		share_release(ir->peer_tables[i].name);
	}
	for (size_t i = 0; ir->class_names && i < ir->classes_count; i++)
		share_release(ir->class_names[i]);
	free(ir->rules);
	free(ir->port_tables);
	free(ir->peer_tables);
	free(ir->prefixes);
	free(ir->class_names);
}

void ir_free(struct ir *ir)
{
	if (!ir)
		return;
	if (ir->shared)
		ir_shared_release(ir->shared);
	else
		free_tables(ir);
	free(ir->addresses);
	free(ir->subjects);
	free(ir);
}

const struct ir_rule *ir_find_rule(const struct ir *ir, uint32_t id)
{
	for (size_t i = 0; i < ir->rules_count; i++)
		if (ir->rules[i].id == id)
			return &ir->rules[i];
	return NULL;
}

const char *ir_rule_format(const struct ir_rule *rule, char *text, size_t size)
{
	static const char *const fixed[] = {
		[IR_RULE_DEFAULT] = "default posture",
		[IR_RULE_NODE] = "the node reaches its own workloads",
		[IR_RULE_SELF] = "a workload reaches itself",
	};
	const struct document *document = rule->document;
	const char *kind, *slash;

	if (!document) {
		snprintf(text, size, "%s", fixed[rule->index]);
		return text;
	}
	kind = document_kind_name(document->kind);
	slash = *document->namespace ? "/" : "";
	if (document->reason && rule->verdict == VERDICT_DENY)
		snprintf(text, size, "quarantined: %s", document->reason);
	else if (rule->index < 0)
		snprintf(text, size, "no rule of %s %s%s%s allows", kind, document->namespace,
			slash, document->name);
	else
		snprintf(text, size, "%s %s%s%s %s[%d]", kind, document->namespace, slash,
			document->name, direction_name(rule->direction), rule->index);
	return text;
}
