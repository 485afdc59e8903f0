/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "flow/endpoints.h"

#include "base/cleanup.h"
#include "base/large_hash.h"
#include "flow/name.h"

#include <errno.h>
#include <stdlib.h>

/* Names differ where labels did at some time, so a workload may have several. */
struct entry {
	char id[NAME_ID_MAX];
	struct flow_endpoint sums;
	UT_hash_handle hh;
};

struct endpoints {
	struct entry *entries;
	bool failed; /* out of memory */
};

static struct entry *find_or_add(struct endpoints *endpoints, const struct name *name)
{
	char id[NAME_ID_MAX];
	struct entry *entry;

	name_id(name, id);
	HASH_FIND_STR(endpoints->entries, id, entry);
	if (entry)
		return entry;
	entry = calloc(1, sizeof(*entry));
	if (!entry)
		return NULL;
	strcpy(entry->id, id);
	HASH_ADD_STR(endpoints->entries, id, entry);
	if (HASH_ADDED(entry))
		return entry;
	free(entry);
	return NULL;
}

static void add_side(struct endpoints *endpoints, const struct name *name, enum direction direction,
	const struct tally *edge, size_t active)
{
	struct entry *entry;

	if (!name || !name->is_workload)
		return;
	entry = find_or_add(endpoints, name);
	if (!entry) {
		endpoints->failed = true;
		return;
	}
	/* The strings are the latest name's. */
	entry->sums.namespace = name_namespace(name);
	entry->sums.workload = name_workload(name);
	entry->sums.active[direction] += active;
	entry->sums.packets[direction][edge->key.verdict] += edge->packets[0] + edge->packets[1];
	entry->sums.bytes[direction][edge->key.verdict] += edge->bytes[0] + edge->bytes[1];
}

static void add_edge(const struct tally *edge, size_t active, void *userdata)
{
	add_side(userdata, edge->key.source_name, DIRECTION_EGRESS, edge, active);
	add_side(userdata, edge->key.destination_name, DIRECTION_INGRESS, edge, active);
}

static int by_id(const struct entry *a, const struct entry *b)
{
	return strcmp(a->id, b->id);
}

int endpoints_of_map(const struct map *map,
	void (*visit)(const struct flow_endpoint *endpoint, void *userdata), void *userdata)
{
	struct endpoints endpoints = {0};
	struct entry *entry, *next;

	map_for_each(map, add_edge, &endpoints);
	HASH_SORT(endpoints.entries, by_id);
	HASH_ITER (hh, endpoints.entries, entry, next) {
		if (!endpoints.failed)
			visit(&entry->sums, userdata);
		HASH_DEL(endpoints.entries, entry);
		free(entry);
	}
	return endpoints.failed ? -ENOMEM : 0;
}
