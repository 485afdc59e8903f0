/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "dataplane/nft/snapshot.h"

#include "base/cleanup.h"
#include "policies/document.h"
#include "policies/ir_shared.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

void snapshot_free(struct ir *snapshot)
{
	if (!snapshot)
		return;
	if (snapshot->shared) {
		ir_free(snapshot);
		return;
	}
	for (size_t i = 0; i < snapshot->port_tables_count; i++)
		free(snapshot->port_tables[i].ranges);
	for (size_t i = 0; i < snapshot->peer_tables_count; i++) {
		free(snapshot->peer_tables[i].peers);
		free(snapshot->peer_tables[i].name);
	}
	for (size_t i = 0; i < snapshot->rules_count; i++)
		document_release((struct document *)snapshot->rules[i].document);
	free(snapshot->rules);
	free(snapshot->port_tables);
	free(snapshot->peer_tables);
	free(snapshot->addresses);
	free(snapshot->prefixes);
	free(snapshot->subjects);
	free(snapshot);
}

/* NULL: out of memory, and only then. */
static void *copy(const void *items, size_t count, size_t size)
{
	void *copied = calloc(count + 1, size);

	if (copied && count)
		memcpy(copied, items, count * size);
	return copied;
}

static int copy_port_tables(const struct ir *ir, struct ir *snapshot)
{
	snapshot->port_tables = calloc(ir->port_tables_count + 1, sizeof(*ir->port_tables));
	if (!snapshot->port_tables)
		return -ENOMEM;
	for (size_t i = 0; i < ir->port_tables_count; i++) {
		const struct ir_port_table *from = &ir->port_tables[i];
		struct ir_port_table *table = &snapshot->port_tables[i];

		*table = *from;
		table->ranges = copy(from->ranges, from->ranges_count, sizeof(*from->ranges));
		snapshot->port_tables_count++;
		if (!table->ranges)
			return -ENOMEM;
	}
	return 0;
}

static int copy_peer_tables(const struct ir *ir, struct ir *snapshot)
{
	snapshot->peer_tables = calloc(ir->peer_tables_count + 1, sizeof(*ir->peer_tables));
	if (!snapshot->peer_tables)
		return -ENOMEM;
	for (size_t i = 0; i < ir->peer_tables_count; i++) {
		const struct ir_peer_table *from = &ir->peer_tables[i];
		struct ir_peer_table *table = &snapshot->peer_tables[i];

		*table = *from;
		table->name = strdup(from->name);
		table->peers = copy(from->peers, from->peers_count, sizeof(*from->peers));
		snapshot->peer_tables_count++;
		if (!table->peers || !table->name)
			return -ENOMEM;
	}
	return 0;
}

static int copy_lists(const struct ir *ir, struct ir *snapshot)
{
	snapshot->rules = copy(ir->rules, ir->rules_count, sizeof(*ir->rules));
	snapshot->addresses = copy(ir->addresses, ir->addresses_count, sizeof(*ir->addresses));
	snapshot->prefixes = copy(ir->prefixes, ir->prefixes_count, sizeof(*ir->prefixes));
	snapshot->subjects = copy(ir->subjects, ir->subjects_count, sizeof(*ir->subjects));
	if (!snapshot->rules || !snapshot->addresses || !snapshot->prefixes || !snapshot->subjects)
		return -ENOMEM;
	snapshot->rules_count = ir->rules_count;
	snapshot->addresses_count = ir->addresses_count;
	snapshot->prefixes_count = ir->prefixes_count;
	snapshot->subjects_count = ir->subjects_count;
	snapshot->classes_count = ir->classes_count;
	for (size_t i = 0; i < snapshot->rules_count; i++)
		if (snapshot->rules[i].document)
			document_reference((struct document *)snapshot->rules[i].document);
	return 0;
}

/* Most are shared already. */
static int share(const struct ir *ir, struct ir **ret)
{
	int r = ir_shared_snapshot(ir->shared, ir, ret);

	if (!r)
		(*ret)->host = (struct ir_subject){{IR_PEER_TABLE_NONE, IR_PEER_TABLE_NONE}};
	return r;
}

int snapshot_new(const struct ir *ir, struct ir **ret)
{
	_cleanup_(snapshot_freep) struct ir *snapshot = calloc(1, sizeof(*snapshot));

	if (ir->shared)
		return share(ir, ret);
	if (!snapshot || copy_lists(ir, snapshot) < 0 || copy_port_tables(ir, snapshot) < 0 ||
		copy_peer_tables(ir, snapshot) < 0)
		return -ENOMEM;
	snapshot->host = (struct ir_subject){{IR_PEER_TABLE_NONE, IR_PEER_TABLE_NONE}};
	*ret = TAKE_PTR(snapshot);
	return 0;
}

int snapshot_new_host(const struct ir *ir, struct ir **ret)
{
	struct ir *snapshot;
	int r = snapshot_new(ir, &snapshot);

	if (r < 0)
		return r;
	for (size_t i = 0; i < snapshot->subjects_count; i++)
		snapshot->subjects[i] = snapshot->host;
	snapshot->host = ir->host;
	*ret = snapshot;
	return 0;
}

static int compare_address(const void *key, const void *item)
{
	return address_compare(key, &((const struct ir_address *)item)->address);
}

const struct ir_address *snapshot_find(const struct ir *snapshot, const struct address *address)
{
	return bsearch(address, snapshot->addresses, snapshot->addresses_count,
		sizeof(*snapshot->addresses), compare_address);
}

bool snapshot_is_subject(const struct ir *snapshot, const struct address *address)
{
	const struct ir_address *found = snapshot_find(snapshot, address);

	return found &&
	       ir_subject_is_bound(found->workload < 0 ? &snapshot->host
						       : &snapshot->subjects[found->workload]);
}

void snapshot_explain(const struct ir *snapshot, const struct flow_query *query,
	const struct evaluation *evaluation, enum direction *ret_direction, uint32_t *ret_rule)
{
	bool audited = (evaluation->egress.flags | evaluation->ingress.flags) & DECISION_AUDIT;
	enum direction direction = evaluation->direction;
	const struct decision *decision;

	if (evaluation->verdict == VERDICT_ALLOW && !audited) {
		if (evaluation->egress.rule >= IR_RULE_FIRST)
			direction = DIRECTION_EGRESS;
		else if (evaluation->ingress.rule >= IR_RULE_FIRST)
			direction = DIRECTION_INGRESS;
		else
			direction = snapshot_is_subject(snapshot, &query->source)
					    ? DIRECTION_EGRESS
					    : DIRECTION_INGRESS;
	}
	decision = direction == DIRECTION_EGRESS ? &evaluation->egress : &evaluation->ingress;
	*ret_direction = direction;
	*ret_rule = snapshot->rules[decision->rule].id;
}
