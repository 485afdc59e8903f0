/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "dataplane/nft/ends.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static int compare(const void *one, const void *other)
{
	return address_compare(
		&((const struct end *)one)->address, &((const struct end *)other)->address);
}

int ends_copy(const struct attachment *attachments, size_t count, struct ends *ret)
{
	struct ends ends = {0};
	size_t addresses = 1; /* calloc() of nothing may be NULL */

	for (size_t i = 0; i < count; i++)
		addresses += attachments[i].addresses_count;
	ends.items = calloc(addresses, sizeof(*ends.items));
	if (!ends.items)
		return -ENOMEM;
	for (size_t i = 0; i < count; i++) {
		const struct attachment *attachment = &attachments[i];

		for (size_t j = 0; attachment->workload >= 0 && j < attachment->addresses_count;
			j++) {
			struct end *end = &ends.items[ends.count++];

			end->address = attachment->addresses[j];
			end->ifindex = attachment->ifindex;
			memcpy(end->mac, attachment->mac, sizeof(end->mac));
		}
	}
	*ret = ends;
	return 0;
}

void ends_clear(struct ends *ends)
{
	free(ends->items);
	*ends = (struct ends){0};
}

static const struct end *find(struct ends *ends, const struct address *address)
{
	const struct end key = {.address = *address};

	if (!ends->count)
		return NULL;
	if (!ends->sorted)
		qsort(ends->items, ends->count, sizeof(*ends->items), compare);
	ends->sorted = true;
	return bsearch(&key, ends->items, ends->count, sizeof(*ends->items), compare);
}

static void fill_mac(uint8_t mac[static 6], const struct end *end)
{
	static const uint8_t none[6];

	if (end && !memcmp(mac, none, sizeof(none)))
		memcpy(mac, end->mac, sizeof(end->mac));
}

void ends_fill(struct ends *ends, struct flow_event *event)
{
	const struct end *source = find(ends, &event->source);
	const struct end *destination = find(ends, &event->destination);

	fill_mac(event->source_mac, source);
	fill_mac(event->destination_mac, destination);
	if (!event->ifindex && (source || destination))
		event->ifindex = (source ? source : destination)->ifindex;
}
