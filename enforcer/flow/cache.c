/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "flow/cache.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define ENTRIES_MAX 32768

enum kind {
	KIND_ENDPOINT,
	KIND_RULE,
	KIND_INTERFACE,
};

struct key {
	uint32_t kind;
	uint32_t id; /* of a rule or an interface */
	struct address address;
};

struct entry {
	struct key key;
	unsigned int generation;
	struct name *name;
	UT_hash_handle hh;
};

struct cache {
	struct flow_resolver resolver;
	struct name_pool *pool;
	unsigned int generation;
	struct entry *entries; /* in the order in which they came */
};

int cache_new(const struct flow_resolver *resolver, struct name_pool *pool, struct cache **ret)
{
	struct cache *cache = calloc(1, sizeof(*cache));

	if (!cache)
		return -ENOMEM;
	cache->resolver = *resolver;
	cache->pool = pool;
	*ret = cache;
	return 0;
}

static void entry_remove(struct cache *cache, struct entry *entry)
{
	HASH_DELETE(hh, cache->entries, entry);
	name_release(entry->name);
	free(entry);
}

void cache_free(struct cache *cache)
{
	if (!cache)
		return;
	while (cache->entries)
		entry_remove(cache, cache->entries);
	free(cache);
}

void cache_invalidate(struct cache *cache)
{
	cache->generation++;
}

size_t cache_count(const struct cache *cache)
{
	return HASH_COUNT(cache->entries);
}

static struct name *resolve(const struct cache *cache, const struct key *key)
{
	const struct flow_resolver *resolver = &cache->resolver;
	const char *interface;
	json_t *json = NULL;

	switch ((enum kind)key->kind) {
	case KIND_ENDPOINT:
		json = resolver->endpoint(&key->address, resolver->userdata);
		break;
	case KIND_RULE:
		json = key->id ? resolver->rule(key->id, resolver->userdata) : NULL;
		break;
	case KIND_INTERFACE:
		interface = key->id ? resolver->interface(key->id, resolver->userdata) : NULL;
		json = interface ? json_string(interface) : NULL;
		break;
	}
	if (!json || json_is_null(json)) {
		json_decref(json);
		return NULL;
	}
	return name_new(cache->pool, json);
}

static struct entry *entry_add(struct cache *cache, const struct key *key)
{
	struct entry *entry;

	if (HASH_COUNT(cache->entries) >= ENTRIES_MAX)
		entry_remove(cache, cache->entries);
	entry = calloc(1, sizeof(*entry));
	if (!entry)
		return NULL;
	entry->key = *key;
	HASH_ADD(hh, cache->entries, key, sizeof(entry->key), entry);
	if (!HASH_ADDED(entry)) {
		free(entry);
		return NULL;
	}
	return entry;
}

static struct name *look_up(struct cache *cache, const struct key *key)
{
	struct entry *entry;

	HASH_FIND(hh, cache->entries, key, sizeof(*key), entry);
	if (entry && entry->generation == cache->generation)
		return name_reference(entry->name);
	if (!entry)
		entry = entry_add(cache, key);
	if (!entry)
		return resolve(cache, key);
	name_release(entry->name);
	entry->name = resolve(cache, key);
	entry->generation = cache->generation;
	return name_reference(entry->name);
}

struct name *cache_endpoint(struct cache *cache, const struct address *address)
{
	struct key key = {.kind = KIND_ENDPOINT, .address = *address};

	return look_up(cache, &key);
}

struct name *cache_rule(struct cache *cache, uint32_t id)
{
	struct key key = {.kind = KIND_RULE, .id = id};

	return look_up(cache, &key);
}

struct name *cache_interface(struct cache *cache, uint32_t ifindex)
{
	struct key key = {.kind = KIND_INTERFACE, .id = ifindex};

	return look_up(cache, &key);
}
