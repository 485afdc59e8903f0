/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "dataplane/nft/condemned.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define SIZE_FIRST 64

int condemned_add(struct condemned *condemned, const struct nlmsghdr *message)
{
	struct nlmsghdr *copy;

	if (condemned->count == condemned->size) {
		size_t size = condemned->size ? 2 * condemned->size : SIZE_FIRST;
		struct nlmsghdr **items =
			reallocarray(condemned->items, size, sizeof(struct nlmsghdr *));

		if (!items)
			return -ENOMEM;
		condemned->items = items;
		condemned->size = size;
	}
	copy = malloc(message->nlmsg_len);
	if (!copy)
		return -ENOMEM;
	memcpy(copy, message, message->nlmsg_len);
	condemned->items[condemned->count++] = copy;
	return 0;
}

void condemned_clear(struct condemned *condemned)
{
	for (size_t i = 0; i < condemned->count; i++)
		free(condemned->items[i]);
	free(condemned->items);
	*condemned = (struct condemned){0};
}
