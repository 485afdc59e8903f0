/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "policies/comparison_steps.h"

#include "base/cleanup.h"
#include "policies/array.h"
#include "policies/evaluate.h"

#include <errno.h>

void party_clear(struct party *party)
{
	free(party->classes);
	free(party->public.workloads);
	free(party->public.prefixes);
}

static int compare_party_classes(const void *a, const void *b)
{
	return memcmp(a, b, sizeof(struct party_class));
}

/* In an order of its own, so that parties with the same classes have the same bytes. */
static int add_class(struct party *party, bool ipv4, const uint32_t class[SIDES])
{
	struct party_class wanted = {ipv4, {class[BEFORE], class[AFTER]}}, *slot;

	for (size_t i = 0; i < party->classes_count; i++)
		if (!compare_party_classes(&party->classes[i], &wanted))
			return 0;
	slot = array_append(party->classes, party->classes_count);
	if (!slot)
		return -ENOMEM;
	*slot = wanted;
	qsort(party->classes, party->classes_count, sizeof(wanted), compare_party_classes);
	return 0;
}

static int add_address(
	const struct compare *compare, struct party *party, const struct address *address)
{
	uint32_t class[SIDES];

	for (int side = 0; side < SIDES; side++)
		class[side] = evaluate_class(compare->ir[side], address);
	return add_class(party, address_is_ipv4(address), class);
}

/* --- workloads ----------------------------------------------------------------------------------
 */

static int describe_workload(const struct compare *compare, size_t index, struct party *ret)
{
	const struct model_workload *workload = &compare->model->workloads[index];

	for (int side = 0; side < SIDES; side++)
		for (int d = 0; d < DIRECTION_COUNT; d++)
			ret->peer_table[side][d] = compare->ir[side]->subjects[index].peer_table[d];
	for (size_t i = 0; i < workload->addresses_count; i++)
		if (add_address(compare, ret, &workload->addresses[i]) < 0)
			return -ENOMEM;
	return 0;
}

/* What makes a party: its tables and its classes. */
static int number_party(struct intern *keys, const struct party *party, uint32_t *ret)
{
	size_t classes_size = party->classes_count * sizeof(*party->classes);
	_cleanup_free_ char *key = malloc(sizeof(party->peer_table) + classes_size);

	if (!key)
		return -ENOMEM;
	memcpy(key, party->peer_table, sizeof(party->peer_table));
	if (classes_size)
		memcpy(key + sizeof(party->peer_table), party->classes, classes_size);
	return intern(keys, key, sizeof(party->peer_table) + classes_size, ret);
}

static int add_workload(struct compare *compare, struct intern *keys, size_t index)
{
	_cleanup_(party_clear) struct party described = {0};
	uint32_t number;
	size_t *slot;
	int r = describe_workload(compare, index, &described);

	if (r == 0)
		r = number_party(keys, &described, &number);
	if (r < 0)
		return r;
	if (r > 0) {
		struct party *party = array_append(compare->parties, compare->parties_count);

		if (!party)
			return -ENOMEM;
		*party = described;
		described = (struct party){0};
	}
	slot = array_append(compare->parties[number].public.workloads,
		compare->parties[number].public.workloads_count);
	if (!slot)
		return -ENOMEM;
	*slot = index;
	return 0;
}

static int add_workloads(struct compare *compare)
{
	_cleanup_(intern_clear) struct intern keys = {0};
	int r = 0;

	/* Those on the node's network have no addresses of their own: they are the node. */
	for (size_t i = 0; r == 0 && i < compare->model->workloads_count; i++)
		if (!compare->model->workloads[i].host_network)
			r = add_workload(compare, &keys, i);
	return r;
}

/* --- outside ------------------------------------------------------------------------------------
 */

static struct party *new_outside(struct compare *compare)
{
	struct party *party = array_append(compare->parties, compare->parties_count);

	for (int side = 0; party && side < SIDES; side++)
		for (int d = 0; d < DIRECTION_COUNT; d++)
			party->peer_table[side][d] = IR_PEER_TABLE_NONE;
	return party;
}

static int add_host(struct compare *compare)
{
	const struct ir *ir = compare->ir[AFTER];
	struct party *party = NULL;

	for (size_t i = 0; i < ir->addresses_count; i++) {
		if (ir->addresses[i].workload >= 0)
			continue;
		if (!party)
			party = new_outside(compare);
		if (!party || add_address(compare, party, &ir->addresses[i].address) < 0)
			return -ENOMEM;
		party->public.host = true;
		for (int side = 0; side < SIDES; side++)
			memcpy(party->peer_table[side], compare->ir[side]->host.peer_table,
				sizeof(party->peer_table[side]));
	}
	return 0;
}

