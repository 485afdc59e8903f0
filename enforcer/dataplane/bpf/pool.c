/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "dataplane/bpf/pool.h"

#include "base/cleanup.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static struct pool_item *item_new(const void *content, size_t size)
{
	struct pool_item *item = calloc(1, sizeof(*item) + size);

	if (!item)
		return NULL;
	item->size = size;
	memcpy(item->content, content, size);
	return item;
}

static int insert(struct pool *pool, struct pool_item *item)
{
	HASH_ADD_KEYPTR(hh, pool->items, item->content, item->size, item);
	return HASH_ADDED(item) ? 0 : -ENOMEM;
}

int pool_intern(struct pool *pool, const void *content, size_t size, struct pool_item **ret)
{
	_cleanup_free_ struct pool_item *fresh = NULL;
	struct pool_item *item;
	int r;

	HASH_FIND(hh, pool->items, content, size, item);
	if (item) {
		item->use |= USE_NEXT;
		*ret = item;
		return 0;
	}
	fresh = item_new(content, size);
	if (!fresh)
		return -ENOMEM;
	fresh->use = USE_NEXT;
	r = numbers_take(&pool->numbers, &fresh->number);
	if (r < 0)
		return r;
	r = insert(pool, fresh);
	if (r < 0) {
		numbers_give(&pool->numbers, fresh->number);
		return r;
	}
	*ret = TAKE_PTR(fresh);
	return 0;
}

int pool_adopt(struct pool *pool, uint32_t number, const void *content, size_t size)
{
	_cleanup_free_ struct pool_item *item = item_new(content, size);
	int r;

	if (!item)
		return -ENOMEM;
	item->number = number;
	item->use = USE_RUNNING;
	r = insert(pool, item);
	if (r < 0)
		return r;
	TAKE_PTR(item);
	return 0;
}

void pool_remove(struct pool *pool, struct pool_item *item)
{
	HASH_DEL(pool->items, item);
	numbers_give(&pool->numbers, item->number);
	free(item);
}

void pool_clear(struct pool *pool)
{
	struct pool_item *item, *next;

	HASH_ITER (hh, pool->items, item, next) {
		HASH_DEL(pool->items, item);
		free(item);
	}
	numbers_clear(&pool->numbers);
}
