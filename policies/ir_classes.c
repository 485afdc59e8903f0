/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Classes by one sweep over all prefixes and addresses in their order, outer prefixes first. On the
 * way a stack holds the prefixes around the current place, and for each matcher is counted how many
 * of its CIDRs hold there. So no address is ever compared with every CIDR.
 */
#include "policies/ir_compile.h"

#include "base/cleanup.h"
#include "policies/array.h"

#include <errno.h>

struct sweep {
	struct compile *compile;
	size_t *open; /* indexes of the first change of each prefix around the current place */
	size_t open_count;
	int *counts;     /* by matcher */
	uint64_t *holds; /* matchers with a count above zero */
	size_t next_prefix;
};

static int add_change(
	struct compile *compile, const struct prefix *prefix, uint32_t matcher, int delta)
{
	struct change *slot = array_append(compile->changes, compile->changes_count);

	if (!slot)
		return -ENOMEM;
	*slot = (struct change){*prefix, matcher, delta};
	return 0;
}

static bool covered_before(const struct policy_peer *peer, size_t index)
{
	for (size_t i = 0; i < peer->except_count; i++)
		if (i != index && prefix_covers(&peer->except[i], &peer->except[index]) &&
			(peer->except[i].length < peer->except[index].length || i < index))
			return true;
	return false;
}

static int add_cidr(struct compile *compile, const struct policy_peer *peer, uint32_t matcher)
{
	if (add_change(compile, &peer->cidr, matcher, 1) < 0)
		return -ENOMEM;
	/* An exception inside another one says nothing, and must not count twice. */
	for (size_t i = 0; i < peer->except_count; i++)
		if (!covered_before(peer, i) &&
			add_change(compile, &peer->except[i], matcher, -1) < 0)
			return -ENOMEM;
	return 0;
}

static void add_entity(struct compile *compile, enum policy_entity entity, uint32_t matcher)
{
	if (entity != ENTITY_HOST)
		bitset_set(compile->world, matcher);
	if (entity != ENTITY_WORLD)
		bitset_set(compile->host, matcher);
}

/* Who took one of a node's addresses must not get the node's rights with it. */
static int add_nodes(struct compile *compile, const struct selector *labels, uint32_t matcher)
{
	const struct model *model = compile->model;

	for (size_t i = 0; i < model->nodes_count; i++) {
		const struct model_node *node = &model->nodes[i];

		if (!selector_matches(labels, &node->labels))
			continue;
		for (size_t k = 0; k < node->addresses_count; k++) {
			const struct prefix place = {node->addresses[k], 128};

			if (!model_find_address(model, &place.address) &&
				add_change(compile, &place, matcher, 1) < 0)
				return -ENOMEM;
		}
	}
	return 0;
}

int compile_add_matcher(struct compile *compile, uint32_t matcher)
{
	const struct policy_rule *rule = compile->matchers[matcher].rule;

	for (size_t i = 0; i < rule->peers_count; i++) {
		const struct policy_peer *peer = &rule->peers[i];

		if (peer->kind == PEER_ENTITY)
			add_entity(compile, peer->entity, matcher);
		else if (peer->kind == PEER_CIDR && add_cidr(compile, peer, matcher) < 0)
			return -ENOMEM;
		else if (peer->kind == PEER_NODES &&
			 add_nodes(compile, &peer->workloads.labels, matcher) < 0)
			return -ENOMEM;
	}
	return 0;
}

int compile_compare_changes(const void *a, const void *b)
{
	const struct change *first = a, *second = b;
	int order = prefix_compare(&first->prefix, &second->prefix);

	return order ? order
		     : (first->matcher > second->matcher) - (first->matcher < second->matcher);
}

static bool same_prefix(const struct prefix *a, const struct prefix *b)
{
	return !prefix_compare(a, b);
}

static const struct prefix root_prefixes[] = {
	{.address = {{[10] = 0xff, [11] = 0xff}}, .length = 96},
	{.address = {{0}}, .length = 0},
};

/* Each prefix once, and always the two roots. */
static int list_prefixes(struct compile *compile, struct error *error)
{
	struct ir *ir = compile->ir;

	for (size_t i = 0; i < ARRAY_SIZE(root_prefixes); i++)
		if (add_change(compile, &root_prefixes[i], MATCHER_EVERYONE, 0) < 0)
			return error_nomem(error);
	qsort(compile->changes, compile->changes_count, sizeof(*compile->changes),
		compile_compare_changes);
	for (size_t i = 0; i < compile->changes_count; i++) {
		struct ir_prefix *slot;

		if (i && same_prefix(&compile->changes[i - 1].prefix, &compile->changes[i].prefix))
			continue;
		slot = array_append(ir->prefixes, ir->prefixes_count);
		if (!slot)
			return error_nomem(error);
		slot->prefix = compile->changes[i].prefix;
	}
	if (ir->prefixes_count > IR_PREFIXES_MAX)
		return error_set(error, -E2BIG,
			"policies name %zu different CIDRs; the bound is %d", ir->prefixes_count,
			IR_PREFIXES_MAX);
	return 0;
}

