/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "dataplane/nft/table_private.h"

#include "base/cleanup.h"
#include "dataplane/nft/batch.h"
#include "dataplane/nft/blame.h"
#include "dataplane/nft/chain.h"
#include "dataplane/nft/layout.h"
#include "dataplane/nft/listing.h"
#include "dataplane/nft/netlink.h"
#include "dataplane/nft/packet_path.h"
#include "dataplane/nft/table_write.h"

#include <errno.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Long beyond any packet's way through a chain. */
#define RETIREMENT_NS UINT64_C(1000000000)

const struct table_kind table_of_workloads = {LAYOUT_TABLE, packet_path_write};

/* "segd layout 1 nflog 86; note": the note is what comes behind. */
static bool read_comment(
	const struct table *table, const char *comment, char note[static LISTING_COMMENT_MAX])
{
	unsigned int version, group;
	int used = 0;

	if (sscanf(comment, "segd layout %u nflog %u;%n", &version, &group, &used) != 2 || !used)
		return false;
	snprintf(note, LISTING_COMMENT_MAX, "%s", comment + used + strspn(comment + used, " "));
	return version == LAYOUT_VERSION && group == table->nflog_group;
}

/* What is known of the table is what the kernel says. */
static int read_back(struct table *table, struct error *error)
{
	char comment[LISTING_COMMENT_MAX];
	int r = listing_table(table->socket, table->kind->name, comment);

	ruleset_clear(&table->installed);
	table->presence = TABLE_ABSENT;
	if (r == -ENOENT)
		return 0;
	if (!r && !read_comment(table, comment, table->note)) {
		table->presence = TABLE_FOREIGN;
		return 0;
	}
	if (!r)
		r = listing_ruleset(table->socket, table->kind->name, &table->installed);
	if (r < 0)
		return error_errno(error, r, "read table inet %s", table->kind->name);
	/* Chains and sets have the names; what somebody made of them meanwhile, nobody knows. */
	table->presence = TABLE_DOUBTED;
	return 0;
}

int table_open(const struct table_kind *kind, uint16_t nflog_group, struct table **ret,
	struct error *error)
{
	_cleanup_(table_freep) struct table *table = calloc(1, sizeof(*table));
	int r;

	if (!table)
		return error_nomem(error);
	table->kind = kind;
	table->nflog_group = nflog_group;
	r = netlink_open(&table->socket, error);
	if (!r)
		r = read_back(table, error);
	if (r < 0)
		return r;
	table->adopted = table->presence == TABLE_DOUBTED;
	*ret = TAKE_PTR(table);
	return 0;
}

void table_free(struct table *table)
{
	if (!table)
		return;
	netlink_closep(&table->socket);
	ruleset_clear(&table->installed);
	touched_clear(&table->touched);
	free(table->adopting.items);
	free(table);
}

bool table_adopted(const struct table *table)
{
	return table->adopted;
}

bool table_is_there(const struct table *table)
{
	return table->presence >= TABLE_DOUBTED;
}

bool table_is_sound(const struct table *table)
{
	return table->presence == TABLE_OURS;
}

void table_doubt(struct table *table, enum table_damage damage)
{
	static const enum table_presence presence[] = {
		[TABLE_EDITED] = TABLE_DOUBTED,
		[TABLE_EXTENDED] = TABLE_FOREIGN,
		[TABLE_REMOVED] = TABLE_ABSENT,
	};

	if (presence[damage] < table->presence)
		table->presence = presence[damage];
	if (table->presence < TABLE_DOUBTED)
		ruleset_clear(&table->installed);
}

const char *table_note(const struct table *table)
{
	return table->note;
}

int table_begin(const struct table *table, struct batch **ret)
{
	int r = batch_new(ret);

	if (!r)
		batch_set_table(*ret, table->kind->name);
	return r;
}

/* New in the kernel: remembered as not needed until the change is complete. */
static int remember_new(struct table *table, const struct ruleset *plan, uint64_t now_ns)
{
	const struct ruleset_chain *chain;
	const struct ruleset_set *set;

	for (chain = plan->chains; chain; chain = chain->hh.next) {
		struct ruleset_chain *added;

		if (ruleset_find_same_chain(&table->installed, chain))
			continue;
		added = ruleset_add_chain(&table->installed, chain->name);
		if (!added)
			return -ENOMEM;
		added->retired_ns = now_ns;
	}
	for (set = plan->sets; set; set = set->hh.next) {
		struct ruleset_set *added;

		if (ruleset_find_same_set(&table->installed, set))
			continue;
		added = ruleset_add_set(&table->installed, set->name, &set->shape, set->mutable);
		if (!added)
			return -ENOMEM;
		added->retired_ns = now_ns;
		for (size_t i = 0; set->mutable && i < set->elements.count; i++)
			if (element_list_add(&added->elements, &set->elements.items[i]) < 0)
				return -ENOMEM;
	}
	return 0;
}

