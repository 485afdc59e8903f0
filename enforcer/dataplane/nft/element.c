/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "dataplane/nft/element.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <stdlib.h>
#include <string.h>

/* Netlink attributes count their length in 16 bits. */
#define LIST_BYTES_MAX ((size_t)(48 << 10))

bool target_equal(struct target a, struct target b)
{
	return a.code == b.code && a.chain == b.chain;
}

static size_t words(size_t size)
{
	return (size + 3) & ~(size_t)3;
}

void element_key_add(struct element *element, const void *bytes, size_t size)
{
	memcpy(element->key + element->key_length, bytes, size);
	element->key_length = (uint8_t)(element->key_length + words(size));
}

void element_key_end_add(struct element *element, size_t at, const void *bytes, size_t size)
{
	memcpy(element->key_end + at, bytes, size);
}

void element_key_add_address(struct element *element, const struct address *address)
{
	if (address_is_ipv4(address))
		element_key_add(element, address->bytes + 12, 4);
	else
		element_key_add(element, address->bytes, 16);
}

int element_list_reserve(struct element_list *list, size_t count)
{
	/* Most peer tables have a few hosts, and there are thousands of lists. */
	size_t size = list->size ? 2 * list->size : 4;
	struct element *items;

	if (list->count + count <= list->size)
		return 0;
	if (size < list->count + count)
		size = list->count + count;
	items = reallocarray(list->items, size, sizeof(*items));
	if (!items)
		return -ENOMEM;
	list->items = items;
	list->size = size;
	return 0;
}

int element_list_add(struct element_list *list, const struct element *element)
{
	if (element_list_reserve(list, 1) < 0)
		return -ENOMEM;
	list->items[list->count++] = *element;
	return 0;
}

struct target element_list_target(const struct element_list *list)
{
	const struct target none = {.code = TARGET_NONE};
	struct target target = none;

	for (size_t i = 0; i < list->count; i++) {
		if (list->items[i].kind == ELEMENT_RANGE_END)
			continue;
		if (target.code == TARGET_NONE)
			target = list->items[i].target;
		if (!target_equal(list->items[i].target, target))
			return none;
	}
	return target;
}

/* The end of an interval comes before the start of the next one at the same key. */
static int compare_keys(const void *one, const void *other)
{
	const struct element *a = one, *b = other;
	int order = memcmp(a->key, b->key, sizeof(a->key));

	return order ? order : (b->kind == ELEMENT_RANGE_END) - (a->kind == ELEMENT_RANGE_END);
}

/* And no key twice. */
static bool is_sorted(const struct element_list *list)
{
	for (size_t i = 1; i < list->count; i++)
		if (compare_keys(&list->items[i - 1], &list->items[i]) >= 0)
			return false;
	return true;
}

void element_list_sort(struct element_list *list)
{
	size_t kept = 0;

	/* Intervals always are. */
	if (is_sorted(list))
		return;
	qsort(list->items, list->count, sizeof(*list->items), compare_keys);
	for (size_t i = 1; i < list->count; i++)
		if (compare_keys(&list->items[kept], &list->items[i]))
			list->items[++kept] = list->items[i];
	list->count = kept + 1;
}

void element_list_clear(struct element_list *list)
{
	free(list->items);
	*list = (struct element_list){0};
}

bool element_list_equal(const struct element_list *one, const struct element_list *other)
{
	for (size_t i = 0; i < one->count && i < other->count; i++)
		if (compare_keys(&one->items[i], &other->items[i]) ||
			!target_equal(one->items[i].target, other->items[i].target))
			return false;
	return one->count == other->count;
}

int element_list_diff(const struct element_list *before, const struct element_list *after,
	struct element_list *removed, struct element_list *added)
{
	size_t i = 0, j = 0;
	int r = 0;

	while (!r && (i < before->count || j < after->count)) {
		const struct element *old = i < before->count ? &before->items[i] : NULL;
		const struct element *new = j < after->count ? &after->items[j] : NULL;
		int order = !old ? 1 : !new ? -1 : compare_keys(old, new);
		bool same = !order && target_equal(old->target, new->target);

		if (order <= 0 && !same)
			r = element_list_add(removed, old);
		if (order >= 0 && !same && !r)
			r = element_list_add(added, new);
		i += order <= 0;
		j += order >= 0;
	}
	return r;
}

