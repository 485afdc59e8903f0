/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "dataplane/nft/table_write.h"

#include "base/cleanup.h"
#include "dataplane/nft/layout.h"
#include "dataplane/nft/plan.h"

#include <errno.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>

int table_write_removal(struct batch *batch)
{
	struct nlmsghdr *message = batch_message(batch, NFT_MSG_DELTABLE, NFPROTO_INET, 0,
		"removal of table inet %s", batch_table(batch));

	if (!message)
		return -ENOMEM;
	mnl_attr_put_strz(message, NFTA_TABLE_NAME, batch_table(batch));
	batch_message_done(batch);
	return 0;
}

/* Nothing of the table counts as written. */
static bool is_whole(const struct table_change *change)
{
	return change->presence != TABLE_OURS;
}

static bool is_new_set(const struct table_change *change, const struct ruleset_set *set)
{
	return is_whole(change) || !ruleset_find_same_set(change->installed, set);
}

/* Those that will change come first: the kernel finds a set by its name, one after the other in the
 * order in which they were made. */
static int write_sets(const struct table_change *change, struct batch *batch)
{
	const struct ruleset_set *set;
	int r = 0;

	for (int later = 0; later < 2; later++)
		for (set = change->plan->sets; !r && set; set = set->hh.next)
			if (set->mutable == !later && is_new_set(change, set))
				r = set_write(batch, set->name, &set->shape);
	return r;
}

static int write_elements(const struct table_change *change, struct batch *batch)
{
	const struct ruleset_set *set;
	int r = 0;

	for (set = change->plan->sets; !r && set; set = set->hh.next)
		if (is_new_set(change, set))
			r = element_list_write(batch, NFT_MSG_NEWSETELEM, NLM_F_CREATE, set->name,
				&set->elements, ruleset_chain_name, change->plan);
	return r;
}

/* Those that others lead to come first. */
static int write_chains(const struct table_change *change, struct batch *batch)
{
	static const enum chain_kind order[] = {CHAIN_REFUSAL, CHAIN_PORTS, CHAIN_PEERS};
	const struct ruleset_chain *chain;
	int r = 0;

	for (size_t i = 0; !r && i < ARRAY_SIZE(order); i++)
		for (chain = change->plan->chains; !r && chain; chain = chain->hh.next)
			if (chain->kind == order[i] &&
				(is_whole(change) ||
					!ruleset_find_same_chain(change->installed, chain)))
				r = plan_write_chain(batch, change->ir, change->plan, chain,
					change->nflog_group);
	return r;
}

/* Whether or not one is there: it can be removed when it has been added. */
static int write_layout(const struct table_change *change, struct batch *batch)
{
	int r = 0;

	if (change->presence == TABLE_FOREIGN) {
		r = layout_write_table(batch, change->comment);
		if (!r)
			r = table_write_removal(batch);
	}
	return r ? r : layout_write(batch, change->comment, change->nflog_group);
}

/* Whatever is looked into or jumped to comes before whoever does so. */
int table_write_new(const struct table_change *change, struct batch *batch)
{
	int r;

	batch_set_rewriting(batch, change->presence == TABLE_DOUBTED);
	r = is_whole(change) ? write_layout(change, batch) : 0;
	if (!r)
		r = write_sets(change, batch);
	if (!r && is_whole(change))
		r = change->write_path(batch, change->nflog_group);
	if (!r)
		r = write_chains(change, batch);
	return r ? r : write_elements(change, batch);
}

static int write_set_change(const struct table_change *change, struct batch *batch,
	const struct ruleset_set *before, const struct ruleset_set *after)
{
	struct element_list removed = {0}, added = {0};
	int r = element_list_diff(&before->elements, &after->elements, &removed, &added);

	if (!r)
		r = element_list_write(batch, NFT_MSG_DELSETELEM, 0, after->name, &removed,
			ruleset_chain_name, change->installed);
	if (!r)
		r = element_list_write(batch, NFT_MSG_NEWSETELEM, NLM_F_CREATE, after->name, &added,
			ruleset_chain_name, change->plan);
	touched_add(change->touched, &after->shape, &removed);
	touched_add(change->touched, &after->shape, &added);
	element_list_clear(&removed);
	element_list_clear(&added);
	return r;
}

int table_write_elements(const struct table_change *change, struct batch *batch)
{
	const struct ruleset_set *before, *after;
	int r = 0;

	for (after = change->plan->sets; !r && after; after = after->hh.next) {
		before = ruleset_find_same_set(change->installed, after);
		if (before && after->mutable)
			r = write_set_change(change, batch, before, after);
	}
	return r;
}
