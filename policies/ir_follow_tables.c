/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Peer tables after the first compile: new ones for shapes whose policies come or go, and entries
 * for classes that are new. */
#include "policies/ir_builder.h"

#include "base/cleanup.h"
#include "policies/share.h"

#include <errno.h>
#include <string.h>

static bool is_selected(
	struct compiled_policy *const *policies, size_t count, const struct shape *shape)
{
	for (size_t i = 0; i < count; i++)
		if (compiled_policy_selects(policies[i], shape))
			return true;
	return false;
}

/* The shape's table of one direction, after policies have come and gone. */
static int follow_table(struct builder *builder, const struct shape *shape,
	struct compiled_policy *const *added, size_t added_count, enum direction direction,
	uint32_t *table)
{
	_cleanup_(origin_clear) struct origin next = {.list.direction = direction};
	int r = rule_list_follow(
		&next.list, &builder->origins[*table].list, added, added_count, shape);

	return r < 0 ? r : builder_table_of_list(builder, shape, &next, table);
}

int compile_follow_tables(
	struct compile *compile, struct compiled_policy *const *added, size_t added_count)
{
	struct builder *builder = compile->builder;
	int r = 0;

	for (size_t i = 0; i < compile->shapes_count; i++) {
		struct shape *shape = &compile->shapes[i];
		bool selected = shape->local && is_selected(added, added_count, shape);

		for (int k = 0; !r && shape->local && k < DIRECTION_COUNT; k++) {
			uint32_t *table = &shape->tables.peer_table[k];

			if (selected || rule_list_has_gone(&builder->origins[*table].list))
				r = follow_table(builder, shape, added, added_count,
					(enum direction)k, table);
		}
	}
	for (size_t i = 0; !r && i < compile->model->workloads_count; i++)
		compile->ir->subjects[i] = compile_subject(compile, i);
	return r;
}

void compile_drop_tables(struct compile *compile)
{
	struct builder *builder = compile->builder;

	for (size_t i = 0; i < builder->origins_count; i++) {
		struct ir_peer_table *table = &compile->ir->peer_tables[i];

		if (!rule_list_has_gone(&builder->origins[i].list))
			continue;
		origin_clear(&builder->origins[i]);
		builder->origins[i] = (struct origin){.dropped = true};
		share_release(table->peers);
		table->peers = NULL;
		table->peers_count = 0;
		table->otherwise = 0;
	}
}

/* A copy of the table's peers with more of them behind. */
static int extend_peers(struct ir_peer_table *table, const struct ir_peer *more, size_t count)
{
	size_t total = table->peers_count + count;
	_cleanup_free_ struct ir_peer *peers = calloc(total + 1, sizeof(*peers));
	struct ir_peer *block;

	if (!peers)
		return -ENOMEM;
	if (table->peers_count)
		memcpy(peers, table->peers, table->peers_count * sizeof(*peers));
	memcpy(peers + table->peers_count, more, count * sizeof(*peers));
	block = share_copy(peers, total * sizeof(*peers));
	if (!block)
		return -ENOMEM;
	share_release(table->peers);
	table->peers = block;
	table->peers_count = total;
	return 0;
}

int compile_add_class(struct compile *compile, uint32_t class)
{
	struct builder *builder = compile->builder;

	for (size_t i = 0; i < builder->origins_count; i++) {
		struct ir_peer_table *table = &compile->ir->peer_tables[i];
		struct ir_peer peer = {.class = class};
		int r;

		if (builder->origins[i].dropped)
			continue;
		r = builder_prepare(builder, &builder->origins[i].list);
		if (!r)
			r = builder_find_port_table(
				builder, &builder->origins[i], class, &peer.port_table);
		/* Its number is the highest so far, so the order stays. */
		if (!r && peer.port_table != table->otherwise)
			r = extend_peers(table, &peer, 1);
		if (r < 0)
			return r;
	}
	return 0;
}

static int compare_classes(const void *a, const void *b)
{
	const struct ir_peer *first = a, *second = b;

	return (first->class > second->class) - (first->class < second->class);
}

int compile_split_classes(struct compile *compile, const struct class_parts *parts)
{
	_cleanup_free_ struct ir_peer *more = calloc(parts->count + 1, sizeof(*more));

	if (!more)
		return -ENOMEM;
	for (size_t i = 0; i < compile->ir->peer_tables_count; i++) {
		struct ir_peer_table *table = &compile->ir->peer_tables[i];
		size_t count = 0;

		for (size_t k = 0; k < table->peers_count; k++)
			for (uint32_t part = parts->first[table->peers[k].class];
				part != CLASS_NONE; part = parts->next[part - parts->base])
				more[count++] = (struct ir_peer){part, table->peers[k].port_table};
		if (!count)
			continue;
		qsort(more, count, sizeof(*more), compare_classes);
		if (extend_peers(table, more, count) < 0)
			return -ENOMEM;
	}
	return 0;
}
