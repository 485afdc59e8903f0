/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Growing the plain arrays (items, count) that the language's structures are made of. */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* Room for one more behind count items, zeroed. Doubles at powers of two, so that no capacity needs
 * to be kept. NULL: out of memory, items is as it was. */
static inline void *array_slot(void *items, size_t count, size_t item_size)
{
	if (!(count & (count - 1))) {
		if (count > SIZE_MAX / 4)
			return NULL;
		items = reallocarray(items, count ? count * 2 : 1, item_size);
	}
	if (items)
		memset((char *)items + count * item_size, 0, item_size);
	return items;
}

/* A pointer to a new zeroed last item; NULL: out of memory. */
#define array_append(items, count)                                                     \
	({                                                                             \
		void *grown_ = array_slot((items), (count), sizeof(typeof(*(items)))); \
		if (grown_)                                                            \
			(items) = grown_;                                              \
		grown_ ? &(items)[(count)++] : NULL;                                   \
	})