static int compare_addresses(const void *a, const void *b)
{
	const struct ir_address *first = a, *second = b;

	return address_compare(&first->address, &second->address);
}

static int add_node_address(struct compile *compile, const struct address *address)
{
	struct ir *ir = compile->ir;
	struct ir_address *slot;

	/* Who took one of the node's addresses must not get the node's rights with it. */
	if (model_find_address(compile->model, address))
		return 0;
	slot = array_append(ir->addresses, ir->addresses_count);
	if (!slot)
		return -ENOMEM;
	*slot = (struct ir_address){.address = *address, .workload = -1};
	return 0;
}

/* Workloads that share the node's network are the node. */
static int list_node_addresses(struct compile *compile)
{
	const struct model *model = compile->model;

	for (size_t i = 0; i < model->host_addresses_count; i++)
		if (add_node_address(compile, &model->host_addresses[i]) < 0)
			return -ENOMEM;
	for (size_t i = 0; i < model->workloads_count; i++) {
		const struct model_workload *workload = &model->workloads[i];

		for (size_t k = 0; workload->host_network && !workload->remote &&
				   k < workload->addresses_count;
			k++)
			if (add_node_address(compile, &workload->addresses[k]) < 0)
				return -ENOMEM;
	}
	return 0;
}

static int list_addresses(struct compile *compile)
{
	const struct model *model = compile->model;
	struct ir *ir = compile->ir;
	size_t kept = 0;

	for (size_t i = 0; i < model->addresses_count; i++) {
		struct ir_address *slot = array_append(ir->addresses, ir->addresses_count);

		if (!slot)
			return -ENOMEM;
		slot->address = model->addresses[i].address;
		slot->workload = (int64_t)model->addresses[i].workload;
	}
	if (list_node_addresses(compile) < 0)
		return -ENOMEM;
	if (!ir->addresses_count)
		return 0;
	qsort(ir->addresses, ir->addresses_count, sizeof(*ir->addresses), compare_addresses);
	for (size_t i = 0; i < ir->addresses_count; i++)
		if (!kept ||
			!address_equal(&ir->addresses[kept - 1].address, &ir->addresses[i].address))
			ir->addresses[kept++] = ir->addresses[i];
	ir->addresses_count = kept;
	return 0;
}

static void count(struct sweep *sweep, uint32_t matcher, int delta)
{
	if (matcher == MATCHER_EVERYONE)
		return;
	sweep->counts[matcher] += delta;
	if (sweep->counts[matcher] > 0)
		bitset_set(sweep->holds, matcher);
	else
		bitset_unset(sweep->holds, matcher);
}

/* Applies (sign 1) or takes back (-1) all changes of the prefix whose first one is at index. */
static void apply(struct sweep *sweep, size_t index, int sign)
{
	const struct compile *compile = sweep->compile;
	const struct prefix *prefix = &compile->changes[index].prefix;

	for (; index < compile->changes_count &&
		same_prefix(&compile->changes[index].prefix, prefix);
		index++)
		count(sweep, compile->changes[index].matcher, sign * compile->changes[index].delta);
}

static void close_outside(struct sweep *sweep, const struct prefix *place)
{
	while (sweep->open_count) {
		size_t innermost = sweep->open[sweep->open_count - 1];

		if (prefix_covers(&sweep->compile->changes[innermost].prefix, place))
			return;
		apply(sweep, innermost, -1);
		sweep->open_count--;
	}
}

/* 1: it is a new class. */
static int find_class(struct compile *compile, const uint64_t *holds, const uint64_t *matches,
	const uint64_t *names, bool host, uint32_t *ret)
{
	size_t words = compile->matcher_words + compile->name_words;
	_cleanup_free_ uint64_t *vector = malloc((words + 1) * sizeof(uint64_t));
	struct class_content *slot;
	int r;

	if (!vector)
		return -ENOMEM;
	for (size_t i = 0; i < compile->matcher_words; i++)
		vector[i] = holds[i] | matches[i];
	for (size_t i = 0; i < compile->name_words; i++)
		vector[compile->matcher_words + i] =
			names ? names[i] & compile->egress_names[i] : 0;
	/* The node has rights of its own, whether or not a policy names it. */
	vector[words] = host;
	r = intern(&compile->class_keys, vector, (words + 1) * sizeof(uint64_t), ret);
	if (r <= 0)
		return r;
	slot = array_append(compile->classes, compile->classes_count);
	if (!slot)
		return -ENOMEM;
	slot->host = host;
	slot->vector = TAKE_PTR(vector);
	return 1;
}

