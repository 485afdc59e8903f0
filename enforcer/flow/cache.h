/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The names of addresses, rules and interfaces, asked of the agent once and kept until it says that
 * they may have changed. Bounded: the oldest entries make room.
 */
#pragma once

#include "flow/name.h"
#include "flow/pipeline.h"

#include <stddef.h>
#include <stdint.h>

struct cache;

/* resolver is copied, pool is borrowed. */
int cache_new(const struct flow_resolver *resolver, struct name_pool *pool, struct cache **ret);
void cache_free(struct cache *cache);
/* Everything is asked anew when it is needed next. */
void cache_invalidate(struct cache *cache);
size_t cache_count(const struct cache *cache);

/* New references; NULL: nothing is known, or out of memory. */
struct name *cache_endpoint(struct cache *cache, const struct address *address);
struct name *cache_rule(struct cache *cache, uint32_t id);
struct name *cache_interface(struct cache *cache, uint32_t ifindex);
