/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The names of addresses, rules and interfaces, asked of the agent once and kept until it says that
 * they may have changed. Bounded: others make room, and are asked for again.
 */
#pragma once

#include "flow/name.h"
#include "flow/pipeline.h"
#include "flow/record.h"

#include <stddef.h>
#include <stdint.h>

struct cache;

/* resolver is copied, pool is borrowed. */
int cache_new(const struct flow_resolver *resolver, struct name_pool *pool, struct cache **ret);
void cache_free(struct cache *cache);
/* Everything is asked anew when it is needed next. */
void cache_invalidate(struct cache *cache);

/* New reference; NULL: nothing is known, or out of memory. */
struct name *cache_endpoint(struct cache *cache, const struct address *address);
/* Puts such names to the ends, the rule and the interface of the record's event. */
void cache_resolve(struct cache *cache, struct record *record);

static inline void cache_freep(struct cache **cache)
{
	cache_free(*cache);
}
