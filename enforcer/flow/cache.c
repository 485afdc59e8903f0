/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "flow/cache.h"

#include "base/cleanup.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* An entry stays near the place that its key's hash gives it, so that whoever looks for it reads
 * one or two lines of memory: with each record four are looked for, among tens of thousands. In a
 * chained table each of them was two or three lines to wait for, one after the other. */
#define PLACES_MAX 32768
#define NEAR       8

enum kind {
	KIND_ENDPOINT,
	KIND_RULE,
	KIND_INTERFACE,
};

struct key {
	struct address address; /* or, in its first bytes, the id of a rule or an interface */
	uint32_t kind;
};

struct entry {
	struct key key;
	uint32_t generation; /* that of the answer; 0: there is none */
	struct name *name;
};

_Static_assert(sizeof(struct entry) == 32, "two entries to a cache line");

struct cache {
	struct flow_resolver resolver;
	struct name_pool *pool;
	uint32_t generation;
	uint32_t turn; /* whose it is to make room */
	struct entry *entries;
};

int cache_new(const struct flow_resolver *resolver, struct name_pool *pool, struct cache **ret)
{
	_cleanup_(cache_freep) struct cache *cache = calloc(1, sizeof(*cache));

	if (!cache)
		return -ENOMEM;
	cache->entries = calloc(PLACES_MAX, sizeof(*cache->entries));
	if (!cache->entries)
		return -ENOMEM;
	cache->resolver = *resolver;
	cache->pool = pool;
	cache->generation = 1;
	*ret = TAKE_PTR(cache);
	return 0;
}

void cache_free(struct cache *cache)
{
	if (!cache)
		return;
	for (size_t i = 0; cache->entries && i < PLACES_MAX; i++)
		name_release(cache->entries[i].name);
	free(cache->entries);
	free(cache);
}

void cache_invalidate(struct cache *cache)
{
	if (!++cache->generation)
		cache->generation = 1;
}

static struct name *resolve(const struct cache *cache, const struct key *key)
{
	const struct flow_resolver *resolver = &cache->resolver;
	const char *interface;
	json_t *json = NULL;
	uint32_t id;

	memcpy(&id, &key->address, sizeof(id));
	switch ((enum kind)key->kind) {
	case KIND_ENDPOINT:
		json = resolver->endpoint(&key->address, resolver->userdata);
		break;
	case KIND_RULE:
		json = id ? resolver->rule(id, resolver->userdata) : NULL;
		break;
	case KIND_INTERFACE:
		interface = id ? resolver->interface(id, resolver->userdata) : NULL;
		json = interface ? json_string(interface) : NULL;
		break;
	}
	if (!json || json_is_null(json)) {
		json_decref(json);
		return NULL;
	}
	return name_new(cache->pool, json);
}

static struct entry *near(const struct cache *cache, uint32_t place, uint32_t distance)
{
	return &cache->entries[(place + distance) % PLACES_MAX];
}

/* A place for what is in none: of those near, one that is not in use or of before the last change
 * of names, else each in its turn. */
static struct entry *make_room(struct cache *cache, uint32_t place)
{
	for (uint32_t i = 0; i < NEAR; i++)
		if (near(cache, place, i)->generation != cache->generation)
			return near(cache, place, i);
	return near(cache, place, cache->turn++ % NEAR);
}

static struct entry *find(struct cache *cache, const struct key *key, uint32_t place)
{
	for (uint32_t i = 0; i < NEAR; i++)
		if (!memcmp(&near(cache, place, i)->key, key, sizeof(*key)))
			return near(cache, place, i);
	return make_room(cache, place);
}

static uint32_t place_of(const struct key *key)
{
	return hash_bytes(&key->address, sizeof(key->address)) + key->kind;
}

/* A new reference. */
static struct name *look_up(struct cache *cache, const struct key *key, uint32_t place)
{
	struct entry *entry = find(cache, key, place);
	struct name *name;

	if (entry->generation != cache->generation || memcmp(&entry->key, key, sizeof(*key)) != 0) {
		name = resolve(cache, key);
		name_release(entry->name);
		*entry = (struct entry){*key, cache->generation, name};
	}
	return name_reference(entry->name);
}

static struct key key_of_endpoint(const struct address *address)
{
	return (struct key){.kind = KIND_ENDPOINT, .address = *address};
}

static struct key key_of_id(enum kind kind, uint32_t id)
{
	struct key key = {.kind = kind};

	memcpy(&key.address, &id, sizeof(id));
	return key;
}

struct name *cache_endpoint(struct cache *cache, const struct address *address)
{
	const struct key key = key_of_endpoint(address);

	return look_up(cache, &key, place_of(&key));
}

void cache_resolve(struct cache *cache, struct record *record)
{
	const struct flow_event *event = &record->event;
	const struct key keys[] = {key_of_endpoint(&event->source),
		key_of_endpoint(&event->destination), key_of_id(KIND_RULE, event->rule),
		key_of_id(KIND_INTERFACE, event->ifindex)};
	struct name **const names[] = {
		&record->source, &record->destination, &record->rule, &record->interface};
	uint32_t places[ARRAY_SIZE(keys)];

	/* While one is waited for, so are the others. */
	for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
		places[i] = place_of(&keys[i]);
		__builtin_prefetch(near(cache, places[i], 0));
	}
	for (size_t i = 0; i < ARRAY_SIZE(keys); i++)
		*names[i] = look_up(cache, &keys[i], places[i]);
}
