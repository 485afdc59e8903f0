/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "policies/quarantine.h"

#include "base/cleanup.h"
#include "policies/array.h"
#include "policies/read.h"

#include <errno.h>

enum {
	REASON,
	ALLOW,
	SPEC_FIELDS
};

enum {
	FROM,
	PORTS,
	RULE_FIELDS
};

static char *label_value(const struct document *quarantine)
{
	char *value;

	if (asprintf(&value, "%s/%s", quarantine->namespace, quarantine->name) < 0)
		return NULL;
	return value;
}

/* It is shown in one line of many. */
static void read_reason(struct yaml_reader *reader, yaml_node_t *node, struct document *document)
{
	const char *reason, *problem = NULL;

	if (!yaml_read_string(reader, node, "reason", &reason))
		return;
	if (!*reason || strlen(reason) > QUARANTINE_REASON_MAX)
		problem = *reason ? "is longer than 256 bytes" : "is empty";
	for (const char *c = reason; *c && !problem; c++)
		problem = (unsigned char)*c < ' ' || *c == 0x7f ? "has control characters" : NULL;
	if (problem)
		yaml_reader_error(reader, node, "bad-reason", "the reason %s", problem);
	else
		string_copy(reader, reason, &document->reason);
}

/* An entry of the allow-list: who may come in, and to which ports. */
static void read_allow(struct yaml_reader *reader, yaml_node_t *node, enum direction direction,
	const struct document *document, struct policy_rule *rule)
{
	struct yaml_field fields[RULE_FIELDS] = {
		[FROM] = {.name = "from", .required = true},
		[PORTS] = {.name = "ports"},
	};

	(void)direction;
	if (!yaml_read_mapping(reader, node, "allow", fields, RULE_FIELDS, YAML_REFUSE_NULL))
		return;
	peers_read(reader, fields[FROM].node, document, rule, segment_peer_read);
	ports_read(reader, fields[PORTS].node, rule, port_read);
	/* Without peers a rule would let everybody in. */
	if (fields[FROM].node && !rule->peers_count)
		yaml_reader_error(
			reader, fields[FROM].node, "bad-peer", "from must name who may come in");
}

/* Behind the allow-list everything is refused. */
static int refuse_the_rest(struct policy *policy, const struct document *document)
{
	for (int direction = 0; direction < DIRECTION_COUNT; direction++) {
		struct policy_rule *rule =
			array_append(policy->rules[direction], policy->rules_count[direction]);

		if (!rule)
			return -ENOMEM;
		rule->action = POLICY_DENY;
		rule->line = document->line;
	}
	return 0;
}

static int set_subject(struct policy *policy, const struct document *document)
{
	_cleanup_free_ char *value = label_value(document);
	struct selector_requirement *requirement =
		selector_add(&policy->subject.labels, QUARANTINE_LABEL, SELECTOR_IN);

	return value && requirement ? selector_requirement_add(requirement, value) : -ENOMEM;
}

void quarantine_read(struct yaml_reader *reader, yaml_node_t *spec, struct document *document)
{
	struct yaml_field fields[SPEC_FIELDS] = {
		[REASON] = {.name = "reason", .required = true},
		[ALLOW] = {.name = "allow"},
	};
	struct policy *policy = document->policy;

	policy->tier = TIER_QUARANTINE;
	policy->ordered = true;
	policy->subject_place = place_of(reader, spec);
	if (!yaml_read_mapping(reader, spec, "spec", fields, SPEC_FIELDS, YAML_REFUSE_NULL))
		return;
	if (fields[REASON].node)
		read_reason(reader, fields[REASON].node, document);
	if (fields[ALLOW].node)
		rules_read(reader, fields[ALLOW].node, DIRECTION_INGRESS, policy, read_allow,
			document);
	if (!document->name || !document->namespace)
		return;
	if (set_subject(policy, document) < 0 || refuse_the_rest(policy, document) < 0)
		reader->out_of_memory = true;
}

int quarantine_mark(const struct document *quarantine, const char *namespace, const char *name,
	struct model *model)
{
	_cleanup_free_ char *value = label_value(quarantine);

	if (!value)
		return -ENOMEM;
	for (size_t i = 0; i < model->workloads_count; i++) {
		struct model_workload *workload = &model->workloads[i];

		if (!strcmp(workload->namespace, namespace) && !strcmp(workload->name, name))
			return labels_set(&workload->labels, QUARANTINE_LABEL, value);
	}
	return 0;
}
