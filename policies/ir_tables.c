/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "policies/ir_builder.h"

#include "base/cleanup.h"
#include "policies/array.h"
#include "policies/share.h"

#include <errno.h>

#define IR_PEER_TABLES_MAX 16383
#define NO_POSITION        UINT32_MAX

/* The numbers of all names that rules of the list use. */
static void mark_names(struct builder *builder, const struct rule_list *list)
{
	memset(builder->names_mask, 0, (builder->compile->name_words + 1) * sizeof(uint64_t));
	for (size_t i = 0; i < list->rules_count; i++) {
		const struct policy_rule *source = list->rules[i]->source;

		for (size_t k = 0; k < source->ports_count; k++) {
			const struct policy_port *port = &source->ports[k];
			const struct port_name *name = port->name
							       ? compile_port_name(builder->compile,
									 port->protocol, port->name)
							       : NULL;

			for (size_t n = 0; name && n < name->numbers_count; n++)
				bitset_set(builder->names_mask, name->numbers[n]);
		}
	}
}

/* The subject's numbers for the names that ingress rules use; on egress they are the peer's. */
static int subject_names(const struct builder *builder, const struct rule_list *list,
	const struct shape *shape, uint64_t **ret)
{
	size_t words = builder->compile->name_words;
	uint64_t *names = calloc(words + 1, sizeof(*names));

	if (!names)
		return -ENOMEM;
	for (size_t i = 0; shape && list->direction == DIRECTION_INGRESS && i < words; i++)
		names[i] = shape->names[i] & builder->names_mask[i];
	*ret = names;
	return 0;
}

/* Subjects with the same key share a peer table. 1: new, 0: known, -ENOMEM. */
static int find_table(
	struct builder *builder, const struct rule_list *list, const uint64_t *names, uint32_t *ret)
{
	const struct compile *compile = builder->compile;
	size_t words = 1 + list->policies_count + compile->name_words;
	_cleanup_free_ uint64_t *key = calloc(words, sizeof(*key));

	if (!key)
		return -ENOMEM;
	key[0] = list->direction;
	for (size_t i = 0; i < list->policies_count; i++)
		key[1 + i] = list->policies[i]->serial;
	memcpy(key + 1 + list->policies_count, names, compile->name_words * sizeof(*key));
	return intern(&builder->keys, key, words * sizeof(*key), ret);
}

/* Which rules each matcher leads to. */
static void link_rules(struct builder *builder, const struct rule_list *list)
{
	const struct compile *compile = builder->compile;

	memset(builder->mask, 0, (compile->matcher_words + 1) * sizeof(uint64_t));
	for (size_t i = 0; i < list->rules_count; i++) {
		uint32_t matcher = list->rules[i]->matcher;

		if (matcher == MATCHER_EVERYONE)
			continue;
		builder->following[i] =
			bitset_has(builder->mask, matcher) ? builder->first[matcher] : NO_POSITION;
		builder->first[matcher] = (uint32_t)i;
		bitset_set(builder->mask, matcher);
	}
}

static void match_rules(const struct builder *builder, const struct rule_list *list,
	const uint64_t *vector, uint64_t *matched)
{
	for (size_t i = 0; i < list->rules_count; i++)
		if (list->rules[i]->matcher == MATCHER_EVERYONE)
			bitset_set(matched, i);
	for (size_t word = 0; word < builder->compile->matcher_words; word++) {
		uint64_t bits = vector[word] & builder->mask[word];

		for (; bits; bits &= bits - 1) {
			size_t matcher = word * BITSET_WORD_BITS + (size_t)__builtin_ctzll(bits);

			for (uint32_t i = builder->first[matcher]; i != NO_POSITION;
				i = builder->following[i])
				bitset_set(matched, i);
		}
	}
}

/* One view of a class: all that decides about its port table, as one key. */
struct view {
	uint64_t *words; /* matched rules, then named ports, then whether it is the node */
	size_t rule_words;
	size_t name_words;
};

/* Whatever comes first in a list is in the highest tier. */
static bool is_quarantined(const struct rule_list *list)
{
	return list->rules_count && list->rules[0]->policy->policy->tier == TIER_QUARANTINE;
}

static void look_at_class(const struct builder *builder, const struct rule_list *list,
	const uint64_t *names, const struct class_content *content, struct view *view)
{
	const struct compile *compile = builder->compile;
	bool ingress = list->direction == DIRECTION_INGRESS;

	memset(view->words, 0, (view->rule_words + view->name_words + 1) * sizeof(uint64_t));
	if (ingress && !list->host && content->host && !compile->options->restrict_node &&
		!is_quarantined(list)) {
		view->words[view->rule_words + view->name_words] = 1;
		return;
	}
	match_rules(builder, list, content->vector, view->words);
	for (size_t i = 0; i < view->name_words; i++)
		view->words[view->rule_words + i] =
			ingress ? names[i]
				: content->vector[compile->matcher_words + i] &
					  builder->names_mask[i];
}

