/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "dataplane/nft/condemned.h"

#include <errno.h>
#include <stdlib.h>

#define SIZE_FIRST 64

int condemned_add(struct condemned *condemned, struct nf_conntrack *ct)
{
	if (condemned->count == condemned->size) {
		size_t size = condemned->size ? 2 * condemned->size : SIZE_FIRST;
		struct nf_conntrack **items =
			reallocarray(condemned->items, size, sizeof(struct nf_conntrack *));

		if (!items)
			return -ENOMEM;
		condemned->items = items;
		condemned->size = size;
	}
	condemned->items[condemned->count++] = ct;
	return 0;
}

void condemned_clear(struct condemned *condemned)
{
	for (size_t i = 0; i < condemned->count; i++)
		nfct_destroy(condemned->items[i]);
	free(condemned->items);
	*condemned = (struct condemned){0};
}
