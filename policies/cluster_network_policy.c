/* SPDX-License-Identifier: GPL-2.0-or-later */
/* policy.networking.k8s.io/v1alpha2 ClusterNetworkPolicy. The first rule that matches decides. */
#include "policies/read.h"

#include "base/cleanup.h"
#include "policies/array.h"
#include "policies/ports.h"

#include <netinet/in.h>

#define PRIORITY_MAX 1000

static const uint8_t protocol_numbers[] = {IPPROTO_TCP, IPPROTO_UDP, IPPROTO_SCTP};

static struct policy_peer *new_peer(
	struct yaml_reader *reader, const yaml_node_t *node, struct policy_rule *rule)
{
	struct policy_peer *peer = array_append(rule->peers, rule->peers_count);

	if (peer)
		peer->place = place_of(reader, node);
	else
		reader->out_of_memory = true;
	return peer;
}

static void read_pods(struct yaml_reader *reader, yaml_node_t *node, struct policy_workloads *pods)
{
	enum {
		NAMESPACES,
		PODS,
		COUNT
	};
	struct yaml_field fields[COUNT] = {
		[NAMESPACES] = {.name = "namespaceSelector", .required = true},
		[PODS] = {.name = "podSelector", .required = true},
	};

	if (!yaml_read_mapping(reader, node, "pods", fields, COUNT, 0))
		return;
	if (fields[NAMESPACES].node)
		selector_read(
			reader, fields[NAMESPACES].node, "namespaceSelector", &pods->namespaces);
	if (fields[PODS].node)
		selector_read(reader, fields[PODS].node, "podSelector", &pods->labels);
}

static void read_networks(struct yaml_reader *reader, yaml_node_t *node, struct policy_rule *rule)
{
	const yaml_node_item_t *items;
	size_t count;

	if (!yaml_read_sequence(reader, node, "networks", &items, &count))
		return;
	if (!count)
		yaml_reader_error(reader, node, "bad-peer", "networks needs at least one CIDR");
	for (size_t i = 0; i < count; i++) {
		yaml_node_t *item = yaml_reader_node(reader, items[i]);
		struct policy_peer *peer = new_peer(reader, item, rule);

		if (peer)
			cidr_read(reader, item, NULL, CIDR_LENIENT, peer);
	}
}

static void read_peer(struct yaml_reader *reader, yaml_node_t *node, enum direction direction,
	struct policy_rule *rule)
{
	enum {
		NAMESPACES,
		PODS,
		NETWORKS,
		NODES,
		DOMAINS,
		COUNT
	};
	struct yaml_field fields[COUNT] = {
		[NAMESPACES] = {.name = "namespaces"},
		[PODS] = {.name = "pods"},
		[NETWORKS] = {.name = "networks"},
		[NODES] = {.name = "nodes"},
		[DOMAINS] = {.name = "domainNames"},
	};
	/* Sources are known by label only. */
	size_t known = direction == DIRECTION_EGRESS ? COUNT : NETWORKS, given = 0;
	struct policy_peer *peer;

	if (!yaml_read_mapping(reader, node, "a peer", fields, known, 0))
		return;
	for (size_t i = 0; i < known; i++)
		given += fields[i].node != NULL;
	if (given != 1) {
		yaml_reader_error(reader, node, "bad-peer",
			"a peer needs exactly one field; an empty selector is written {}");
		return;
	}
	if (fields[NETWORKS].node) {
		read_networks(reader, fields[NETWORKS].node, rule);
		return;
	}
	if (fields[DOMAINS].node)
		yaml_reader_error(reader, fields[DOMAINS].key, "not-supported",
			"peers by domainNames are not supported");
	peer = new_peer(reader, node, rule);
	if (peer && fields[NODES].node) {
		peer->kind = PEER_NODES;
		selector_read(reader, fields[NODES].node, "nodes", &peer->workloads.labels);
	} else if (peer && fields[PODS].node) {
		read_pods(reader, fields[PODS].node, &peer->workloads);
	}
	if (peer && fields[NAMESPACES].node)
		selector_read(
			reader, fields[NAMESPACES].node, "namespaces", &peer->workloads.namespaces);
}

static struct policy_port *new_port(struct yaml_reader *reader, const yaml_node_t *node,
	struct policy_rule *rule, uint8_t protocol)
{
	struct policy_port *port = array_append(rule->ports, rule->ports_count);

	if (port)
		*port = (struct policy_port){
			.protocol = protocol, .last = UINT16_MAX, .place = place_of(reader, node)};
	else
		reader->out_of_memory = true;
	return port;
}