static int make_port_table(struct compile *compile, const struct rule_list *list,
	const struct view *view, uint32_t *ret)
{
	const struct decision node = {VERDICT_ALLOW, 0, IR_RULE_NODE};

	if (view->words[view->rule_words + view->name_words])
		return compile_flat_port_table(compile, node, ret);
	return compile_port_table(compile, list, view->words, view->words + view->rule_words, ret);
}

int builder_prepare(struct builder *builder, const struct rule_list *list)
{
	if (builder->following_count < list->rules_count + 1) {
		free(builder->following);
		builder->following_count = 2 * (list->rules_count + 1);
		builder->following = calloc(builder->following_count, sizeof(uint32_t));
		if (!builder->following) {
			builder->following_count = 0;
			return -ENOMEM;
		}
	}
	link_rules(builder, list);
	mark_names(builder, list);
	return 0;
}

int builder_find_port_table(
	struct builder *builder, struct origin *origin, uint32_t class, uint32_t *ret)
{
	struct compile *compile = builder->compile;
	struct view view = {.rule_words = bitset_words(origin->list.rules_count),
		.name_words = compile->name_words};
	size_t size = (view.rule_words + view.name_words + 1) * sizeof(uint64_t);
	size_t count = origin->views.count;
	_cleanup_free_ uint64_t *words = malloc(size);
	uint32_t number, *slot;
	int r;

	if (!words)
		return -ENOMEM;
	view.words = words;
	look_at_class(builder, &origin->list, origin->names, &compile->classes[class], &view);
	r = intern(&origin->views, words, size, &number);
	if (r < 0)
		return r;
	if (r > 0) {
		slot = array_append(origin->view_tables, count);
		if (!slot)
			return -ENOMEM;
		r = make_port_table(compile, &origin->list, &view, slot);
		if (r < 0)
			return r;
	}
	*ret = origin->view_tables[number];
	return 0;
}

/* The port table of most classes: what is the rule needs no entry. */
static int most_common(
	const uint32_t *port_tables, size_t count, size_t tables_count, uint32_t *ret)
{
	_cleanup_free_ uint32_t *uses = calloc(tables_count, sizeof(*uses));
	uint32_t best = port_tables[0];

	if (!uses)
		return -ENOMEM;
	for (size_t i = 0; i < count; i++)
		uses[port_tables[i]]++;
	for (size_t i = 0; i < count; i++)
		if (uses[port_tables[i]] > uses[best])
			best = port_tables[i];
	*ret = best;
	return 0;
}

static char *table_name(const struct rule_list *list)
{
	const struct document *first = list->policies_count ? list->policies[0]->document : NULL;
	_cleanup_free_ char *name = NULL;
	char more[24] = "";

	if (!first)
		return share_text("default");
	if (list->policies_count > 1)
		snprintf(more, sizeof(more), "+%zu", list->policies_count - 1);
	if (asprintf(&name, "%s%s%s%s", first->namespace, *first->namespace ? "/" : "", first->name,
		    more) < 0) {
		name = NULL;
		return NULL;
	}
	return share_text(name);
}

static void peer_table_clear(struct ir_peer_table *table)
{
	share_release(table->peers);
	share_release(table->name);
}

/* What differs from the table's otherwise, as a block to be shared. */
static int set_peers(
	const struct compile *compile, const uint32_t *port_tables, struct ir_peer_table *table)
{
	_cleanup_free_ struct ir_peer *peers = calloc(compile->classes_count + 1, sizeof(*peers));

	if (!peers)
		return -ENOMEM;
	for (size_t i = 0; i < compile->classes_count; i++)
		if (port_tables[i] != table->otherwise)
			peers[table->peers_count++] = (struct ir_peer){(uint32_t)i, port_tables[i]};
	table->peers = share_copy(peers, table->peers_count * sizeof(*peers));
	return table->peers ? 0 : -ENOMEM;
}

/* Takes what the origin owns when it succeeds. */
static int build_table(struct builder *builder, struct origin *origin)
{
	_cleanup_(peer_table_clear) struct ir_peer_table table = {
		.direction = origin->list.direction};
	struct compile *compile = builder->compile;
	struct ir *ir = compile->ir;
	_cleanup_free_ uint32_t *port_tables = calloc(compile->classes_count, sizeof(*port_tables));
	struct ir_peer_table *slot;
	struct origin *kept;
	int r;

	if (ir->peer_tables_count == IR_PEER_TABLES_MAX)
		return -E2BIG;
	if (!port_tables || builder_prepare(builder, &origin->list) < 0)
		return -ENOMEM;
	for (size_t i = 0; i < compile->classes_count; i++) {
		r = builder_find_port_table(builder, origin, (uint32_t)i, &port_tables[i]);
		if (r < 0)
			return r;
	}
	r = most_common(
		port_tables, compile->classes_count, ir->port_tables_count, &table.otherwise);
	if (r < 0 || set_peers(compile, port_tables, &table) < 0)
		return -ENOMEM;
	table.name = table_name(&origin->list);
	kept = array_append(builder->origins, builder->origins_count);
	slot = table.name && kept ? array_append(ir->peer_tables, ir->peer_tables_count) : NULL;
	if (!slot)
		return -ENOMEM;
	*slot = table;
	*kept = *origin;
	table = (struct ir_peer_table){0};
	*origin = (struct origin){0};
	return 0;
}

