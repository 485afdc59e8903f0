/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A JSON value that many records share: what the agent knows about an endpoint, a rule, an
 * interface. Immutable and counted by references, so a record keeps the names of its time. Equal
 * values of one pool are one name, so names can be compared by pointer.
 */
#pragma once

#include "base/large_hash.h"

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

struct name_pool;

struct name {
	UT_hash_handle hh;
	struct name_pool *pool; /* NULL: in none */
	json_t *json;
	/* Members that are asked for often; NULL: it has none. */
	const char *workload;
	const char *namespace;
	const char *entity;
	char *role;     /* what role_of() has made of it; NULL until it is asked */
	uint64_t party; /* likewise of a workload, party_key(); 0 until then */
	/* From here on together in memory, since each record of it needs them. */
	unsigned int references;
	unsigned int history_references; /* how many records of the history hold it */
	size_t size_bytes;               /* about what it costs in memory */
	bool is_workload;                /* an endpoint that is one */
	size_t length;
	char text[]; /* json, compact */
};

int name_pool_new(struct name_pool **ret);
/* All names of the pool must be released before. */
void name_pool_free(struct name_pool *pool);
size_t name_pool_count(const struct name_pool *pool);

/* Takes json in any case. pool may be NULL. A new reference; NULL: out of memory. */
struct name *name_new(struct name_pool *pool, json_t *json);
struct name *name_reference(struct name *name);
void name_release(struct name *name);

/* What the name says of it. NULL: nothing, or there is no name. */
static inline const char *name_workload(const struct name *name)
{
	return name ? name->workload : NULL;
}

static inline const char *name_namespace(const struct name *name)
{
	return name ? name->namespace : NULL;
}

static inline const char *name_entity(const struct name *name)
{
	return name ? name->entity : NULL;
}

/* Any member of the object that the name is, if it is a string. NULL: there is none. */
const char *name_member(const struct name *name, const char *key);
/* Of an endpoint: "namespace/workload", or its entity. Returns text. */
#define NAME_ID_MAX 520
const char *name_id(const struct name *name, char text[static NAME_ID_MAX]);
/* Of an endpoint or a rule: reference is "namespace/name" or "name"; key is the name's member. */
bool name_matches(const struct name *name, const char *key, const char *reference);

static inline void name_releasep(struct name **name)
{
	name_release(*name);
}
