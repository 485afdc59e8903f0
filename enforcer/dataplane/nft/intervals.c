/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "dataplane/nft/intervals.h"

#include <errno.h>
#include <stdlib.h>

typedef unsigned __int128 number;

#define NESTING_MAX 129 /* prefix lengths 0 to 128 */

static number from_address(const struct address *address)
{
	number value = 0;

	for (size_t i = 0; i < sizeof(address->bytes); i++)
		value = value << 8 | address->bytes[i];
	return value;
}

static struct address to_address(number value)
{
	struct address address;

	for (size_t i = sizeof(address.bytes); i-- > 0; value >>= 8)
		address.bytes[i] = (uint8_t)value;
	return address;
}

static number last_of(const struct prefix *prefix)
{
	number hosts = prefix->length ? ((number)1 << (128 - prefix->length)) - 1 : ~(number)0;

	return from_address(&prefix->address) | hosts;
}

static int append(struct interval_list *list, number first, number last, uint32_t class)
{
	if (list->count == list->size) {
		size_t size = list->size ? 2 * list->size : 16;
		struct interval *items = reallocarray(list->items, size, sizeof(*items));

		if (!items)
			return -ENOMEM;
		list->items = items;
		list->size = size;
	}
	list->items[list->count++] = (struct interval){first, last, class};
	return 0;
}

/* Prefixes that are open at the place reached, each inside the one before it. */
struct nesting {
	struct interval open[NESTING_MAX];
	size_t depth;
	number next; /* the first address that is not written yet */
	bool done;   /* the last address of all is written: next has wrapped */
};

static int write_up_to(struct nesting *nesting, struct interval_list *list, number last)
{
	const struct interval *top = &nesting->open[nesting->depth - 1];
	int r;

	if (nesting->done || nesting->next > last)
		return 0;
	r = append(list, nesting->next, last, top->class);
	nesting->next = last + 1;
	nesting->done = !nesting->next;
	return r;
}

static int close_until(struct nesting *nesting, struct interval_list *list, number first)
{
	int r = 0;

	while (!r && nesting->depth && nesting->open[nesting->depth - 1].last < first) {
		r = write_up_to(nesting, list, nesting->open[nesting->depth - 1].last);
		nesting->depth--;
	}
	if (!r && nesting->depth && first)
		r = write_up_to(nesting, list, first - 1);
	return r;
}

static int close_all(struct nesting *nesting, struct interval_list *list)
{
	int r = 0;

	for (; !r && nesting->depth; nesting->depth--)
		r = write_up_to(nesting, list, nesting->open[nesting->depth - 1].last);
	return r;
}

int intervals_from_prefixes(
	const struct ir_prefix *prefixes, size_t count, bool ipv4, struct interval_list *ret)
{
	struct interval_list list = {0};
	struct nesting nesting = {.depth = 0};
	int r = 0;

	for (size_t i = 0; !r && i < count; i++) {
		number first = from_address(&prefixes[i].prefix.address);

		if (prefix_is_ipv4(&prefixes[i].prefix) != ipv4)
			continue;
		r = close_until(&nesting, &list, first);
		nesting.open[nesting.depth++] =
			(struct interval){first, last_of(&prefixes[i].prefix), prefixes[i].class};
		nesting.next = first;
	}
	if (!r)
		r = close_all(&nesting, &list);
	if (r < 0) {
		intervals_clear(&list);
		return r;
	}
	*ret = list;
	return 0;
}

void intervals_clear(struct interval_list *list)
{
	free(list->items);
	*list = (struct interval_list){0};
}

bool intervals_find(
	const struct interval_list *list, const struct address *address, uint32_t *ret_class)
{
	number value = from_address(address);
	size_t low = 0, high = list->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (list->items[middle].last < value)
			low = middle + 1;
		else
			high = middle;
	}
	if (low == list->count || list->items[low].first > value)
		return false;
	*ret_class = list->items[low].class;
	return true;
}

static int add_bound(
	struct element_list *list, number value, enum element_kind kind, struct target target)
{
	struct element element = {.kind = kind, .target = target};
	struct address address = to_address(value);

	element_key_add_address(&element, &address);
	return element_list_add(list, &element);
}

static number last_of_family(bool ipv4)
{
	return ipv4 ? (number)0xffffffffffff : ~(number)0;
}

int intervals_to_elements(const struct interval_list *list, bool ipv4, const struct target *targets,
	struct target otherwise, struct element_list *ret)
{
	const struct target none = {.code = TARGET_NONE};
	size_t end;
	int r = 0;

	for (size_t start = 0; !r && start < list->count; start = end) {
		struct target target = targets[list->items[start].class];
		number last = list->items[start].last;

		for (end = start + 1; end < list->count && list->items[end].first == last + 1 &&
				      target_equal(targets[list->items[end].class], target);
			end++)
			last = list->items[end].last;
		if (target_equal(target, otherwise))
			continue;
		r = add_bound(ret, list->items[start].first, ELEMENT_SINGLE, target);
		/* An interval without an end reaches to the last address. */
		if (!r && last != last_of_family(ipv4))
			r = add_bound(ret, last + 1, ELEMENT_RANGE_END, none);
	}
	return r;
}
