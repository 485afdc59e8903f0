/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "policies/ir_compile.h"

#include "base/cleanup.h"
#include "policies/array.h"

#include <errno.h>

static int print_selector(const struct selector *selector, FILE *stream)
{
	_cleanup_free_ char *text = selector_format(selector);

	if (!text)
		return -ENOMEM;
	fputs(text, stream);
	return 0;
}

static void print_cidr(const struct policy_peer *peer, FILE *stream)
{
	char text[PREFIX_TEXT_MAX];

	fputs(prefix_format(&peer->cidr, text), stream);
	for (size_t i = 0; i < peer->except_count; i++)
		fprintf(stream, "-%s", prefix_format(&peer->except[i], text));
}

/* Peers that mean the same have the same text; neither '|' nor '@' is in a selector. */
static int print_peer(const struct policy_peer *peer, FILE *stream)
{
	const struct policy_workloads *workloads = &peer->workloads;
	int r = 0;

	switch (peer->kind) {
	case PEER_CIDR:
		print_cidr(peer, stream);
		break;
	case PEER_ENTITY:
		fprintf(stream, "entity %d", (int)peer->entity);
		break;
	case PEER_NODES:
		fputs("nodes ", stream);
		r = print_selector(&workloads->labels, stream);
		break;
	case PEER_WORKLOADS:
		r = print_selector(&workloads->labels, stream);
		if (workloads->namespace)
			fprintf(stream, "@%s", workloads->namespace);
		else if (!r)
			r = fputs("@@", stream) < 0
				    ? -ENOMEM
				    : print_selector(&workloads->namespaces, stream);
		break;
	}
	fputc('|', stream);
	return r;
}

static int peers_key(const struct policy_rule *rule, char **ret, size_t *ret_size)
{
	_cleanup_free_ char *key = NULL;
	char *made = NULL;
	size_t size;
	FILE *stream = open_memstream(&made, &size);
	int r = 0;

	if (!stream)
		return -ENOMEM;
	for (size_t i = 0; !r && i < rule->peers_count; i++)
		r = print_peer(&rule->peers[i], stream);
	if (fclose(stream))
		r = -ENOMEM;
	key = made;
	if (r < 0)
		return r;
	*ret = TAKE_PTR(key);
	*ret_size = size;
	return 0;
}

static int take_matcher(struct compile *compile, uint32_t *ret)
{
	if (compile->matchers_free_count) {
		*ret = compile->matchers_free[--compile->matchers_free_count];
		return 0;
	}
	if (!array_append(compile->matchers, compile->matchers_count))
		return -ENOMEM;
	*ret = (uint32_t)(compile->matchers_count - 1);
	return 0;
}

/* 1: it is a new one. */
static int use_matcher(struct compile *compile, struct compiled_rule *rule)
{
	_cleanup_free_ char *key = NULL;
	struct matcher *matcher;
	size_t size;
	int r;

	rule->matcher = MATCHER_EVERYONE;
	if (!rule->source->peers_count)
		return 0;
	r = peers_key(rule->source, &key, &size);
	if (r < 0)
		return r;
	if (!intern_find(&compile->matcher_keys, key, size, &rule->matcher)) {
		compile->matchers[rule->matcher].uses++;
		return 0;
	}
	if (take_matcher(compile, &rule->matcher) < 0 ||
		intern_as(&compile->matcher_keys, key, size, rule->matcher) < 0)
		return -ENOMEM;
	matcher = &compile->matchers[rule->matcher];
	matcher->document = document_reference(rule->policy->document);
	matcher->rule = rule->source;
	matcher->uses = 1;
	return 1;
}

/* 1: it was the last use. The number stays taken until compile_free_matcher(). */
static int release_matcher(struct compile *compile, const struct compiled_rule *rule)
{
	struct matcher *matcher;

	if (rule->matcher == MATCHER_EVERYONE)
		return 0;
	matcher = &compile->matchers[rule->matcher];
	return !--matcher->uses;
}

int compile_free_matcher(struct compile *compile, uint32_t number)
{
	struct matcher *matcher = &compile->matchers[number];
	_cleanup_free_ char *key = NULL;
	uint32_t *slot;
	size_t size;

	if (peers_key(matcher->rule, &key, &size) < 0)
		return -ENOMEM;
	slot = array_append(compile->matchers_free, compile->matchers_free_count);
	if (!slot)
		return -ENOMEM;
	*slot = number;
	intern_remove(&compile->matcher_keys, key, size);
	document_release(matcher->document);
	*matcher = (struct matcher){0};
	return 0;
}

/* "<protocol byte>name" */
struct port_name_key {
	char text[64];
	size_t size;
};

static struct port_name_key port_name_key(uint8_t protocol, const char *name)
{
	struct port_name_key key;

	key.size = (size_t)snprintf(key.text, sizeof(key.text), "%u/%.48s", protocol, name);
	return key;
}

