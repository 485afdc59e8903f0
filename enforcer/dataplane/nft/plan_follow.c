/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "dataplane/nft/plan_follow.h"

#include "base/cleanup.h"
#include "dataplane/nft/layout.h"
#include "policies/ir_ranks.h"

#include <errno.h>
#include <linux/netfilter/nf_tables.h>
#include <stdio.h>
#include <stdlib.h>

/* More are as well looked at together with all others. */
#define DIFFERENCES_MAX 64

/* An address as it was, and as it is: NULL where it is not there. */
struct difference {
	const struct ir_address *states[2];
	uint32_t prefix_class;
};

enum {
	BEFORE,
	AFTER
};

struct following {
	struct plan_memory *memory;
	const struct ir *irs[2];
	const struct ruleset *installed;
	struct difference differences[DIFFERENCES_MAX];
	size_t count;
	struct plan_changes changes;
};

void plan_memory_clear(struct plan_memory *memory)
{
	intervals_clear(&memory->space[0]);
	intervals_clear(&memory->space[1]);
	free(memory->ports[DIRECTION_INGRESS]);
	free(memory->ports[DIRECTION_EGRESS]);
	free(memory->tables);
	*memory = (struct plan_memory){0};
}

void plan_changes_clear(struct plan_changes *changes)
{
	for (size_t i = 0; i < changes->count; i++) {
		element_list_clear(&changes->items[i].removed);
		element_list_clear(&changes->items[i].added);
	}
	free(changes->items);
	*changes = (struct plan_changes){0};
}

/* --- which addresses ----------------------------------------------------------------------------
 */

static struct ir_subject subject_of(const struct ir *ir, const struct ir_address *address)
{
	static const struct ir_subject none = {{IR_PEER_TABLE_NONE, IR_PEER_TABLE_NONE}};

	return address && address->workload >= 0 ? ir->subjects[address->workload] : none;
}

static bool differ(const struct following *following, const struct ir_address *before,
	const struct ir_address *after)
{
	struct ir_subject one = subject_of(following->irs[BEFORE], before);
	struct ir_subject other = subject_of(following->irs[AFTER], after);

	return before->class != after->class || (before->workload < 0) != (after->workload < 0) ||
	       one.peer_table[0] != other.peer_table[0] || one.peer_table[1] != other.peer_table[1];
}

/* False: too many, or one of the node's, which are many chains' affair. */
static bool add_difference(struct following *following, const struct ir_address *before,
	const struct ir_address *after)
{
	const struct address *address = before ? &before->address : &after->address;
	struct difference *difference = &following->differences[following->count];

	if (following->count == DIFFERENCES_MAX || (before && before->workload < 0) ||
		(after && after->workload < 0))
		return false;
	difference->states[BEFORE] = before;
	difference->states[AFTER] = after;
	following->count++;
	return intervals_find(&following->memory->space[address_is_ipv4(address)], address,
		&difference->prefix_class);
}

/* Workloads have other numbers than before; one is the same where its addresses are. */
struct pairing {
	int64_t *after;  /* by number before */
	int64_t *before; /* by number after */
};

static void pairing_clear(struct pairing *pairing)
{
	free(pairing->after);
	free(pairing->before);
}

static bool pair(const struct pairing *pairing, int64_t before, int64_t after)
{
	if (before < 0)
		return true;
	if (pairing->after[before] < 0 && pairing->before[after] < 0) {
		pairing->after[before] = after;
		pairing->before[after] = before;
	}
	return pairing->after[before] == after && pairing->before[after] == before;
}

static int64_t *unpaired(size_t count)
{
	int64_t *numbers = calloc(count + 1, sizeof(*numbers));

	for (size_t i = 0; numbers && i < count; i++)
		numbers[i] = -1;
	return numbers;
}

/* 1: these are all; 0: too many, or addresses have gone from one workload to another. */
static int find_differences(struct following *following)
{
	const struct ir *before = following->irs[BEFORE], *after = following->irs[AFTER];
	_cleanup_(pairing_clear) struct pairing pairing = {
		unpaired(before->subjects_count), unpaired(after->subjects_count)};
	size_t i = 0, j = 0;
	bool fine = true;

	if (!pairing.after || !pairing.before)
		return -ENOMEM;
	while (fine && (i < before->addresses_count || j < after->addresses_count)) {
		const struct ir_address *old =
			i < before->addresses_count ? &before->addresses[i] : NULL;
		const struct ir_address *new =
			j < after->addresses_count ? &after->addresses[j] : NULL;
		int order = !old ? 1 : !new ? -1 : address_compare(&old->address, &new->address);

		if (order)
			fine = add_difference(
				following, order < 0 ? old : NULL, order > 0 ? new : NULL);
		else if (differ(following, old, new))
			fine = add_difference(following, old, new);
		else
			fine = pair(&pairing, old->workload, new->workload);
		i += order <= 0;
		j += order >= 0;
	}
	return fine;
}

