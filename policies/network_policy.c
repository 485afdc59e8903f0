/* SPDX-License-Identifier: GPL-2.0-or-later */
/* networking.k8s.io/v1 NetworkPolicy, with the API server's defaults and validation. */
#include "policies/read.h"

#include "base/cleanup.h"
#include "policies/ports.h"

#include <netinet/in.h>

static void read_ip_block(struct yaml_reader *reader, yaml_node_t *node, struct policy_peer *peer)
{
	enum {
		CIDR,
		EXCEPT,
		COUNT
	};
	struct yaml_field fields[COUNT] = {
		[CIDR] = {.name = "cidr", .required = true},
		[EXCEPT] = {.name = "except"},
	};

	peer->kind = PEER_CIDR;
	if (yaml_read_mapping(reader, node, "ipBlock", fields, COUNT, 0) && fields[CIDR].node)
		cidr_read(reader, fields[CIDR].node, fields[EXCEPT].node, CIDR_LENIENT, peer);
}

static void read_peer(struct yaml_reader *reader, yaml_node_t *node,
	const struct document *document, struct policy_peer *peer)
{
	enum {
		PODS,
		NAMESPACES,
		BLOCK,
		COUNT
	};
	struct yaml_field fields[COUNT] = {
		[PODS] = {.name = "podSelector"},
		[NAMESPACES] = {.name = "namespaceSelector"},
		[BLOCK] = {.name = "ipBlock"},
	};

	if (!yaml_read_mapping(reader, node, "a peer", fields, COUNT, 0))
		return;
	if (fields[BLOCK].node) {
		if (fields[PODS].node || fields[NAMESPACES].node)
			yaml_reader_error(reader, node, "bad-peer",
				"a peer is either an ipBlock or selectors, not both");
		read_ip_block(reader, fields[BLOCK].node, peer);
		return;
	}
	if (!fields[PODS].node && !fields[NAMESPACES].node) {
		yaml_reader_error(reader, node, "bad-peer",
			"a peer needs podSelector, namespaceSelector or ipBlock; an empty selector "
			"is written {}");
		return;
	}
	if (fields[PODS].node)
		selector_read(reader, fields[PODS].node, "podSelector", &peer->workloads.labels);
	if (fields[NAMESPACES].node)
		selector_read(reader, fields[NAMESPACES].node, "namespaceSelector",
			&peer->workloads.namespaces);
	else
		string_copy(reader, document->namespace, &peer->workloads.namespace);
}

static void read_port_number(struct yaml_reader *reader, yaml_node_t *node, yaml_node_t *end_node,
	struct policy_port *port)
{
	long first, last;

	if (!yaml_read_integer(reader, node, "port", 1, UINT16_MAX, &first))
		return;
	port->first = port->last = (uint16_t)first;
	if (!end_node || !yaml_read_integer(reader, end_node, "endPort", 1, UINT16_MAX, &last))
		return;
	if (last < first)
		yaml_reader_error(reader, end_node, "inverted-range",
			"endPort %ld is below port %ld", last, first);
	port->last = (uint16_t)last;
	port->range = true;
}

static void read_port_name(struct yaml_reader *reader, yaml_node_t *node, yaml_node_t *end_node,
	struct policy_port *port)
{
	const char *name, *problem;

	if (!yaml_read_string(reader, node, "port", &name))
		return;
	problem = port_name_problem(name);
	if (problem)
		yaml_reader_error(
			reader, node, "bad-port", "port name \"%.64s\" %s", name, problem);
	if (end_node)
		yaml_reader_error(reader, end_node, "bad-port",
			"endPort goes with a port number, not with a name");
	string_copy(reader, name, &port->name);
}

