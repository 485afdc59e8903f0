/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "dataplane/nft/touched.h"

#include <stdlib.h>

static void add_address(struct touched *touched, struct address address)
{
	if (touched->count == touched->size) {
		size_t size = touched->size ? 2 * touched->size : 8;
		struct address *items = reallocarray(touched->items, size, sizeof(*items));

		touched->all |= !items;
		if (!items)
			return;
		touched->items = items;
		touched->size = size;
	}
	touched->items[touched->count++] = address;
}

void touched_add(
	struct touched *touched, const struct shape *shape, const struct element_list *elements)
{
	touched->all |= elements->count && shape->fields[0] == FIELD_END;
	for (size_t i = 0; i < elements->count && !touched->all; i++) {
		const uint8_t *key = elements->items[i].key;

		for (const enum field *field = shape->fields; *field != FIELD_END; field++) {
			touched->all |= *field != FIELD_IPV4 && *field != FIELD_IPV6;
			if (touched->all)
				return;
			add_address(touched, *field == FIELD_IPV4 ? address_from_ipv4(key)
								  : address_from_ipv6(key));
			key += *field == FIELD_IPV4 ? 4 : 16;
		}
	}
}

static int compare(const void *one, const void *other)
{
	return address_compare(one, other);
}

void touched_sort(struct touched *touched)
{
	if (touched->count)
		qsort(touched->items, touched->count, sizeof(*touched->items), compare);
}

bool touched_has(const struct touched *touched, const struct address *address)
{
	return touched->all || (touched->count && bsearch(address, touched->items, touched->count,
							  sizeof(*touched->items), compare));
}

bool touched_is_empty(const struct touched *touched)
{
	return !touched->all && !touched->count;
}

void touched_clear(struct touched *touched)
{
	free(touched->items);
	*touched = (struct touched){0};
}
