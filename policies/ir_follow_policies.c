/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * From one set of policies to the next by what differs. New ones come in before old ones go, so
 * that what a changed policy asks for as before never leaves.
 */
#include "policies/ir_follow_policies.h"

#include "base/cleanup.h"
#include "policies/array.h"
#include "policies/precedence.h"

#include <errno.h>

#define CHANGES_MAX 64 /* policies; with more, compiling anew is as good */

struct change_set {
	struct compile *compile;
	struct compiled_policy **added;
	size_t added_count;
	struct bit_list added_bits;
	struct bit_list removed_bits;
	bool host; /* some of them are about the node */
};

static void change_set_clear(struct change_set *set)
{
	free(set->added);
	free(set->added_bits.items);
	free(set->removed_bits.items);
}

int bit_list_add(struct bit_list *bits, size_t bit)
{
	size_t *slot = array_append(bits->items, bits->count);

	if (!slot)
		return -ENOMEM;
	*slot = bit;
	return 0;
}

/* The first policy that is not before the document. */
static size_t find_place(const struct compile *compile, const struct document *document)
{
	size_t low = 0, high = compile->policies_count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (documents_compare(compile->policies[middle]->document, document) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static void mark_gone(struct change_set *set, const struct document *document)
{
	struct compile *compile = set->compile;
	size_t place = find_place(compile, document);

	while (compile->policies[place]->document != document)
		place++;
	compile->policies[place]->gone = true;
	set->host |= document->policy->host;
	/* A changed policy's rules have the same ids. */
	compile_drop_rules(compile, compile->policies[place]);
}

static int add_policy(struct change_set *set, struct document *document)
{
	struct compile *compile = set->compile;
	size_t place = find_place(compile, document), labels = compile->label_keys_count;
	struct compiled_policy *compiled, **slot;

	if (compiled_policy_new(compile, document, &compiled) < 0)
		return -ENOMEM;
	if (!array_append(compile->policies, compile->policies_count)) {
		compiled_policy_free(compiled);
		return -ENOMEM;
	}
	memmove(&compile->policies[place + 1], &compile->policies[place],
		(compile->policies_count - 1 - place) * sizeof(struct compiled_policy *));
	compile->policies[place] = compiled;
	slot = array_append(set->added, set->added_count);
	if (!slot)
		return -ENOMEM;
	*slot = compiled;
	set->host |= compiled->policy->host;
	if (compile_add_rules(compile, compiled) < 0 ||
		compile_use_labels(compile, compiled->policy) < 0)
		return -ENOMEM;
	/* Workloads that were alike may not be any more. */
	if (compile->label_keys_count != labels || compile->rule_ids_collide)
		return -EAGAIN;
	return compile_use_peers(compile, compiled, &set->added_bits);
}

/* After the tables of those that are gone. */
static int release_gone(struct change_set *set)
{
	struct compile *compile = set->compile;

	for (size_t i = 0; i < compile->policies_count; i++) {
		if (!compile->policies[i]->gone)
			continue;
		compile_release_labels(compile, compile->policies[i]->policy);
		if (compile_release_peers(compile, compile->policies[i], &set->removed_bits) < 0)
			return -ENOMEM;
	}
	return 0;
}

static void forget_gone(struct compile *compile)
{
	size_t kept = 0;

	for (size_t i = 0; i < compile->policies_count; i++)
		if (compile->policies[i]->gone)
			compiled_policy_free(compile->policies[i]);
		else
			compile->policies[kept++] = compile->policies[i];
	compile->policies_count = kept;
}

static int change(struct change_set *set, const struct document_list *removed,
	const struct document_list *added)
{
	struct compile *compile = set->compile;
	int r = 0;

	for (size_t i = 0; i < removed->count; i++)
		mark_gone(set, removed->items[i]);
	for (size_t i = 0; !r && i < added->count; i++)
		r = add_policy(set, added->items[i]);
	if (!r)
		r = release_gone(set);
	if (!r)
		r = follow_removed_bits(compile, &set->removed_bits);
	if (!r)
		r = follow_added_bits(compile, &set->added_bits);
	if (!r)
		r = compile_follow_tables(compile, set->added, set->added_count);
	if (r < 0)
		return r;
	compile_drop_tables(compile);
	forget_gone(compile);
	if (set->host)
		r = compile_host_tables(compile);
	return r < 0 ? r : compile_follow_names(compile);
}

int follow_policies(struct compile *compile, const struct document_list *removed,
	const struct document_list *added)
{
	_cleanup_(change_set_clear) struct change_set set = {.compile = compile};
	int r;

	if (removed->count + added->count > CHANGES_MAX || compile->rule_ids_collide)
		return -EAGAIN;
	r = change(&set, removed, added);
	return r == -E2BIG ? -EAGAIN : r;
}
