/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "dataplane/bpf/hits.h"

#include "base/cleanup.h"
#include "dataplane/bpf/batch.h"
#include "policies/array.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>

/* What one table says of a rule. */
struct part {
	uint32_t rule;
	bool kept; /* in hits, from where it can be deleted */
	uint64_t hits;
};

struct parts {
	struct part *items;
	size_t count;
};

static void parts_clear(struct parts *parts)
{
	free(parts->items);
}

static int parts_add(struct parts *parts, uint32_t rule, uint64_t hits, bool kept)
{
	struct part *part = array_append(parts->items, parts->count);

	if (!part)
		return -ENOMEM;
	*part = (struct part){rule, kept, hits};
	return 0;
}

static int add_kept(
	struct parts *parts, const uint32_t *key, const uint64_t *values, unsigned int cpus)
{
	uint64_t sum = 0;

	for (unsigned int cpu = 0; cpu < cpus; cpu++)
		sum += values[cpu];
	return parts_add(parts, *key, sum, true);
}

static int add_recent(
	struct parts *parts, const uint32_t *key, const uint64_t *values, unsigned int cpus)
{
	int r = 0;

	(void)key;
	for (unsigned int cpu = 0; cpu < cpus && r == 0; cpu++)
		if (values[cpu])
			r = parts_add(
				parts, (uint32_t)(values[cpu] >> 32), (uint32_t)values[cpu], false);
	return r;
}

static int read_table(struct parts *parts, int map, unsigned int cpus,
	int (*add)(struct parts *parts, const uint32_t *key, const uint64_t *values,
		unsigned int cpus))
{
	_cleanup_walk_ struct walk walk = {
		.map = map, .key_size = sizeof(uint32_t), .value_size = cpus * sizeof(uint64_t)};
	uint32_t count;
	int r;

	do {
		r = walk_next(&walk, &count);
		for (uint32_t i = 0; i < count && r == 0; i++)
			r = add(parts, (const uint32_t *)walk.keys + i,
				(const uint64_t *)walk.values + (size_t)i * cpus, cpus);
		if (r < 0)
			return r;
	} while (count);
	return 0;
}

static int compare(const void *a, const void *b)
{
	const struct part *left = a, *right = b;

	return (left->rule > right->rule) - (left->rule < right->rule);
}

int hits_visit(const struct objects *objects,
	bool (*visit)(uint32_t rule, uint64_t hits, void *userdata), void *userdata,
	struct error *error)
{
	__attribute__((cleanup(parts_clear))) struct parts parts = {0};
	int cpus = libbpf_num_possible_cpus();
	int r;

	if (cpus < 0)
		return error_errno(error, cpus, "count the CPUs");
	/* In this order: see abi.h. */
	r = read_table(&parts, objects->maps.hits, (unsigned int)cpus, add_kept);
	if (r == 0)
		r = read_table(&parts, objects->maps.recent_hits, (unsigned int)cpus, add_recent);
	if (r < 0)
		return error_errno(error, r, "read tables hits and recent_hits");
	if (parts.count)
		qsort(parts.items, parts.count, sizeof(*parts.items), compare);
	for (size_t i = 0, next; i < parts.count; i = next) {
		struct part sum = {.rule = parts.items[i].rule};

		for (next = i; next < parts.count && parts.items[next].rule == sum.rule; next++) {
			sum.hits += parts.items[next].hits;
			sum.kept |= parts.items[next].kept;
		}
		if (!visit(sum.rule, sum.hits, userdata) && sum.kept)
			bpf_map_delete_elem(objects->maps.hits, &sum.rule);
	}
	return 0;
}