static int use_port_name(struct compile *compile, const struct policy_port *port,
	enum direction direction, uint32_t *ret)
{
	struct port_name_key key = port_name_key(port->protocol, port->name);
	struct port_name *slot;
	int r = intern(&compile->port_name_keys, key.text, key.size, ret);

	if (r < 0)
		return r;
	if (r > 0) {
		slot = array_append(compile->port_names, compile->port_names_count);
		if (!slot)
			return -ENOMEM;
		slot->protocol = port->protocol;
		slot->name = strdup(port->name);
		if (!slot->name)
			return -ENOMEM;
	}
	compile->port_names[*ret].uses[direction]++;
	return 0;
}

const struct port_name *compile_port_name(
	const struct compile *compile, uint8_t protocol, const char *name)
{
	struct port_name_key key = port_name_key(protocol, name);
	uint32_t number;

	if (intern_find(&compile->port_name_keys, key.text, key.size, &number) < 0)
		return NULL;
	return &compile->port_names[number];
}

/* Hands numbers of named ports on, as bits of a class's vector. */
static int change_names(struct compile *compile, uint32_t name, struct bit_list *bits)
{
	const struct port_name *port_name = &compile->port_names[name];

	for (size_t i = 0; i < port_name->numbers_count; i++)
		if (bit_list_add(bits,
			    compile->matcher_words * BITSET_WORD_BITS + port_name->numbers[i]) < 0)
			return -ENOMEM;
	return 0;
}

static int use_names(
	struct compile *compile, const struct compiled_rule *rule, struct bit_list *added)
{
	const struct policy_rule *source = rule->source;

	for (size_t i = 0; i < source->ports_count; i++) {
		uint32_t name;
		int r;

		if (!source->ports[i].name)
			continue;
		if (use_port_name(compile, &source->ports[i], rule->direction, &name) < 0)
			return -ENOMEM;
		if (!added)
			continue;
		r = compile_find_named_ports(compile, name);
		if (r < 0)
			return r;
		if (rule->direction == DIRECTION_EGRESS &&
			compile->port_names[name].uses[DIRECTION_EGRESS] == 1 &&
			change_names(compile, name, added) < 0)
			return -ENOMEM;
	}
	return 0;
}

static int release_names(
	struct compile *compile, const struct compiled_rule *rule, struct bit_list *removed)
{
	const struct policy_rule *source = rule->source;

	for (size_t i = 0; i < source->ports_count; i++) {
		const struct policy_port *port = &source->ports[i];
		struct port_name *name;

		if (!port->name)
			continue;
		name = (struct port_name *)compile_port_name(compile, port->protocol, port->name);
		if (!--name->uses[rule->direction] && rule->direction == DIRECTION_EGRESS &&
			change_names(compile, (uint32_t)(name - compile->port_names), removed) < 0)
			return -ENOMEM;
	}
	return 0;
}

int compile_use_peers(
	struct compile *compile, struct compiled_policy *compiled, struct bit_list *added)
{
	size_t matchers_max = compile->matcher_words * BITSET_WORD_BITS;

	for (int direction = 0; direction < DIRECTION_COUNT; direction++)
		for (size_t i = 0; i < compiled->policy->rules_count[direction]; i++) {
			struct compiled_rule *rule = &compiled->rules[direction][i];
			int r = use_matcher(compile, rule);

			if (r > 0 && added && rule->matcher >= matchers_max)
				return -EAGAIN;
			if (r > 0 && added)
				r = bit_list_add(added, rule->matcher);
			if (r >= 0)
				r = use_names(compile, rule, added);
			if (r < 0)
				return r;
		}
	return 0;
}

int compile_release_peers(
	struct compile *compile, const struct compiled_policy *compiled, struct bit_list *removed)
{
	for (int direction = 0; direction < DIRECTION_COUNT; direction++)
		for (size_t i = 0; i < compiled->policy->rules_count[direction]; i++) {
			const struct compiled_rule *rule = &compiled->rules[direction][i];

			if (release_matcher(compile, rule) &&
				bit_list_add(removed, rule->matcher) < 0)
				return -ENOMEM;
			if (release_names(compile, rule, removed) < 0)
				return -ENOMEM;
		}
	return 0;
}

/* The numbers behind a name, each once. */
static int add_named_port(struct compile *compile, uint32_t name, uint16_t port)
{
	struct port_name *port_name = &compile->port_names[name];
	struct named_port *slot;
	uint32_t *number;

	for (size_t i = 0; i < port_name->numbers_count; i++)
		if (compile->named_ports[port_name->numbers[i]].port == port)
			return 0;
	slot = array_append(compile->named_ports, compile->named_ports_count);
	number = slot ? array_append(port_name->numbers, port_name->numbers_count) : NULL;
	if (!number)
		return -ENOMEM;
	*slot = (struct named_port){.name = name, .port = port};
	*number = (uint32_t)(compile->named_ports_count - 1);
	return 0;
}

