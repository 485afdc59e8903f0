/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "flow/inherited_ids.h"

#include <stdlib.h>

static struct inherited_id *find(const struct inherited_ids *ids, uint64_t lasting_id)
{
	struct inherited_id *item;

	HASH_FIND(hh, ids->items, &lasting_id, sizeof(lasting_id), item);
	return item;
}

static void drop(struct inherited_ids *ids, struct inherited_id *item)
{
	HASH_DELETE(hh, ids->items, item);
	free(item);
}

void inherited_ids_add(struct inherited_ids *ids, uint64_t lasting_id, uint64_t id)
{
	struct inherited_id *item = find(ids, lasting_id) ? NULL : calloc(1, sizeof(*item));

	if (!item)
		return;
	*item = (struct inherited_id){.lasting_id = lasting_id, .id = id};
	HASH_ADD(hh, ids->items, lasting_id, sizeof(item->lasting_id), item);
	if (!HASH_ADDED(item))
		free(item);
}

uint64_t inherited_ids_find(const struct inherited_ids *ids, const struct flow_event *event)
{
	const struct inherited_id *item =
		ids->items && event->lasting_id ? find(ids, event->lasting_id) : NULL;

	return item ? item->id : event->id;
}

void inherited_ids_forget(struct inherited_ids *ids, const struct flow_event *event)
{
	struct inherited_id *item = ids->items ? find(ids, event->lasting_id) : NULL;

	if (item)
		drop(ids, item);
}

void inherited_ids_clear(struct inherited_ids *ids)
{
	struct inherited_id *item, *next;

	HASH_ITER (hh, ids->items, item, next)
		drop(ids, item);
}
