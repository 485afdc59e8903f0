/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "dataplane/nft/device_lists.h"

#include "base/cleanup.h"
#include "dataplane/nft/device_arrival.h"
#include "dataplane/nft/device_hearing.h"
#include "dataplane/nft/device_layout.h"

#include <errno.h>
#include <linux/netfilter/nf_tables.h>
#include <stdlib.h>
#include <string.h>

enum list {
	LIST_MACS,
	LIST_OWN4,
	LIST_OWN6,
	LIST_CLAIMS,
	LIST_AT4,
	LIST_AT6,
	LIST_DEAF,
	LIST_FROM4,
	LIST_FROM6,
};

static const char *const list_names[DEVICE_LISTS] = {
	DEVICE_MACS,
	DEVICE_OWN4,
	DEVICE_OWN6,
	DEVICE_CLAIMS,
	DEVICE_AT4,
	DEVICE_AT6,
	DEVICE_DEAF,
	DEVICE_FROM4,
	DEVICE_FROM6,
};

void device_lists_clear(struct device_lists *lists)
{
	for (size_t i = 0; i < DEVICE_LISTS; i++)
		element_list_clear(&lists->items[i]);
}

void device_lists_change_clear(struct device_lists_change *change)
{
	device_lists_clear(&change->removed);
	device_lists_clear(&change->added);
}

static int add(struct element_list *list, const struct attachment *attachment, bool mac,
	const struct address *address)
{
	struct element element = {.target.code = TARGET_NONE};

	element_key_add(&element, &attachment->ifindex, sizeof(attachment->ifindex));
	if (mac)
		element_key_add(&element, attachment->mac, sizeof(attachment->mac));
	if (address)
		element_key_add_address(&element, address);
	return element_list_add(list, &element);
}

/* RFC 4291, appendix A. */
static struct address link_local(const uint8_t mac[static 6])
{
	const uint8_t bytes[16] = {0xfe, 0x80, 0, 0, 0, 0, 0, 0, mac[0] ^ 2, mac[1], mac[2], 0xff,
		0xfe, mac[3], mac[4], mac[5]};

	return address_from_ipv6(bytes);
}

static int add_attachment(struct device_lists *lists, const struct attachment *attachment)
{
	const struct address own = link_local(attachment->mac);
	int r = add(&lists->items[LIST_MACS], attachment, true, NULL);

	for (size_t i = 0; !r && i < attachment->addresses_count; i++) {
		const struct address *address = &attachment->addresses[i];
		bool ipv4 = address_is_ipv4(address);

		r = add(&lists->items[ipv4 ? LIST_OWN4 : LIST_OWN6], attachment, true, address);
		if (!r)
			r = add(&lists->items[ipv4 ? LIST_AT4 : LIST_AT6], attachment, false,
				address);
		if (!r && !ipv4)
			r = add(&lists->items[LIST_CLAIMS], attachment, true, address);
	}
	return r ? r : add(&lists->items[LIST_CLAIMS], attachment, true, &own);
}

static int compare_as_keys(const void *one, const void *other, void *attachments)
{
	const struct attachment *a = (const struct attachment *)attachments + *(const size_t *)one;
	const struct attachment *b =
		(const struct attachment *)attachments + *(const size_t *)other;

	return memcmp(&a->ifindex, &b->ifindex, sizeof(a->ifindex));
}

/* Indexes of attachments with a workload, by ifindex as it is in elements' keys. NULL: out of
 * memory. */
static size_t *order_of_keys(const struct dataplane_state *state, size_t *ret_count)
{
	size_t *order = calloc(state->attachments_count + 1, sizeof(*order));
	size_t count = 0;

	for (size_t i = 0; order && i < state->attachments_count; i++)
		if (state->attachments[i].workload >= 0)
			order[count++] = i;
	if (order)
		qsort_r(order, count, sizeof(*order), compare_as_keys, (void *)state->attachments);
	*ret_count = count;
	return order;
}

/* Goes through lists and attachments side by side, interface by interface. */
struct comparison {
	const struct device_lists *lists;
	size_t places[DEVICE_LISTS]; /* in lists: what is before has been compared */
	struct device_lists own;     /* elements of one interface as it should be */
	struct device_hearing hearing;
	struct device_lists_change *change;
};

