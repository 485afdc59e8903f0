/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "dataplane/nft/attached.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

int attached_copy(const struct attachment *attachments, size_t count, struct attached_list *ret)
{
	struct attached *items = calloc(count + 1, sizeof(*items));

	if (!items)
		return -ENOMEM;
	for (size_t i = 0; i < count; i++) {
		items[i].ifindex = attachments[i].ifindex;
		items[i].guard = attachments[i].workload < 0;
		memcpy(items[i].name, attachments[i].name, sizeof(items[i].name));
	}
	*ret = (struct attached_list){items, count};
	return 0;
}

static int compare_ifindex(const void *key, const void *item)
{
	uint32_t one = *(const uint32_t *)key, other = ((const struct attached *)item)->ifindex;

	return (one > other) - (one < other);
}

const struct attached *attached_find(const struct attached_list *list, uint32_t ifindex)
{
	if (!list->count)
		return NULL;
	return bsearch(&ifindex, list->items, list->count, sizeof(*list->items), compare_ifindex);
}

int attached_newcomers(const struct attached_list *list, const struct attachment *attachments,
	size_t count, struct address **ret, size_t *ret_count)
{
	struct address *addresses;
	size_t found = 0, size = 0;

	for (size_t i = 0; i < count; i++)
		size += attachments[i].addresses_count;
	addresses = calloc(size + 1, sizeof(*addresses));
	if (!addresses)
		return -ENOMEM;
	for (size_t i = 0; i < count; i++) {
		const struct attachment *attachment = &attachments[i];

		if (!attachment->adopt || attachment->workload < 0 ||
			attached_find(list, attachment->ifindex))
			continue;
		for (size_t j = 0; j < attachment->addresses_count; j++)
			addresses[found++] = attachment->addresses[j];
	}
	*ret = addresses;
	*ret_count = found;
	return 0;
}

void attached_clear(struct attached_list *list)
{
	free(list->items);
	*list = (struct attached_list){0};
}