void origin_clear(struct origin *origin)
{
	rule_list_clear(&origin->list);
	free(origin->names);
	intern_clear(&origin->views);
	free(origin->view_tables);
}

int builder_table_of_list(
	struct builder *builder, const struct shape *shape, struct origin *origin, uint32_t *ret)
{
	int r;

	mark_names(builder, &origin->list);
	if (subject_names(builder, &origin->list, shape, &origin->names) < 0)
		return -ENOMEM;
	r = find_table(builder, &origin->list, origin->names, ret);
	return r > 0 ? build_table(builder, origin) : r;
}

/* The peer table of a shape, or of the node (NULL), in one direction. */
static int table_of_shape(
	struct builder *builder, const struct shape *shape, enum direction direction, uint32_t *ret)
{
	_cleanup_(origin_clear) struct origin origin = {
		.list = {.direction = direction, .host = !shape}};

	if (rule_list_fill(&origin.list, builder->compile, shape) < 0)
		return -ENOMEM;
	if (!shape && !origin.list.policies_count) {
		*ret = IR_PEER_TABLE_NONE;
		return 0;
	}
	return builder_table_of_list(builder, shape, &origin, ret);
}

int compile_shape_tables(struct compile *compile, struct shape *shape)
{
	int r = 0;

	for (int direction = 0; !r && direction < DIRECTION_COUNT; direction++)
		r = table_of_shape(compile->builder, shape, (enum direction)direction,
			&shape->tables.peer_table[direction]);
	return r;
}

int compile_host_tables(struct compile *compile)
{
	int r = 0;

	for (int direction = 0; !r && direction < DIRECTION_COUNT; direction++)
		r = table_of_shape(compile->builder, NULL, (enum direction)direction,
			&compile->ir->host.peer_table[direction]);
	return r;
}

static int assign_subjects(struct compile *compile)
{
	const struct model *model = compile->model;
	struct ir *ir = compile->ir;
	int r = 0;

	ir->subjects = calloc(model->workloads_count + 1, sizeof(*ir->subjects));
	if (!ir->subjects)
		return -ENOMEM;
	for (size_t i = 0; !r && i < compile->shapes_count; i++)
		if (compile->shapes[i].local)
			r = compile_shape_tables(compile, &compile->shapes[i]);
	if (!r)
		r = compile_host_tables(compile);
	if (r < 0)
		return r;
	ir->subjects_count = model->workloads_count;
	for (size_t i = 0; i < model->workloads_count; i++)
		ir->subjects[i] = compile_subject(compile, i);
	return 0;
}

struct ir_subject compile_subject(const struct compile *compile, size_t workload)
{
	uint32_t shape = compile->workload_shapes[workload];

	if (shape == SHAPE_NONE || compile->model->workloads[workload].remote)
		return (struct ir_subject){{IR_PEER_TABLE_NONE, IR_PEER_TABLE_NONE}};
	return compile->shapes[shape].tables;
}

void builder_free(struct builder *builder)
{
	if (!builder)
		return;
	for (size_t i = 0; i < builder->origins_count; i++)
		origin_clear(&builder->origins[i]);
	free(builder->origins);
	intern_clear(&builder->keys);
	free(builder->first);
	free(builder->following);
	free(builder->mask);
	free(builder->names_mask);
	free(builder);
}

int compile_tables(struct compile *compile, struct error *error)
{
	struct builder *builder = calloc(1, sizeof(*builder));
	int r;

	if (!builder)
		return error_nomem(error);
	compile->builder = builder;
	builder->compile = compile;
	builder->first = calloc(compile->matcher_words * BITSET_WORD_BITS + 1, sizeof(uint32_t));
	builder->mask = calloc(compile->matcher_words + 1, sizeof(uint64_t));
	builder->names_mask = calloc(compile->name_words + 1, sizeof(uint64_t));
	if (!builder->first || !builder->mask || !builder->names_mask)
		return error_nomem(error);
	r = assign_subjects(compile);
	if (r == -E2BIG)
		return error_set(error, r,
			"policies need more tables than the %d for peers and 65535 for ports",
			IR_PEER_TABLES_MAX);
	return r < 0 ? error_nomem(error) : 0;
}