/* A prefix of either side, or a known address, which is no part of the world. */
struct region {
	struct prefix prefix;
	bool known;
	bool given[SIDES];
	uint32_t class[SIDES];
	unsigned __int128 covered; /* by regions inside, in parts of 2^128; 0 if wholly */
	bool divided;
	size_t parent; /* index + 1; 0: none */
};

struct regions {
	struct region *items;
	size_t count;
};

static void regions_clear(struct regions *regions)
{
	free(regions->items);
}

/* A family at a time: by its mapped form IPv4 would lie in the middle of ::/0, which does not hold
 * it. */
static int compare_regions(const void *a, const void *b)
{
	const struct prefix *first = &((const struct region *)a)->prefix;
	const struct prefix *second = &((const struct region *)b)->prefix;
	int families = prefix_is_ipv4(second) - prefix_is_ipv4(first);

	return families ? families : prefix_compare(first, second);
}

static int collect_regions(const struct ir *ir, int side, struct regions *regions)
{
	struct region *slot;

	for (size_t i = 0; i < ir->prefixes_count; i++) {
		slot = array_append(regions->items, regions->count);
		if (!slot)
			return -ENOMEM;
		slot->prefix = ir->prefixes[i].prefix;
		slot->class[side] = ir->prefixes[i].class;
		slot->given[side] = true;
	}
	for (size_t i = 0; i < ir->addresses_count; i++) {
		slot = array_append(regions->items, regions->count);
		if (!slot)
			return -ENOMEM;
		slot->prefix = (struct prefix){ir->addresses[i].address, 128};
		slot->known = true;
	}
	return 0;
}

static void join_equal(struct regions *regions)
{
	size_t kept = 0;

	qsort(regions->items, regions->count, sizeof(*regions->items), compare_regions);
	for (size_t i = 0; i < regions->count; i++) {
		struct region *item = &regions->items[i];
		struct region *last = kept ? &regions->items[kept - 1] : NULL;

		if (!last || compare_regions(last, item)) {
			regions->items[kept++] = *item;
			continue;
		}
		last->known |= item->known;
		for (int side = 0; side < SIDES; side++)
			if (item->given[side]) {
				last->given[side] = true;
				last->class[side] = item->class[side];
			}
	}
	regions->count = kept;
}

/* Sorted prefixes that hold others stand before them: the last one that still holds this one is its
 * parent, from which it has the classes that it was not given itself. */
static void nest(struct regions *regions)
{
	size_t above = 0; /* index + 1 */

	for (size_t i = 0; i < regions->count; i++) {
		struct region *item = &regions->items[i], *parent;

		while (above && !prefix_covers(&regions->items[above - 1].prefix, &item->prefix))
			above = regions->items[above - 1].parent;
		item->parent = above;
		above = i + 1;
		if (!item->parent)
			continue;
		parent = &regions->items[item->parent - 1];
		parent->divided = true;
		parent->covered += (unsigned __int128)1
				   << (128 - (item->prefix.length - parent->prefix.length));
		for (int side = 0; side < SIDES; side++)
			if (!item->given[side])
				item->class[side] = parent->class[side];
	}
}

static int add_region(struct compare *compare, struct intern *keys, const struct region *region,
	size_t first_party)
{
	struct party *party;
	struct prefix *slot;
	uint32_t number;
	int r;

	if (region->known || (region->divided && !region->covered))
		return 0;
	r = intern(keys, region->class, sizeof(region->class), &number);
	if (r < 0 || (r > 0 && !new_outside(compare)))
		return -ENOMEM;
	party = &compare->parties[first_party + number];
	slot = array_append(party->public.prefixes, party->public.prefixes_count);
	if (!slot)
		return -ENOMEM;
	*slot = region->prefix;
	return add_class(party, prefix_is_ipv4(&region->prefix), region->class);
}

static int add_world(struct compare *compare)
{
	_cleanup_(regions_clear) struct regions regions = {0};
	_cleanup_(intern_clear) struct intern keys = {0};
	size_t first_party = compare->parties_count;
	int r = 0;

	for (int side = 0; r == 0 && side < SIDES; side++)
		r = collect_regions(compare->ir[side], side, &regions);
	if (r < 0)
		return r;
	join_equal(&regions);
	nest(&regions);
	for (size_t i = 0; r == 0 && i < regions.count; i++)
		r = add_region(compare, &keys, &regions.items[i], first_party);
	return r;
}

int compare_parties(struct compare *compare)
{
	int r = add_workloads(compare);

	if (r == 0)
		r = add_host(compare);
	return r < 0 ? r : add_world(compare);
}