static void read_port(struct yaml_reader *reader, yaml_node_t *node, struct policy_port *port)
{
	static const char *const protocols[] = {"TCP", "UDP", "SCTP"};
	static const uint8_t numbers[] = {IPPROTO_TCP, IPPROTO_UDP, IPPROTO_SCTP};
	enum {
		PROTOCOL,
		PORT,
		END_PORT,
		COUNT
	};
	struct yaml_field fields[COUNT] = {
		[PROTOCOL] = {.name = "protocol"},
		[PORT] = {.name = "port"},
		[END_PORT] = {.name = "endPort"},
	};
	unsigned int protocol = 0;

	if (!yaml_read_mapping(reader, node, "a port", fields, COUNT, 0))
		return;
	if (fields[PROTOCOL].node)
		yaml_read_choice(reader, fields[PROTOCOL].node, "protocol", protocols,
			ARRAY_SIZE(protocols), &protocol);
	*port = (struct policy_port){.protocol = numbers[protocol], .last = UINT16_MAX};
	if (!fields[PORT].node) {
		if (fields[END_PORT].node)
			yaml_reader_error(reader, fields[END_PORT].node, "bad-port",
				"endPort needs port, the first one of the range");
	} else if (yaml_node_is_integer(fields[PORT].node)) {
		read_port_number(reader, fields[PORT].node, fields[END_PORT].node, port);
	} else {
		read_port_name(reader, fields[PORT].node, fields[END_PORT].node, port);
	}
}

static void read_rule(struct yaml_reader *reader, yaml_node_t *node, enum direction direction,
	const struct document *document, struct policy_rule *rule)
{
	static const char *const peers_names[] = {"from", "to"};
	enum {
		PEERS,
		PORTS,
		COUNT
	};
	struct yaml_field fields[COUNT] = {
		[PEERS] = {.name = peers_names[direction]},
		[PORTS] = {.name = "ports"},
	};

	if (!yaml_read_mapping(reader, node, "a rule", fields, COUNT, 0))
		return;
	peers_read(reader, fields[PEERS].node, document, rule, read_peer);
	ports_read(reader, fields[PORTS].node, rule, read_port);
}

/* As the API server defaults it: Ingress always, Egress where there are egress rules. */
static void read_types(struct yaml_reader *reader, yaml_node_t *node, struct policy *policy)
{
	static const char *const names[] = {"Ingress", "Egress"};
	const yaml_node_item_t *items = NULL;
	size_t count = 0;

	if (node && !yaml_read_sequence(reader, node, "policyTypes", &items, &count))
		return;
	if (!count) {
		policy->isolates[DIRECTION_INGRESS] = true;
		policy->isolates[DIRECTION_EGRESS] = policy->rules_count[DIRECTION_EGRESS] > 0;
	}
	for (size_t i = 0; i < count; i++) {
		unsigned int direction;

		if (yaml_read_choice(reader, yaml_reader_node(reader, items[i]), "policyTypes",
			    names, ARRAY_SIZE(names), &direction))
			policy->isolates[direction] = true;
	}
}

void network_policy_read(struct yaml_reader *reader, yaml_node_t *spec, struct document *document)
{
	/* The rules of a direction are at its number. */
	enum {
		SUBJECT = DIRECTION_COUNT,
		TYPES,
		COUNT
	};
	struct yaml_field fields[COUNT] = {
		[DIRECTION_INGRESS] = {.name = "ingress"},
		[DIRECTION_EGRESS] = {.name = "egress"},
		[SUBJECT] = {.name = "podSelector"},
		[TYPES] = {.name = "policyTypes"},
	};
	struct policy *policy = document->policy;

	policy->tier = TIER_APPLICATION;
	string_copy(reader, document->namespace, &policy->subject.namespace);
	if (!yaml_read_mapping(reader, spec, "spec", fields, COUNT, 0))
		return;
	policy->subject_place = place_of(reader, fields[SUBJECT].key ? fields[SUBJECT].key : spec);
	if (fields[SUBJECT].node)
		selector_read(reader, fields[SUBJECT].node, "podSelector", &policy->subject.labels);
	for (int direction = 0; direction < DIRECTION_COUNT; direction++)
		if (fields[direction].node)
			rules_read(reader, fields[direction].node, (enum direction)direction,
				policy, read_rule, document);
	read_types(reader, fields[TYPES].node, policy);
	for (int direction = 0; direction < DIRECTION_COUNT; direction++) {
		if (!policy->rules_count[direction] || policy->isolates[direction])
			continue;
		yaml_reader_warning(reader, fields[direction].key, "no-effect",
			"policyTypes leaves this direction out: its rules have no effect");
		policy_drop_rules(policy, (enum direction)direction);
	}
}
