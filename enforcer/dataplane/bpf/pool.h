/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Tables by content: equal content has one number, within a generation and across generations. A
 * table that the running generation uses is never written to; the next one gets a new number or
 * shares an old one.
 */
#pragma once

#include "base/hash.h"
#include "dataplane/bpf/numbers.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Who needs a thing. Pools and identities go from generation to generation by these marks. */
#define USE_RUNNING 1
#define USE_NEXT    2

struct pool_item {
	uint32_t number;
	unsigned int use; /* USE_* */
	size_t size;
	UT_hash_handle hh;
	_Alignas(8) unsigned char content[];
};

struct pool {
	struct pool_item *items;
	struct numbers numbers;
};

/* The item with this content, made and numbered if it is not there; marked USE_NEXT. -E2BIG: all
 * numbers are in use; -ENOMEM. */
int pool_intern(struct pool *pool, const void *content, size_t size, struct pool_item **ret);
/* An item that is in the kernel already. The numbers are adopted by the caller. */
int pool_adopt(struct pool *pool, uint32_t number, const void *content, size_t size);
void pool_remove(struct pool *pool, struct pool_item *item);
void pool_clear(struct pool *pool);

/* In the kernel only for the generation that is being built. */
static inline bool pool_item_is_new(const struct pool_item *item)
{
	return item->use == USE_NEXT;
}