static void comparison_clear(struct comparison *comparison)
{
	device_lists_clear(&comparison->own);
	device_hearing_clear(&comparison->hearing);
}

/* Everything of interfaces before this one, or of all, is not wanted any more. */
static int remove_until(struct comparison *comparison, size_t number, const uint32_t *ifindex)
{
	const struct element_list *list = &comparison->lists->items[number];
	size_t *place = &comparison->places[number];
	int r = 0;

	for (; !r && *place < list->count; ++*place) {
		const struct element *element = &list->items[*place];

		if (ifindex && memcmp(element->key, ifindex, sizeof(*ifindex)) >= 0)
			break;
		r = element_list_add(&comparison->change->removed.items[number], element);
	}
	return r;
}

static int compare_interface(struct comparison *comparison, size_t number, uint32_t ifindex)
{
	const struct element_list *list = &comparison->lists->items[number];
	struct element_list *own = &comparison->own.items[number];
	struct element_list before = {0};
	int r = remove_until(comparison, number, &ifindex);
	size_t end = comparison->places[number];

	while (end < list->count && !memcmp(list->items[end].key, &ifindex, sizeof(ifindex)))
		end++;
	/* Borrowed, and of no size: nothing is added to it. */
	before.items = list->items + comparison->places[number];
	before.count = end - comparison->places[number];
	comparison->places[number] = end;
	element_list_sort(own);
	if (!r)
		r = element_list_diff(&before, own, &comparison->change->removed.items[number],
			&comparison->change->added.items[number]);
	own->count = 0;
	return r;
}

static int add_own(struct comparison *comparison, const struct dataplane_state *state,
	const struct attachment *attachment)
{
	struct element_list *own = comparison->own.items;
	struct element_list *from[2] = {&own[LIST_FROM6], &own[LIST_FROM4]};
	int r = add_attachment(&comparison->own, attachment);

	return r ? r
		 : device_hearing_add(
			   &comparison->hearing, state, attachment, &own[LIST_DEAF], from);
}

int device_lists_compare(const struct device_lists *lists, const struct dataplane_state *state,
	struct device_lists_change *ret)
{
	__attribute__((cleanup(comparison_clear))) struct comparison comparison = {
		.lists = lists, .change = ret};
	size_t count, next;
	_cleanup_free_ size_t *order = order_of_keys(state, &count);
	int r = order ? device_hearing_new(state->ir, &comparison.hearing) : -ENOMEM;

	for (size_t i = 0; !r && i < count; i = next) {
		uint32_t ifindex = state->attachments[order[i]].ifindex;

		for (next = i;
			!r && next < count && state->attachments[order[next]].ifindex == ifindex;
			next++)
			r = add_own(&comparison, state, &state->attachments[order[next]]);
		for (size_t number = 0; !r && number < DEVICE_LISTS; number++)
			r = compare_interface(&comparison, number, ifindex);
	}
	for (size_t number = 0; !r && number < DEVICE_LISTS; number++)
		r = remove_until(&comparison, number, NULL);
	return r;
}

int device_lists_patch(struct device_lists *lists, const struct device_lists_change *change)
{
	for (size_t i = 0; i < DEVICE_LISTS; i++)
		if (element_list_reserve(&lists->items[i], change->added.items[i].count) < 0)
			return -ENOMEM;
	for (size_t i = 0; i < DEVICE_LISTS; i++)
		(void)element_list_patch(
			&lists->items[i], &change->removed.items[i], &change->added.items[i]);
	return 0;
}

struct device_lists_change device_lists_reverse(const struct device_lists_change *change)
{
	return (struct device_lists_change){.removed = change->added, .added = change->removed};
}

int device_lists_write(struct batch *batch, const struct device_lists_change *change)
{
	int r = 0;

	for (size_t i = 0; !r && i < DEVICE_LISTS; i++) {
		r = element_list_write(batch, NFT_MSG_DELSETELEM, 0, list_names[i],
			&change->removed.items[i], NULL, NULL);
		if (!r)
			r = element_list_write(batch, NFT_MSG_NEWSETELEM, NLM_F_CREATE,
				list_names[i], &change->added.items[i], NULL, NULL);
	}
	return r;
}