static void read_range(struct yaml_reader *reader, yaml_node_t *node, struct policy_port *port)
{
	enum {
		START,
		END,
		COUNT
	};
	struct yaml_field fields[COUNT] = {
		[START] = {.name = "start", .required = true},
		[END] = {.name = "end", .required = true},
	};
	long first, last;

	if (!yaml_read_mapping(reader, node, "range", fields, COUNT, 0) || !fields[START].node ||
		!fields[END].node ||
		!yaml_read_integer(reader, fields[START].node, "start", 1, UINT16_MAX, &first) ||
		!yaml_read_integer(reader, fields[END].node, "end", 1, UINT16_MAX, &last))
		return;
	if (last <= first)
		yaml_reader_error(reader, fields[END].node, "inverted-range",
			"end %ld is not above start %ld", last, first);
	port->first = (uint16_t)first;
	port->last = (uint16_t)last;
	port->range = true;
}

static void read_port(struct yaml_reader *reader, yaml_node_t *node, struct policy_port *port)
{
	enum {
		NUMBER,
		RANGE,
		COUNT
	};
	struct yaml_field fields[COUNT] = {
		[NUMBER] = {.name = "number"},
		[RANGE] = {.name = "range"},
	};
	long number;

	if (!yaml_read_mapping(reader, node, "destinationPort", fields, COUNT, 0))
		return;
	if (!fields[NUMBER].node == !fields[RANGE].node)
		yaml_reader_error(
			reader, node, "bad-port", "destinationPort needs either number or range");
	else if (fields[RANGE].node)
		read_range(reader, fields[RANGE].node, port);
	else if (yaml_read_integer(reader, fields[NUMBER].node, "number", 1, UINT16_MAX, &number))
		port->first = port->last = (uint16_t)number;
}

static void read_protocol_ports(
	struct yaml_reader *reader, yaml_node_t *node, uint8_t protocol, struct policy_rule *rule)
{
	struct yaml_field field = {.name = "destinationPort"};
	struct policy_port *port = new_port(reader, node, rule, protocol);

	if (port && yaml_read_mapping(reader, node, "a protocol", &field, 1, 0) && field.node)
		read_port(reader, field.node, port);
}

/* The name stands for itself under each protocol. */
static void read_named_port(struct yaml_reader *reader, yaml_node_t *node, struct policy_rule *rule)
{
	const char *name, *problem;

	if (!yaml_read_string(reader, node, "destinationNamedPort", &name))
		return;
	problem = port_name_problem(name);
	if (problem)
		yaml_reader_error(
			reader, node, "bad-port", "port name \"%.64s\" %s", name, problem);
	for (size_t i = 0; i < ARRAY_SIZE(protocol_numbers); i++) {
		struct policy_port *port = new_port(reader, node, rule, protocol_numbers[i]);

		if (port)
			string_copy(reader, name, &port->name);
	}
}

static void read_protocol(struct yaml_reader *reader, yaml_node_t *node, struct policy_rule *rule)
{
	enum {
		NAMED = ARRAY_SIZE(protocol_numbers),
		COUNT
	};
	struct yaml_field fields[COUNT] = {
		{.name = "tcp"},
		{.name = "udp"},
		{.name = "sctp"},
		[NAMED] = {.name = "destinationNamedPort"},
	};
	unsigned int given = 0;

	if (!yaml_read_mapping(reader, node, "a protocol", fields, COUNT, 0))
		return;
	for (size_t i = 0; i < COUNT; i++)
		given += fields[i].node != NULL;
	if (given != 1)
		yaml_reader_error(
			reader, node, "bad-port", "an item of protocols needs exactly one field");
	for (size_t i = 0; i < ARRAY_SIZE(protocol_numbers); i++)
		if (fields[i].node)
			read_protocol_ports(reader, fields[i].node, protocol_numbers[i], rule);
	if (fields[NAMED].node)
		read_named_port(reader, fields[NAMED].node, rule);
}

/* A list that must not be empty: in the normal form that would mean everything. */
static bool read_items(struct yaml_reader *reader, yaml_node_t *node, const char *what,
	const yaml_node_item_t **ret, size_t *ret_count)
{
	if (!yaml_read_sequence(reader, node, what, ret, ret_count))
		return false;
	if (!*ret_count)
		yaml_reader_error(reader, node, "empty-field", "%s needs at least one item", what);
	return true;
}

