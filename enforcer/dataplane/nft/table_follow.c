/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "dataplane/nft/table_private.h"

#include "base/cleanup.h"

#include <errno.h>
#include <linux/netfilter/nf_tables.h>

static int write_changes(
	struct table *table, const struct plan_changes *changes, struct batch *batch)
{
	int r = 0;

	for (size_t i = 0; !r && i < changes->count; i++) {
		const struct plan_change *change = &changes->items[i];

		r = element_list_write(batch, NFT_MSG_DELSETELEM, 0, change->set, &change->removed,
			ruleset_chain_name, &table->installed);
		if (!r)
			r = element_list_write(batch, NFT_MSG_NEWSETELEM, NLM_F_CREATE, change->set,
				&change->added, ruleset_chain_name, &table->installed);
	}
	return r;
}

static int remember_changes(struct table *table, const struct plan_changes *changes)
{
	int r = 0;

	for (size_t i = 0; !r && i < changes->count; i++) {
		const struct plan_change *change = &changes->items[i];
		struct ruleset_set *set = ruleset_find_set(&table->installed, change->set);

		r = set ? element_list_patch(&set->elements, &change->removed, &change->added)
			: -ENOENT;
		if (r < 0)
			break;
		touched_add(&table->touched, &set->shape, &change->removed);
		touched_add(&table->touched, &set->shape, &change->added);
		table->statistics.elements += change->added.count - change->removed.count;
	}
	return r;
}

int table_follow(struct table *table, const struct plan_changes *changes, struct error *error)
{
	_cleanup_(batch_freep) struct batch *batch = NULL;
	int r = table_begin(table, &batch);

	if (!r)
		r = write_changes(table, changes, batch);
	if (r < 0)
		return error_nomem(error);
	table->statistics.last_messages = table->statistics.last_bytes = 0;
	r = table_send(table, batch, error);
	if (r < 0) {
		(void)table_lose_trust(table, r);
	} else if (remember_changes(table, changes) < 0) {
		/* What it holds now is what nobody has written down, nor whom that concerns. */
		table->touched.all = true;
		table_doubt(table, TABLE_EDITED);
	}
	if (!r)
		table->statistics.generation += changes->count > 0;
	return r;
}
