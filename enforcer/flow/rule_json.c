/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "flow/rule_json.h"

json_t *rule_to_json(const struct ir_rule *rule)
{
	char text[512];
	const char *kind = rule->document ? document_kind_name(rule->document->kind) : "Default";
	const char *namespace = rule->document ? rule->document->namespace : "";
	const char *name = rule->document ? rule->document->name : "";
	json_t *index =
		rule->document && rule->index >= 0 ? json_integer(rule->index) : json_null();

	return json_pack("{s:s, s:s, s:s, s:s, s:o, s:s}", "tier", tier_name(rule->tier), "kind",
		kind, "namespace", namespace, "name", name, "index", index, "text",
		ir_rule_format(rule, text, sizeof(text)));
}
