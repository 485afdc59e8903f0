/* SPDX-License-Identifier: GPL-2.0-or-later */
/* segctl.io/v1 SegmentPolicy; segd-policy(5) says what each field means. */
#include "policies/read.h"

#include "base/cleanup.h"
#include "policies/model.h"

#include <errno.h>
#include <string.h>

#define PRIORITY_MAX     1000
#define PRIORITY_DEFAULT 100

enum {
	WORKLOADS,
	NAMESPACES,
	CIDR,
	EXCEPT,
	ENTITY,
	PEER_FIELDS
};

/* Where labels are looked for when the policy does not say: its own namespace, or everywhere for
 * one that has none (admin and baseline tiers). */
static void default_namespace(
	struct yaml_reader *reader, const struct document *document, char **ret)
{
	if (*document->namespace)
		string_copy(reader, document->namespace, ret);
}

static void read_workloads_peer(struct yaml_reader *reader, struct yaml_field *fields,
	const struct document *document, struct policy_peer *peer)
{
	peer->kind = PEER_WORKLOADS;
	if (fields[WORKLOADS].node)
		selector_read_any(
			reader, fields[WORKLOADS].node, "workloads", &peer->workloads.labels);
	if (fields[NAMESPACES].node)
		selector_read_any(
			reader, fields[NAMESPACES].node, "namespaces", &peer->workloads.namespaces);
	else
		default_namespace(reader, document, &peer->workloads.namespace);
}

static void read_entity(struct yaml_reader *reader, yaml_node_t *node, struct policy_peer *peer)
{
	static const char *const names[] = {
		[ENTITY_ALL] = "all",
		[ENTITY_HOST] = "host",
		[ENTITY_WORLD] = "world",
	};
	unsigned int entity;

	peer->kind = PEER_ENTITY;
	if (yaml_read_choice(reader, node, "entity", names, ARRAY_SIZE(names), &entity))
		peer->entity = (enum policy_entity)entity;
}

/* "entity:host" cannot be taken for a selector: no label has a colon. */
static bool names_entity(struct yaml_reader *reader, const yaml_node_t *node)
{
	static const char start[] = "entity:";
	yaml_node_pair_t *pair;

	if (node->type == YAML_SCALAR_NODE)
		return !strncmp((const char *)node->data.scalar.value, start, strlen(start));
	if (node->type != YAML_MAPPING_NODE)
		return false;
	for (pair = node->data.mapping.pairs.start; pair < node->data.mapping.pairs.top; pair++) {
		const yaml_node_t *key = yaml_reader_node(reader, pair->key);

		if (key->type == YAML_SCALAR_NODE &&
			!strcmp((const char *)key->data.scalar.value, "entity"))
			return true;
	}
	return false;
}

/* The node itself, of all entities, can be a subject. */
static void read_subject_entity(
	struct yaml_reader *reader, yaml_node_t *node, struct policy *policy)
{
	struct yaml_field field = {.name = "entity", .required = true};
	const char *text = NULL, *entity;

	if (node->type == YAML_MAPPING_NODE) {
		if (!yaml_read_mapping(reader, node, "subject", &field, 1, YAML_REFUSE_NULL) ||
			!yaml_read_string(reader, field.node, "entity", &text))
			return;
		entity = text;
	} else {
		if (!yaml_read_string(reader, node, "subject", &text))
			return;
		entity = text + strlen("entity:");
		entity += strspn(entity, " ");
	}
	policy->host = !strcmp(entity, "host");
	if (!policy->host)
		yaml_reader_error(reader, node, "bad-subject",
			"entity \"%.80s\" cannot be a subject; expected \"host\", the node itself",
			entity);
}

static void read_subject(struct yaml_reader *reader, yaml_node_t *node, struct policy *policy)
{
	if (names_entity(reader, node))
		read_subject_entity(reader, node, policy);
	else
		selector_read_any(reader, node, "subject", &policy->subject.labels);
}

void segment_peer_read(struct yaml_reader *reader, yaml_node_t *node,
	const struct document *document, struct policy_peer *peer)
{
	struct yaml_field fields[PEER_FIELDS] = {
		[WORKLOADS] = {.name = "workloads"},
		[NAMESPACES] = {.name = "namespaces"},
		[CIDR] = {.name = "cidr"},
		[EXCEPT] = {.name = "except"},
		[ENTITY] = {.name = "entity"},
	};
	bool workloads, cidr, entity;
	int kinds;

	if (!yaml_read_mapping(reader, node, "a peer", fields, PEER_FIELDS, YAML_REFUSE_NULL))
		return;
	workloads = fields[WORKLOADS].key || fields[NAMESPACES].key;
	cidr = fields[CIDR].key || fields[EXCEPT].key;
	entity = fields[ENTITY].key;
	kinds = workloads + cidr + entity;
	if (kinds != 1) {
		yaml_reader_error(reader, node, "bad-peer",
			"a peer is one of: workloads and namespaces, cidr and except, entity; %s",
			kinds > 1 ? "write a list item for each" : "found none");
		return;
	}
	if (workloads)
		read_workloads_peer(reader, fields, document, peer);
	else if (fields[CIDR].node)
		cidr_read(reader, fields[CIDR].node, fields[EXCEPT].node, CIDR_STRICT, peer);
	else if (fields[EXCEPT].key && !fields[CIDR].key)
		yaml_reader_error(
			reader, fields[EXCEPT].key, "bad-peer", "except needs the field \"cidr\"");
	else if (fields[ENTITY].node)
		read_entity(reader, fields[ENTITY].node, peer);
}

enum {
	PEERS,
	PORTS,
	ACTION,
	LOG,
	ON_DENY,
	RULE_FIELDS
};