static void retire(uint64_t *retired_ns, bool needed, uint64_t now_ns)
{
	if (needed)
		*retired_ns = 0;
	else if (!*retired_ns)
		*retired_ns = now_ns;
}

/* The elements are as planned now; what the plan does not name is not needed. */
static void settle(struct table *table, struct ruleset *plan, uint64_t now_ns)
{
	struct ruleset_chain *chain;
	struct ruleset_set *set;

	table->statistics.elements = 0;
	for (chain = table->installed.chains; chain; chain = chain->hh.next)
		retire(&chain->retired_ns, ruleset_find_same_chain(plan, chain), now_ns);
	for (set = table->installed.sets; set; set = set->hh.next) {
		struct ruleset_set *planned = ruleset_find_same_set(plan, set);

		retire(&set->retired_ns, planned, now_ns);
		if (!planned || !set->mutable)
			continue;
		element_list_clear(&set->elements);
		set->elements = planned->elements;
		planned->elements = (struct element_list){0};
		table->statistics.elements += set->elements.count;
	}
}

int table_send(struct table *table, struct batch *batch, struct error *error)
{
	table->statistics.last_messages += batch_count(batch);
	if (batch_count(batch))
		table->statistics.last_bytes += batch_bytes(batch);
	return batch_send(batch, table->socket, NULL, NULL, error);
}

static struct table_change change_to(
	struct table *table, const struct ir *ir, struct ruleset *plan, const char *comment)
{
	return (struct table_change){
		.presence = table->presence,
		.installed = &table->installed,
		.ir = ir,
		.plan = plan,
		.write_path = table->kind->write_path,
		.comment = comment,
		.touched = &table->touched,
		.nflog_group = table->nflog_group,
	};
}

/* What was written again is as planned. */
static int remember_written(struct table *table, const struct ruleset *plan)
{
	struct ruleset_set *set;

	for (set = table->installed.sets; set; set = set->hh.next) {
		const struct ruleset_set *planned = ruleset_find_same_set(plan, set);

		/* Of what an earlier agent left only the name was known. */
		if (planned)
			set->shape = planned->shape;
		element_list_clear(&set->elements);
		for (size_t i = 0; planned && set->mutable && i < planned->elements.count; i++)
			if (element_list_add(&set->elements, &planned->elements.items[i]) < 0)
				return -ENOMEM;
	}
	return 0;
}

static int prepare(struct table *table, const struct ir *ir, struct ruleset *plan, const char *note,
	uint64_t now_ns, struct error *error)
{
	_cleanup_(batch_freep) struct batch *batch = NULL;
	char comment[2 * LISTING_COMMENT_MAX];
	const struct table_change change = change_to(table, ir, plan, comment);
	int r = table_begin(table, &batch);

	snprintf(comment, sizeof(comment), "segd layout %u nflog %u; %s", LAYOUT_VERSION,
		table->nflog_group, note);
	if (!r) {
		batch_set_explain(batch, blame_explain, (void *)&change);
		r = table_write_new(&change, batch);
	}
	if (!r && table->presence < TABLE_DOUBTED)
		r = table_write_adopting(table, batch, 0, now_ns);
	if (r < 0)
		return error_nomem(error);
	r = table_send(table, batch, error);
	if (r < 0)
		return r;
	if (table->presence < TABLE_DOUBTED)
		snprintf(table->note, sizeof(table->note), "%s", note);
	if (table->presence != TABLE_OURS)
		r = remember_written(table, plan);
	table->presence = TABLE_OURS;
	if (!r)
		r = remember_new(table, plan, now_ns);
	return r < 0 ? error_nomem(error) : 0;
}

static int flip(struct table *table, const struct ir *ir, struct ruleset *plan, struct error *error)
{
	const struct table_change change = change_to(table, ir, plan, NULL);
	_cleanup_(batch_freep) struct batch *batch = NULL;
	int r = table_begin(table, &batch);

	if (!r) {
		batch_set_explain(batch, blame_explain, (void *)&change);
		r = table_write_elements(&change, batch);
	}
	return r < 0 ? error_nomem(error) : table_send(table, batch, error);
}

/* Does the plan ask for more than what is installed, or for less? */
static bool differs(const struct table *table, const struct ruleset *plan)
{
	const struct ruleset_chain *chain;
	const struct ruleset_set *set;

	if (table->presence < TABLE_DOUBTED)
		return true;
	for (chain = plan->chains; chain; chain = chain->hh.next)
		if (!ruleset_find_same_chain(&table->installed, chain))
			return true;
	for (set = plan->sets; set; set = set->hh.next) {
		const struct ruleset_set *found = ruleset_find_same_set(&table->installed, set);

		if (!found ||
			(set->mutable && !element_list_equal(&found->elements, &set->elements)))
			return true;
	}
	return false;
}