/* Are chains needed that are not there, or the other way round? */
static int tables_stay(const struct following *following)
{
	const struct ir *after = following->irs[AFTER];
	_cleanup_free_ bool *used = calloc(after->peer_tables_count + 1, sizeof(*used));
	bool stay = true;

	if (!used)
		return -ENOMEM;
	for (size_t i = 0; i < after->subjects_count * DIRECTION_COUNT; i++) {
		uint32_t table =
			after->subjects[i / DIRECTION_COUNT].peer_table[i % DIRECTION_COUNT];

		if (table != IR_PEER_TABLE_NONE)
			used[table] = true;
	}
	for (size_t i = 0; stay && i < after->peer_tables_count; i++)
		stay = used[i] == (following->memory->tables[i].chain != 0);
	return stay;
}

/* --- elements -----------------------------------------------------------------------------------
 */

struct lists {
	struct element_list states[2];
};

static void lists_clear(struct lists *lists)
{
	element_list_clear(&lists->states[BEFORE]);
	element_list_clear(&lists->states[AFTER]);
}

static int add(struct element_list *list, const struct address *one, const struct address *other,
	struct target target)
{
	struct element element = {.target = target};

	element_key_add_address(&element, one);
	if (other)
		element_key_add_address(&element, other);
	return element_list_add(list, &element);
}

static int add_change(struct following *following, const char *set, struct lists *lists)
{
	struct plan_changes *changes = &following->changes;
	struct plan_change *change;

	element_list_sort(&lists->states[BEFORE]);
	element_list_sort(&lists->states[AFTER]);
	if (element_list_equal(&lists->states[BEFORE], &lists->states[AFTER]))
		return 0;
	if (changes->count == changes->size) {
		size_t size = changes->size ? 2 * changes->size : 16;
		struct plan_change *items = reallocarray(changes->items, size, sizeof(*items));

		if (!items)
			return -ENOMEM;
		changes->items = items;
		changes->size = size;
	}
	change = &changes->items[changes->count++];
	*change = (struct plan_change){0};
	snprintf(change->set, sizeof(change->set), "%s", set);
	return element_list_diff(
		&lists->states[BEFORE], &lists->states[AFTER], &change->removed, &change->added);
}

/* The address of a difference in one of its states, where that is of the family. */
static const struct ir_address *state_of(
	const struct difference *difference, unsigned int state, bool ipv4)
{
	const struct ir_address *address = difference->states[state];

	return address && address_is_ipv4(&address->address) == ipv4 ? address : NULL;
}

static int follow_dispatch(struct following *following, enum direction direction, bool ipv4)
{
	_cleanup_(lists_clear) struct lists lists = {0};
	int r = 0;

	for (size_t i = 0; !r && i < 2 * following->count; i++) {
		const struct ir_address *address =
			state_of(&following->differences[i / 2], i % 2, ipv4);
		uint32_t table = subject_of(following->irs[i % 2], address).peer_table[direction];
		struct target target = {.code = NFT_JUMP};

		if (table == IR_PEER_TABLE_NONE)
			continue;
		target.chain = following->memory->tables[table].chain;
		r = add(&lists.states[i % 2], &address->address, NULL, target);
	}
	return r ? r : add_change(following, layout_dispatch_map(direction, ipv4), &lists);
}

/* Workloads under policy, or all addresses that the IR knows. */
static int follow_addresses(struct following *following, bool workloads, bool ipv4)
{
	const char *set = workloads ? layout_workloads(ipv4) : layout_addresses(ipv4);
	_cleanup_(lists_clear) struct lists lists = {0};
	const struct target none = {.code = TARGET_NONE};
	int r = 0;

	for (size_t i = 0; !r && i < 2 * following->count; i++) {
		const struct ir_address *address =
			state_of(&following->differences[i / 2], i % 2, ipv4);
		struct ir_subject subject = subject_of(following->irs[i % 2], address);

		if (address && (!workloads || ir_subject_is_bound(&subject)))
			r = add(&lists.states[i % 2], &address->address, NULL, none);
	}
	return r ? r : add_change(following, set, &lists);
}

/* All pairs that an address is in. */
static int add_self(
	struct element_list *list, const struct ir *ir, const struct ir_address *one, bool ipv4)
{
	const struct target none = {.code = TARGET_NONE};
	int r = 0;

	for (size_t i = 0; !r && i < ir->addresses_count; i++) {
		const struct ir_address *other = &ir->addresses[i];

		if (other->workload != one->workload || address_is_ipv4(&other->address) != ipv4)
			continue;
		r = add(list, &one->address, &other->address, none);
		if (!r)
			r = add(list, &other->address, &one->address, none);
	}
	return r;
}

static int follow_selves(struct following *following, bool ipv4)
{
	_cleanup_(lists_clear) struct lists lists = {0};
	int r = 0;

	for (size_t i = 0; !r && i < 2 * following->count; i++) {
		const struct ir_address *address =
			state_of(&following->differences[i / 2], i % 2, ipv4);
		struct ir_subject subject = subject_of(following->irs[i % 2], address);

		if (address && ir_subject_is_bound(&subject))
			r = add_self(&lists.states[i % 2], following->irs[i % 2], address, ipv4);
	}
	return r ? r : add_change(following, layout_self(ipv4), &lists);
}