/* Where element is, or belongs, from low to high. */
static size_t find_place(
	const struct element_list *list, size_t low, size_t high, const struct element *element)
{
	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (compare_keys(&list->items[middle], element) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static void move(struct element_list *list, size_t to, size_t from, size_t count)
{
	if (to != from)
		memmove(&list->items[to], &list->items[from], count * sizeof(*list->items));
}

static void take_out(struct element_list *list, const struct element_list *removed)
{
	size_t kept = 0, next = 0;

	for (size_t i = 0; i < removed->count; i++) {
		size_t place = find_place(list, next, list->count, &removed->items[i]);

		if (place == list->count || compare_keys(&list->items[place], &removed->items[i]))
			continue;
		move(list, kept, next, place - next);
		kept += place - next;
		next = place + 1;
	}
	move(list, kept, next, list->count - next);
	list->count -= next - kept;
}

/* However many they are, nothing moves more than once: from the end on, to where it belongs. */
int element_list_patch(struct element_list *list, const struct element_list *removed,
	const struct element_list *added)
{
	size_t end;

	take_out(list, removed);
	if (element_list_reserve(list, added->count) < 0)
		return -ENOMEM;
	end = list->count;
	list->count += added->count;
	for (size_t i = added->count; i-- > 0;) {
		size_t place = find_place(list, 0, end, &added->items[i]);

		move(list, place + i + 1, place, end - place);
		list->items[place + i] = added->items[i];
		end = place;
	}
	return 0;
}

static void put_data(struct nlmsghdr *message, uint16_t attribute, const void *bytes, size_t size)
{
	struct nlattr *nest = mnl_attr_nest_start(message, attribute);

	mnl_attr_put(message, NFTA_DATA_VALUE, size, bytes);
	mnl_attr_nest_end(message, nest);
}

static void put_target(
	struct nlmsghdr *message, struct target target, chain_name_fn chain_name, void *userdata)
{
	struct nlattr *data = mnl_attr_nest_start(message, NFTA_SET_ELEM_DATA);
	struct nlattr *verdict = mnl_attr_nest_start(message, NFTA_DATA_VERDICT);

	mnl_attr_put_u32(message, NFTA_VERDICT_CODE, htonl((uint32_t)target.code));
	if (target.code == NFT_GOTO || target.code == NFT_JUMP)
		mnl_attr_put_strz(message, NFTA_VERDICT_CHAIN, chain_name(target.chain, userdata));
	mnl_attr_nest_end(message, verdict);
	mnl_attr_nest_end(message, data);
}

static void put_element(struct nlmsghdr *message, const struct element *element, bool with_target,
	chain_name_fn chain_name, void *userdata)
{
	struct nlattr *nest = mnl_attr_nest_start(message, NFTA_LIST_ELEM);

	if (element->kind == ELEMENT_RANGE_END)
		mnl_attr_put_u32(message, NFTA_SET_ELEM_FLAGS, htonl(NFT_SET_ELEM_INTERVAL_END));
	put_data(message, NFTA_SET_ELEM_KEY, element->key, element->key_length);
	if (element->kind == ELEMENT_RANGE)
		put_data(message, NFTA_SET_ELEM_KEY_END, element->key_end, element->key_length);
	if (with_target && element->target.code != TARGET_NONE)
		put_target(message, element->target, chain_name, userdata);
	if (with_target && element->timeout_s)
		mnl_attr_put_u64(message, NFTA_SET_ELEM_TIMEOUT,
			htobe64((uint64_t)element->timeout_s * 1000));
	mnl_attr_nest_end(message, nest);
}

int element_list_write(struct batch *batch, uint16_t type, uint16_t flags, const char *set,
	const struct element_list *list, chain_name_fn chain_name, void *userdata)
{
	size_t i = 0;

	while (i < list->count) {
		struct nlmsghdr *message = batch_message(batch, type, BATCH_FAMILY, flags,
			"elements %zu to %zu of set %s", i, list->count - 1, set);
		struct nlattr *nest;
		size_t start;

		if (!message)
			return -ENOMEM;
		mnl_attr_put_strz(message, NFTA_SET_ELEM_LIST_TABLE, batch_table(batch));
		mnl_attr_put_strz(message, NFTA_SET_ELEM_LIST_SET, set);
		nest = mnl_attr_nest_start(message, NFTA_SET_ELEM_LIST_ELEMENTS);
		start = message->nlmsg_len;
		while (i < list->count && message->nlmsg_len - start < LIST_BYTES_MAX)
			put_element(message, &list->items[i++], type == NFT_MSG_NEWSETELEM,
				chain_name, userdata);
		mnl_attr_nest_end(message, nest);
		batch_message_done(batch);
	}
	return 0;
}