bool table_lose_trust(struct table *table, int code)
{
	bool drift = code == -ENOENT || code == -EEXIST || code == -EBUSY || code == -ENOTEMPTY;

	if (table->presence == TABLE_OURS && drift)
		table_doubt(table, TABLE_EDITED);
	else if (table->presence == TABLE_DOUBTED && code != -ENOMEM)
		table_doubt(table, TABLE_EXTENDED);
	else if (table->presence == TABLE_ABSENT && drift)
		table->presence = TABLE_FOREIGN;
	else
		return false;
	return true;
}

int table_apply(struct table *table, const struct ir *ir, struct ruleset *plan, const char *note,
	uint64_t now_ns, bool *ret_changed, struct error *error)
{
	bool changed = differs(table, plan);
	int r;

	do {
		table->statistics.last_messages = table->statistics.last_bytes = 0;
		table->touched.all |= table->presence != TABLE_OURS;
		r = prepare(table, ir, plan, note, now_ns, error);
		if (!r)
			r = flip(table, ir, plan, error);
	} while (r < 0 && table_lose_trust(table, r));
	if (r < 0)
		return error_context(error, r, "change table inet %s", table->kind->name);
	if (error)
		error_clear(error);
	settle(table, plan, now_ns);
	*ret_changed = changed;
	table->statistics.generation += changed;
	return 0;
}

const struct touched *table_touched(struct table *table)
{
	touched_sort(&table->touched);
	return &table->touched;
}

void table_forget_touched(struct table *table)
{
	touched_clear(&table->touched);
}

static bool is_due(uint64_t retired_ns, uint64_t now_ns)
{
	return retired_ns && now_ns >= retired_ns + RETIREMENT_NS;
}

static int write_sweep(struct table *table, struct batch *batch, uint64_t now_ns)
{
	struct ruleset_chain *chain;
	struct ruleset_set *set;
	int r = 0;

	for (chain = table->installed.chains; !r && chain; chain = chain->hh.next)
		if (is_due(chain->retired_ns, now_ns))
			r = chain_write_flush(batch, chain->name);
	for (set = table->installed.sets; !r && set; set = set->hh.next)
		if (is_due(set->retired_ns, now_ns))
			r = set_write_removal(batch, set->name);
	for (chain = table->installed.chains; !r && chain; chain = chain->hh.next)
		if (is_due(chain->retired_ns, now_ns))
			r = chain_write_removal(batch, NFPROTO_INET, chain->name);
	return r;
}

/* Says so once: then the table is known to be absent, and table_apply() makes it anew. */
static int check_presence(struct table *table, struct error *error)
{
	char comment[LISTING_COMMENT_MAX];

	if (!table_is_there(table) ||
		listing_table(table->socket, table->kind->name, comment) != -ENOENT)
		return 0;
	table_doubt(table, TABLE_REMOVED);
	return error_set(error, -ENOENT,
		"somebody removed table inet %s: nothing is refused until it is back",
		table->kind->name);
}

int table_sweep(struct table *table, uint64_t now_ns, struct error *error)
{
	_cleanup_(batch_freep) struct batch *batch = NULL;
	struct ruleset_chain *chain, *next_chain;
	struct ruleset_set *set, *next_set;
	int r = check_presence(table, error);

	if (r < 0)
		return r;
	r = table_begin(table, &batch);
	if (!r)
		r = write_sweep(table, batch, now_ns);
	if (r < 0)
		return error_nomem(error);
	r = batch_send(batch, table->socket, NULL, NULL, error);
	if (r < 0) {
		(void)table_lose_trust(table, r);
		return error_context(error, r, "clean up table inet %s", table->kind->name);
	}
	HASH_ITER (hh, table->installed.chains, chain, next_chain)
		if (is_due(chain->retired_ns, now_ns))
			ruleset_remove_chain(&table->installed, chain);
	HASH_ITER (hh, table->installed.sets, set, next_set)
		if (is_due(set->retired_ns, now_ns))
			ruleset_remove_set(&table->installed, set);
	return 0;
}

int table_remove(struct table *table, struct error *error)
{
	_cleanup_(batch_freep) struct batch *batch = NULL;
	int r = table_begin(table, &batch);

	if (!r)
		r = table_write_removal(batch);
	if (r < 0)
		return error_nomem(error);
	r = batch_send(batch, table->socket, NULL, NULL, error);
	if (r < 0 && r != -ENOENT)
		return r;
	ruleset_clear(&table->installed);
	table->presence = TABLE_ABSENT;
	table->adopting.count = 0;
	return 0;
}

struct table_statistics table_statistics(const struct table *table)
{
	struct table_statistics statistics = table->statistics;

	statistics.chains = HASH_COUNT(table->installed.chains);
	statistics.sets = HASH_COUNT(table->installed.sets);
	return statistics;
}

const struct ruleset *table_installed(const struct table *table)
{
	return &table->installed;
}