/* --- peers --------------------------------------------------------------------------------------
 */

static struct target target_of(
	const struct following *following, const struct ir_peer_table *table, uint32_t class)
{
	return following->memory->ports[table->direction][ir_ranks_port_table(table, class)];
}

/* As plan_peers.c has it: an address is an exception where it is led elsewhere than those that
 * nobody knows. False: some chain that this takes was never made. */
static bool follow_host(struct following *following, uint32_t index,
	const struct difference *difference, unsigned int state, struct lists lists[2], int *r)
{
	const struct ir_peer_table *table = &following->irs[AFTER]->peer_tables[index];
	struct plan_table *planned = &following->memory->tables[index];
	const struct ir_address *address = difference->states[state];
	struct target target, by_prefix;

	if (!address)
		return true;
	target = target_of(following, table, address->class);
	by_prefix = target_of(following, table, difference->prefix_class);
	if (target.code == TARGET_NONE || by_prefix.code == TARGET_NONE)
		return false;
	for (int apart = 0; apart < 2; apart++) {
		if (target_equal(target, apart ? planned->otherwise : by_prefix))
			continue;
		planned->exceptions[apart] += state == AFTER ? 1 : (size_t)-1;
		if (apart == planned->apart)
			*r = add(&lists[address_is_ipv4(&address->address)].states[state],
				&address->address, NULL, target);
		if (*r < 0)
			return false;
	}
	return true;
}

/* Where a set of hosts comes or goes, or becomes a map, the chain is another one. A map with one
 * host less may become a set. */
static bool set_stays(struct plan_hosts *hosts, struct lists *lists)
{
	struct element_list *before = &lists->states[BEFORE], *after = &lists->states[AFTER];
	bool plain = hosts->target.code != TARGET_NONE;

	if (!before->count && !after->count)
		return true;
	if (!hosts->count || (!plain && before->count))
		return false;
	for (size_t i = 0; plain && i < after->count; i++)
		if (!target_equal(after->items[i].target, hosts->target))
			return false;
	for (int state = BEFORE; plain && state <= AFTER; state++)
		for (size_t i = 0; i < lists->states[state].count; i++)
			lists->states[state].items[i].target = (struct target){.code = TARGET_NONE};
	hosts->count += after->count - before->count;
	return hosts->count;
}

/* Most tables have no part in it, and need no name. */
static int add_hosts_change(struct following *following, const struct plan_table *planned,
	bool ipv4, struct lists *lists)
{
	char set[160];

	if (!lists->states[BEFORE].count && !lists->states[AFTER].count)
		return 0;
	snprintf(set, sizeof(set), "%s-hosts%c",
		ruleset_chain_name(planned->chain, (void *)following->installed), ipv4 ? '4' : '6');
	return add_change(following, set, lists);
}

/* 1, 0 or -ENOMEM, as plan_follow(). */
static int follow_table(struct following *following, uint32_t index)
{
	struct plan_table *planned = &following->memory->tables[index];
	struct lists lists[2] = {0};
	bool fine = true;
	int r = 0;

	for (size_t i = 0; fine && i < 2 * following->count; i++)
		fine = follow_host(
			following, index, &following->differences[i / 2], i % 2, lists, &r);
	fine = fine && planned->apart == (planned->exceptions[true] < planned->exceptions[false]);
	for (int ipv4 = 0; fine && !r && ipv4 < 2; ipv4++) {
		fine = set_stays(&planned->hosts[ipv4], &lists[ipv4]);
		if (fine)
			r = add_hosts_change(following, planned, ipv4, &lists[ipv4]);
	}
	lists_clear(&lists[0]);
	lists_clear(&lists[1]);
	return r < 0 ? r : fine;
}

static int follow_maps(struct following *following)
{
	int r = 0;

	for (int ipv4 = 0; !r && ipv4 < 2; ipv4++) {
		for (enum direction direction = 0; !r && direction < DIRECTION_COUNT; direction++)
			r = follow_dispatch(following, direction, ipv4);
		if (!r)
			r = follow_addresses(following, true, ipv4);
		if (!r && following->memory->apart)
			r = follow_addresses(following, false, ipv4);
		if (!r)
			r = follow_selves(following, ipv4);
	}
	return r < 0 ? r : 1;
}

int plan_follow(struct plan_memory *memory, const struct ir *before, const struct ir *after,
	const struct ruleset *installed, struct plan_changes *ret)
{
	struct following following = {
		.memory = memory, .irs = {before, after}, .installed = installed};
	int r = !memory->irregular && after->shared && before->shared == after->shared;

	if (r > 0)
		r = find_differences(&following);
	if (r > 0)
		r = tables_stay(&following);
	if (r > 0)
		r = follow_maps(&following);
	for (uint32_t i = 0; r > 0 && following.count && i < after->peer_tables_count; i++)
		if (memory->tables[i].chain)
			r = follow_table(&following, i);
	if (r <= 0) {
		plan_changes_clear(&following.changes);
		return r;
	}
	*ret = following.changes;
	return 1;
}
