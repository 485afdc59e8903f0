/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "policies/read.h"

#include "base/cleanup.h"
#include "policies/array.h"
#include "policies/ports.h"

#include <errno.h>

#define EXCEPT_MAX 1000 /* each is compared with the others */

struct policy_place place_of(const struct yaml_reader *reader, const yaml_node_t *node)
{
	struct location location = yaml_reader_location(reader, node);

	return (struct policy_place){location.line, location.column};
}

void string_copy(struct yaml_reader *reader, const char *text, char **ret)
{
	char *copy = strdup(text);

	if (copy)
		*ret = copy;
	else
		reader->out_of_memory = true;
}

void rules_read(struct yaml_reader *reader, yaml_node_t *node, enum direction direction,
	struct policy *policy,
	void (*read)(struct yaml_reader *reader, yaml_node_t *node, enum direction direction,
		const struct document *document, struct policy_rule *rule),
	const struct document *document)
{
	const yaml_node_item_t *items;
	size_t count;

	if (!yaml_read_sequence(reader, node, direction_name(direction), &items, &count))
		return;
	for (size_t i = 0; i < count; i++) {
		yaml_node_t *item = yaml_reader_node(reader, items[i]);
		struct policy_rule *rule =
			array_append(policy->rules[direction], policy->rules_count[direction]);

		if (!rule) {
			reader->out_of_memory = true;
			return;
		}
		rule->action = POLICY_ALLOW;
		rule->line = place_of(reader, item).line;
		rule->column = place_of(reader, item).column;
		read(reader, item, direction, document, rule);
	}
}

void peers_read(struct yaml_reader *reader, yaml_node_t *node, const struct document *document,
	struct policy_rule *rule,
	void (*read)(struct yaml_reader *reader, yaml_node_t *node, const struct document *document,
		struct policy_peer *peer))
{
	const yaml_node_item_t *items;
	size_t count;

	if (!node || !yaml_read_sequence(reader, node, "a list of peers", &items, &count))
		return;
	for (size_t i = 0; i < count; i++) {
		struct policy_peer *peer = array_append(rule->peers, rule->peers_count);

		if (!peer) {
			reader->out_of_memory = true;
			return;
		}
		peer->place = place_of(reader, yaml_reader_node(reader, items[i]));
		read(reader, yaml_reader_node(reader, items[i]), document, peer);
	}
	rule->peers_empty = !count;
}

void ports_read(struct yaml_reader *reader, yaml_node_t *node, struct policy_rule *rule,
	void (*read)(struct yaml_reader *reader, yaml_node_t *node, struct policy_port *port))
{
	const yaml_node_item_t *items;
	size_t count;

	if (!node || !yaml_read_sequence(reader, node, "ports", &items, &count))
		return;
	for (size_t i = 0; i < count; i++) {
		struct policy_port *port = array_append(rule->ports, rule->ports_count);

		if (!port) {
			reader->out_of_memory = true;
			return;
		}
		read(reader, yaml_reader_node(reader, items[i]), port);
		port->place = place_of(reader, yaml_reader_node(reader, items[i]));
	}
}

void port_read(struct yaml_reader *reader, yaml_node_t *node, struct policy_port *port)
{
	_cleanup_free_ char *problem = NULL;
	const char *text;
	int r;

	if (yaml_node_is_integer(node)) {
		yaml_reader_error(reader, node, "bad-port",
			"a port needs its protocol: write tcp/%.16s or udp/%.16s",
			(const char *)node->data.scalar.value,
			(const char *)node->data.scalar.value);
		return;
	}
	if (!yaml_read_string(reader, node, "a port", &text))
		return;
	r = port_parse(text, port, &problem);
	if (r == -ENOMEM)
		reader->out_of_memory = true;
	else if (r < 0)
		yaml_reader_error(reader, node,
			strstr(problem, "ends before") ? "inverted-range" : "bad-port", "%s",
			problem);
}

static bool read_prefix(struct yaml_reader *reader, yaml_node_t *node, const char *what,
	enum cidr_strictness strictness, struct prefix *ret)
{
	char proper[PREFIX_TEXT_MAX];
	struct prefix prefix;
	const char *text;
	int r;

	if (!yaml_read_string(reader, node, what, &text))
		return false;
	r = prefix_parse(text, &prefix);
	if (r == -EINVAL) {
		yaml_reader_error(reader, node, "bad-cidr",
			"%s \"%.64s\" is no CIDR; expected e.g. 10.0.0.0/8, 192.0.2.7/32 or "
			"2001:db8::/32",
			what, text);
		return false;
	}
	if (r == -ERANGE)
		(strictness == CIDR_STRICT ? yaml_reader_error : yaml_reader_warning)(reader, node,
			"bad-cidr", "%s \"%s\" has bits set behind its length; write %s", what,
			text, prefix_format(&prefix, proper));
	*ret = prefix;
	return true;
}

static void read_except(struct yaml_reader *reader, yaml_node_t *node,
	enum cidr_strictness strictness, bool cidr_known, struct policy_peer *peer)
{
	char outer[PREFIX_TEXT_MAX], inner[PREFIX_TEXT_MAX];
	struct prefix prefix, *slot;

	if (!read_prefix(reader, node, "except", strictness, &prefix))
		return;
	if (cidr_known &&
		(!prefix_covers(&peer->cidr, &prefix) || peer->cidr.length == prefix.length)) {
		yaml_reader_error(reader, node, "bad-except",
			"except %s is not a part of the cidr %s", prefix_format(&prefix, inner),
			prefix_format(&peer->cidr, outer));
		return;
	}
	slot = array_append(peer->except, peer->except_count);
	if (slot)
		*slot = prefix;
	else
		reader->out_of_memory = true;
}

void cidr_read(struct yaml_reader *reader, yaml_node_t *cidr, yaml_node_t *except,
	enum cidr_strictness strictness, struct policy_peer *peer)
{
	bool known = read_prefix(reader, cidr, "cidr", strictness, &peer->cidr);
	const yaml_node_item_t *items;
	size_t count;

	peer->kind = PEER_CIDR;
	if (!except || !yaml_read_sequence(reader, except, "except", &items, &count))
		return;
	if (count > EXCEPT_MAX) {
		yaml_reader_error(reader, except, "too-many",
			"except has more than %d items; write several peers", EXCEPT_MAX);
		return;
	}
	for (size_t i = 0; i < count; i++)
		read_except(reader, yaml_reader_node(reader, items[i]), strictness, known, peer);
}