int compile_find_class(struct compile *compile, const struct address *address,
	const struct shape *shape, uint32_t *ret)
{
	size_t words = compile->matcher_words + 1;
	_cleanup_free_ uint64_t *holds = calloc(words, sizeof(uint64_t));
	_cleanup_free_ int *counts = calloc(compile->matchers_count + 1, sizeof(int));

	if (!holds || !counts)
		return -ENOMEM;
	for (size_t i = 0; i < compile->changes_count; i++) {
		const struct change *change = &compile->changes[i];

		if (change->matcher == MATCHER_EVERYONE ||
			!prefix_contains(&change->prefix, address))
			continue;
		counts[change->matcher] += change->delta;
		if (counts[change->matcher] > 0)
			bitset_set(holds, change->matcher);
		else
			bitset_unset(holds, change->matcher);
	}
	return find_class(compile, holds, shape->matches, shape->names, false, ret);
}

static int enter_prefix(struct sweep *sweep, struct ir_prefix *prefix)
{
	size_t first = sweep->next_prefix;

	close_outside(sweep, &prefix->prefix);
	while (!same_prefix(&sweep->compile->changes[first].prefix, &prefix->prefix))
		first++;
	sweep->next_prefix = first;
	apply(sweep, first, 1);
	sweep->open[sweep->open_count++] = first;
	return find_class(
		sweep->compile, sweep->holds, sweep->compile->world, NULL, false, &prefix->class);
}

static int enter_address(struct sweep *sweep, struct ir_address *address)
{
	struct compile *compile = sweep->compile;
	const struct prefix place = {address->address, 128};
	const struct shape *shape;
	int r;

	close_outside(sweep, &place);
	if (address->workload < 0)
		return find_class(
			compile, sweep->holds, compile->host, NULL, true, &address->class);
	shape = &compile->shapes[compile->workload_shapes[address->workload]];
	r = find_class(compile, sweep->holds, shape->matches, shape->names, false, &address->class);
	return r;
}

/* One address family: IPv6 prefixes around the IPv4-mapped ones mean nothing to IPv4. */
static int sweep_family(struct sweep *sweep, bool ipv4)
{
	struct ir *ir = sweep->compile->ir;
	size_t p = 0, a = 0;

	sweep->next_prefix = sweep->open_count = 0;
	memset(sweep->holds, 0, (sweep->compile->matcher_words + 1) * sizeof(uint64_t));
	memset(sweep->counts, 0, (sweep->compile->matchers_count + 1) * sizeof(int));
	while (p < ir->prefixes_count || a < ir->addresses_count) {
		bool prefix_first =
			a == ir->addresses_count ||
			(p < ir->prefixes_count && address_compare(&ir->prefixes[p].prefix.address,
							   &ir->addresses[a].address) <= 0);
		int r = 0;

		if (prefix_first && prefix_is_ipv4(&ir->prefixes[p].prefix) == ipv4)
			r = enter_prefix(sweep, &ir->prefixes[p]);
		else if (!prefix_first && address_is_ipv4(&ir->addresses[a].address) == ipv4)
			r = enter_address(sweep, &ir->addresses[a]);
		if (r < 0)
			return r;
		p += prefix_first;
		a += !prefix_first;
	}
	return 0;
}

static int sweep_prepare(struct sweep *sweep)
{
	struct compile *compile = sweep->compile;
	size_t words = compile->matcher_words + 1;

	sweep->counts = calloc(compile->matchers_count + 1, sizeof(int));
	sweep->holds = calloc(words, sizeof(uint64_t));
	/* No more prefixes can be around a place than there are lengths. */
	sweep->open = calloc(129, sizeof(size_t));
	return sweep->counts && sweep->holds && sweep->open ? 0 : -ENOMEM;
}

static int add_matchers(struct compile *compile)
{
	size_t words = compile->matcher_words + 1;

	compile->world = calloc(words, sizeof(uint64_t));
	compile->host = calloc(words, sizeof(uint64_t));
	if (!compile->world || !compile->host)
		return -ENOMEM;
	for (size_t i = 0; i < compile->matchers_count; i++)
		if (compile_add_matcher(compile, (uint32_t)i) < 0)
			return -ENOMEM;
	return 0;
}

static void sweep_clear(struct sweep *sweep)
{
	free(sweep->open);
	free(sweep->counts);
	free(sweep->holds);
}

int compile_classes(struct compile *compile, struct error *error)
{
	_cleanup_(sweep_clear) struct sweep sweep = {.compile = compile};
	int r;

	if (add_matchers(compile) < 0)
		return error_nomem(error);
	r = list_prefixes(compile, error);
	if (r < 0)
		return r;
	if (sweep_prepare(&sweep) < 0 || list_addresses(compile) < 0 ||
		sweep_family(&sweep, true) < 0 || sweep_family(&sweep, false) < 0)
		return error_nomem(error);
	if (compile->classes_count > IR_CLASSES_MAX)
		return error_set(error, -E2BIG,
			"policies tell %zu kinds of addresses apart; the bound is %d",
			compile->classes_count, IR_CLASSES_MAX);
	compile->ir->classes_count = compile->classes_count;
	return 0;
}