static void read_action(struct yaml_reader *reader, yaml_node_t *node, struct policy_rule *rule)
{
	static const char *const names[] = {
		[POLICY_DENY] = "Deny",
		[POLICY_ALLOW] = "Accept",
		[POLICY_PASS] = "Pass",
	};
	unsigned int action;

	if (yaml_read_choice(reader, node, "action", names, ARRAY_SIZE(names), &action))
		rule->action = (enum policy_action)action;
}

static void read_rule(struct yaml_reader *reader, yaml_node_t *node, enum direction direction,
	const struct document *document, struct policy_rule *rule)
{
	static const char *const peers_names[] = {"from", "to"};
	enum {
		NAME,
		ACTION,
		PEERS,
		PROTOCOLS,
		COUNT
	};
	struct yaml_field fields[COUNT] = {
		[NAME] = {.name = "name"},
		[ACTION] = {.name = "action", .required = true},
		[PEERS] = {.name = peers_names[direction], .required = true},
		[PROTOCOLS] = {.name = "protocols"},
	};
	const yaml_node_item_t *items;
	const char *name;
	size_t count;

	(void)document;
	if (!yaml_read_mapping(reader, node, "a rule", fields, COUNT, 0))
		return;
	if (fields[NAME].node)
		yaml_read_string(reader, fields[NAME].node, "name", &name);
	if (fields[ACTION].node)
		read_action(reader, fields[ACTION].node, rule);
	if (fields[PEERS].node &&
		read_items(reader, fields[PEERS].node, peers_names[direction], &items, &count))
		for (size_t i = 0; i < count; i++)
			read_peer(reader, yaml_reader_node(reader, items[i]), direction, rule);
	if (fields[PROTOCOLS].node &&
		read_items(reader, fields[PROTOCOLS].node, "protocols", &items, &count))
		for (size_t i = 0; i < count; i++)
			read_protocol(reader, yaml_reader_node(reader, items[i]), rule);
}

static void read_subject(
	struct yaml_reader *reader, yaml_node_t *node, struct policy_workloads *subject)
{
	enum {
		NAMESPACES,
		PODS,
		COUNT
	};
	struct yaml_field fields[COUNT] = {
		[NAMESPACES] = {.name = "namespaces"},
		[PODS] = {.name = "pods"},
	};

	if (!yaml_read_mapping(reader, node, "subject", fields, COUNT, 0))
		return;
	if (!fields[NAMESPACES].node == !fields[PODS].node)
		yaml_reader_error(reader, node, "bad-subject",
			"subject needs either namespaces or pods; an empty selector is written {}");
	else if (fields[PODS].node)
		read_pods(reader, fields[PODS].node, subject);
	else
		selector_read(reader, fields[NAMESPACES].node, "namespaces", &subject->namespaces);
}

void cluster_network_policy_read(
	struct yaml_reader *reader, yaml_node_t *spec, struct document *document)
{
	static const char *const tiers[] = {"Admin", "Baseline"};
	/* The rules of a direction are at its number. */
	enum {
		TIER = DIRECTION_COUNT,
		PRIORITY,
		SUBJECT,
		COUNT
	};
	struct yaml_field fields[COUNT] = {
		[DIRECTION_INGRESS] = {.name = "ingress"},
		[DIRECTION_EGRESS] = {.name = "egress"},
		[TIER] = {.name = "tier", .required = true},
		[PRIORITY] = {.name = "priority", .required = true},
		[SUBJECT] = {.name = "subject", .required = true},
	};
	struct policy *policy = document->policy;
	unsigned int tier = 0;
	long priority = 0;

	policy->ordered = true;
	if (!yaml_read_mapping(reader, spec, "spec", fields, COUNT, 0))
		return;
	if (fields[TIER].node)
		yaml_read_choice(
			reader, fields[TIER].node, "tier", tiers, ARRAY_SIZE(tiers), &tier);
	if (fields[PRIORITY].node)
		yaml_read_integer(
			reader, fields[PRIORITY].node, "priority", 0, PRIORITY_MAX, &priority);
	policy->subject_place = place_of(reader, fields[SUBJECT].key ? fields[SUBJECT].key : spec);
	if (fields[SUBJECT].node)
		read_subject(reader, fields[SUBJECT].node, &policy->subject);
	policy->tier = tier ? TIER_BASELINE : TIER_ADMIN;
	policy->priority = (int)priority;
	for (int direction = 0; direction < DIRECTION_COUNT; direction++)
		if (fields[direction].node)
			rules_read(reader, fields[direction].node, (enum direction)direction,
				policy, read_rule, document);
}