static int collect_named_ports(struct compile *compile)
{
	for (size_t i = 0; i < compile->shapes_count; i++) {
		const struct model_workload *workload = &compile->shapes[i].workload;

		for (size_t k = 0; k < workload->ports_count; k++) {
			const struct model_port *port = &workload->ports[k];
			const struct port_name *name =
				compile_port_name(compile, port->protocol, port->name);

			if (name && add_named_port(compile, (uint32_t)(name - compile->port_names),
					    port->port) < 0)
				return -ENOMEM;
		}
	}
	return 0;
}

bool shape_satisfies(const struct shape *shape, const struct policy_rule *rule)
{
	for (size_t i = 0; i < rule->peers_count; i++) {
		const struct policy_peer *peer = &rule->peers[i];

		if (peer->kind == PEER_ENTITY && peer->entity == ENTITY_ALL)
			return true;
		if (peer->kind == PEER_WORKLOADS &&
			policy_workloads_match(&peer->workloads, shape->workload.namespace,
				&shape->namespace_labels, &shape->workload.labels))
			return true;
	}
	return false;
}

/* The number of a port that the shape has and a rule names. */
static int find_named_port(const struct compile *compile, const struct port_name *name,
	const struct model_port *port, uint32_t *ret)
{
	for (size_t i = 0; i < name->numbers_count; i++) {
		if (compile->named_ports[name->numbers[i]].port != port->port)
			continue;
		*ret = name->numbers[i];
		return 0;
	}
	return -EAGAIN;
}

int compile_match_shape(struct compile *compile, struct shape *shape)
{
	shape->matches = calloc(compile->matcher_words + 1, sizeof(uint64_t));
	shape->names = calloc(compile->name_words + 1, sizeof(uint64_t));
	if (!shape->matches || !shape->names)
		return -ENOMEM;
	for (size_t i = 0; i < compile->matchers_count; i++)
		if (compile->matchers[i].uses && shape_satisfies(shape, compile->matchers[i].rule))
			bitset_set(shape->matches, i);
	for (size_t i = 0; i < shape->workload.ports_count; i++) {
		const struct model_port *port = &shape->workload.ports[i];
		const struct port_name *name =
			compile_port_name(compile, port->protocol, port->name);
		uint32_t number;

		if (!name)
			continue;
		if (find_named_port(compile, name, port, &number) < 0)
			return -EAGAIN;
		bitset_set(shape->names, number);
	}
	return 0;
}

/* Does the shape have this number for this name? */
static bool has_named_port(const struct shape *shape, const struct port_name *name, uint16_t number)
{
	for (size_t i = 0; i < shape->workload.ports_count; i++) {
		const struct model_port *port = &shape->workload.ports[i];

		if (port->protocol == name->protocol && port->port == number &&
			!strcmp(port->name, name->name))
			return true;
	}
	return false;
}

int compile_find_named_ports(struct compile *compile, uint32_t name)
{
	struct port_name *port_name = &compile->port_names[name];

	for (size_t i = 0; i < compile->shapes_count; i++) {
		const struct model_workload *workload = &compile->shapes[i].workload;

		for (size_t k = 0; k < workload->ports_count; k++) {
			const struct model_port *port = &workload->ports[k];

			if (port->protocol == port_name->protocol &&
				!strcmp(port->name, port_name->name) &&
				add_named_port(compile, name, port->port) < 0)
				return -ENOMEM;
		}
	}
	if (compile->named_ports_count > compile->name_words * BITSET_WORD_BITS)
		return -EAGAIN;
	for (size_t i = 0; i < compile->shapes_count; i++)
		for (size_t k = 0; k < port_name->numbers_count; k++)
			if (has_named_port(&compile->shapes[i], port_name,
				    compile->named_ports[port_name->numbers[k]].port))
				bitset_set(compile->shapes[i].names, port_name->numbers[k]);
	return 0;
}

/* Room for policies to come. */
static size_t spare_words(const struct compile *compile, size_t words)
{
	return compile->grows ? 1 + words / 4 : 0;
}

int compile_matchers(struct compile *compile, struct error *error)
{
	for (size_t i = 0; i < compile->policies_count; i++)
		if (compile_use_peers(compile, compile->policies[i], NULL) < 0)
			return error_nomem(error);
	if (collect_named_ports(compile) < 0)
		return error_nomem(error);
	compile->matcher_words = bitset_words(compile->matchers_count);
	compile->matcher_words += spare_words(compile, compile->matcher_words);
	compile->name_words = bitset_words(compile->named_ports_count);
	compile->name_words += spare_words(compile, compile->name_words);
	compile->egress_names = calloc(compile->name_words + 1, sizeof(uint64_t));
	if (!compile->egress_names)
		return error_nomem(error);
	for (size_t i = 0; i < compile->named_ports_count; i++)
		if (compile->port_names[compile->named_ports[i].name].uses[DIRECTION_EGRESS])
			bitset_set(compile->egress_names, i);
	for (size_t i = 0; i < compile->shapes_count; i++)
		if (compile_match_shape(compile, &compile->shapes[i]) < 0)
			return error_nomem(error);
	return 0;
}