static void read_action(struct yaml_reader *reader, yaml_node_t *node,
	const struct document *document, struct policy_rule *rule)
{
	static const char *const names[] = {
		[POLICY_DENY] = "deny",
		[POLICY_ALLOW] = "allow",
		[POLICY_PASS] = "pass",
	};
	unsigned int action;

	if (!yaml_read_choice(reader, node, "action", names, ARRAY_SIZE(names), &action))
		return;
	rule->action = (enum policy_action)action;
	if (rule->action == POLICY_PASS && document->policy->tier == TIER_APPLICATION)
		yaml_reader_error(reader, node, "bad-action",
			"pass hands on to the next tier; it is for tier admin and baseline only");
}

static void read_rule(struct yaml_reader *reader, yaml_node_t *node, enum direction direction,
	const struct document *document, struct policy_rule *rule)
{
	static const char *const peers_names[] = {"from", "to"};
	static const char *const answers[] = {"drop", "reject"};
	struct yaml_field fields[RULE_FIELDS] = {
		[PEERS] = {.name = peers_names[direction]},
		[PORTS] = {.name = "ports"},
		[ACTION] = {.name = "action"},
		[LOG] = {.name = "log"},
		[ON_DENY] = {.name = "onDeny"},
	};
	unsigned int answer = 0;

	if (!yaml_read_mapping(reader, node, "a rule", fields, RULE_FIELDS, YAML_REFUSE_NULL))
		return;
	peers_read(reader, fields[PEERS].node, document, rule, segment_peer_read);
	ports_read(reader, fields[PORTS].node, rule, port_read);
	if (fields[ACTION].node)
		read_action(reader, fields[ACTION].node, document, rule);
	if (fields[LOG].node)
		yaml_read_boolean(reader, fields[LOG].node, "log", &rule->log);
	if (fields[ON_DENY].node)
		yaml_read_choice(reader, fields[ON_DENY].node, "onDeny", answers,
			ARRAY_SIZE(answers), &answer);
	rule->reject = answer == 1;
}

/* An application policy isolates each direction that it speaks of, unless all it says is "deny". */
static void set_isolation(struct policy *policy, enum direction direction)
{
	bool allows = !policy->rules_count[direction];

	for (size_t i = 0; i < policy->rules_count[direction]; i++) {
		const struct policy_rule *rule = &policy->rules[direction][i];

		allows |= rule->action == POLICY_ALLOW;
		policy->reject[direction] |= rule->action == POLICY_ALLOW && rule->reject;
	}
	policy->isolates[direction] = allows && policy->tier == TIER_APPLICATION;
}

/* The rules of a direction are at its number. */
enum {
	SUBJECT = DIRECTION_COUNT,
	TIER,
	PRIORITY,
	MODE,
	SPEC_FIELDS
};

static void read_settings(
	struct yaml_reader *reader, struct yaml_field *fields, struct policy *policy)
{
	static const char *const tiers[] = {"admin", "application", "baseline"};
	static const enum tier tier_values[] = {TIER_ADMIN, TIER_APPLICATION, TIER_BASELINE};
	static const char *const modes[] = {"enforce", "audit"};
	unsigned int tier = 1, mode = 0;
	long priority = PRIORITY_DEFAULT;

	if (fields[TIER].node)
		yaml_read_choice(
			reader, fields[TIER].node, "tier", tiers, ARRAY_SIZE(tiers), &tier);
	if (fields[MODE].node)
		yaml_read_choice(
			reader, fields[MODE].node, "mode", modes, ARRAY_SIZE(modes), &mode);
	if (fields[PRIORITY].node)
		yaml_read_integer(
			reader, fields[PRIORITY].node, "priority", 0, PRIORITY_MAX, &priority);
	policy->tier = tier_values[tier];
	policy->audit = mode == 1;
	policy->priority = (int)priority;
}

/* Only the admin and baseline tiers have policies without a namespace. */
static void settle_namespace(struct yaml_reader *reader, struct document *document)
{
	if (document->namespace)
		return;
	string_copy(reader,
		document->policy->tier == TIER_APPLICATION ? MODEL_NAMESPACE_DEFAULT : "",
		&document->namespace);
}

void segment_policy_read(struct yaml_reader *reader, yaml_node_t *spec, struct document *document)
{
	struct yaml_field fields[SPEC_FIELDS] = {
		[DIRECTION_INGRESS] = {.name = "ingress"},
		[DIRECTION_EGRESS] = {.name = "egress"},
		[SUBJECT] = {.name = "subject", .required = true},
		[TIER] = {.name = "tier"},
		[PRIORITY] = {.name = "priority"},
		[MODE] = {.name = "mode"},
	};
	struct policy *policy = document->policy;

	if (!yaml_read_mapping(reader, spec, "spec", fields, SPEC_FIELDS, YAML_REFUSE_NULL))
		return;
	read_settings(reader, fields, policy);
	settle_namespace(reader, document);
	if (!document->namespace)
		return;
	default_namespace(reader, document, &policy->subject.namespace);
	policy->subject_place = place_of(reader, fields[SUBJECT].key ? fields[SUBJECT].key : spec);
	if (fields[SUBJECT].node)
		read_subject(reader, fields[SUBJECT].node, policy);
	if (!fields[DIRECTION_INGRESS].key && !fields[DIRECTION_EGRESS].key)
		yaml_reader_warning(reader, spec, "no-effect",
			"neither ingress nor egress: this policy has no effect");
	for (int direction = 0; direction < DIRECTION_COUNT; direction++) {
		if (!fields[direction].node)
			continue;
		rules_read(reader, fields[direction].node, (enum direction)direction, policy,
			read_rule, document);
		set_isolation(policy, (enum direction)direction);
	}
}
