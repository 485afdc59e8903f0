/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "policies/ir_shared.h"

#include "base/cleanup.h"
#include "policies/share.h"

#include <errno.h>
#include <string.h>

/* Never NULL unless out of memory. */
static void *duplicate(const void *items, size_t count, size_t size)
{
	void *copy = calloc(count + 1, size);

	if (copy && count)
		memcpy(copy, items, count * size);
	return copy;
}

static int copy_rules(const struct ir *from, struct ir *to)
{
	to->rules = duplicate(from->rules, from->rules_count, sizeof(*from->rules));
	if (!to->rules)
		return -ENOMEM;
	to->rules_count = from->rules_count;
	for (size_t i = 0; i < to->rules_count; i++)
		if (to->rules[i].document)
			document_reference((struct document *)to->rules[i].document);
	return 0;
}

static int copy_port_tables(const struct ir *from, struct ir *to)
{
	to->port_tables =
		duplicate(from->port_tables, from->port_tables_count, sizeof(*from->port_tables));
	if (!to->port_tables)
		return -ENOMEM;
	to->port_tables_count = from->port_tables_count;
	for (size_t i = 0; i < to->port_tables_count; i++)
		share_reference(to->port_tables[i].ranges);
	return 0;
}

static int copy_peer_tables(const struct ir *from, struct ir *to)
{
	to->peer_tables =
		duplicate(from->peer_tables, from->peer_tables_count, sizeof(*from->peer_tables));
	if (!to->peer_tables)
		return -ENOMEM;
	to->peer_tables_count = from->peer_tables_count;
	for (size_t i = 0; i < to->peer_tables_count; i++) {
		share_reference(to->peer_tables[i].peers);
		share_reference(to->peer_tables[i].name);
	}
	return 0;
}

static int copy_classes(const struct ir *from, struct ir *to)
{
	to->prefixes = duplicate(from->prefixes, from->prefixes_count, sizeof(*from->prefixes));
	to->class_names = duplicate(from->class_names, from->classes_count, sizeof(char *));
	if (!to->prefixes || !to->class_names)
		return -ENOMEM;
	to->prefixes_count = from->prefixes_count;
	to->classes_count = from->classes_count;
	for (size_t i = 0; i < to->classes_count; i++)
		share_reference(to->class_names[i]);
	return 0;
}

int ir_shared_new(const struct ir *ir, struct ir_shared **ret)
{
	_cleanup_(ir_freep) struct ir *tables = calloc(1, sizeof(*tables));
	struct ir_shared *shared;

	if (!tables || copy_rules(ir, tables) < 0 || copy_port_tables(ir, tables) < 0 ||
		copy_peer_tables(ir, tables) < 0 || copy_classes(ir, tables) < 0)
		return -ENOMEM;
	shared = calloc(1, sizeof(*shared));
	if (!shared)
		return -ENOMEM;
	shared->references = 1;
	shared->tables = TAKE_PTR(tables);
	*ret = shared;
	return 0;
}

struct ir_shared *ir_shared_reference(struct ir_shared *shared)
{
	shared->references++;
	return shared;
}

void ir_shared_release(struct ir_shared *shared)
{
	if (!shared || --shared->references)
		return;
	ir_free(shared->tables);
	free(shared);
}

int ir_shared_snapshot(struct ir_shared *shared, const struct ir *from, struct ir **ret)
{
	struct ir *ir = malloc(sizeof(*ir));

	if (!ir)
		return -ENOMEM;
	*ir = *shared->tables;
	ir->shared = ir_shared_reference(shared);
	ir->addresses = duplicate(from->addresses, from->addresses_count, sizeof(*ir->addresses));
	ir->subjects = duplicate(from->subjects, from->subjects_count, sizeof(*ir->subjects));
	if (!ir->addresses || !ir->subjects) {
		ir_free(ir);
		return -ENOMEM;
	}
	ir->addresses_count = from->addresses_count;
	ir->subjects_count = from->subjects_count;
	ir->host = from->host;
	*ret = ir;
	return 0;
}
