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

/* One interface, and how many elements of each list are its own. */
struct device_input {
	uint32_t ifindex;
	uint32_t table; /* peer table of ingress */
	uint8_t mac[6];
	bool plain; /* of one attachment */
	size_t first_address;
	size_t addresses_count;
	uint32_t elements[DEVICE_LISTS];
};

struct device_inputs {
	struct device_input *items; /* by ifindex as it is in elements' keys */
	size_t count;
	struct address *addresses;
	size_t addresses_count;
	struct ir_address *node; /* as in device_hearing.h */
	size_t node_count;
	const struct ir_shared *shared; /* of the IR: tables of one number are the same */
};

static void inputs_free(struct device_inputs *inputs)
{
	if (!inputs)
		return;
	free(inputs->items);
	free(inputs->addresses);
	free(inputs->node);
	free(inputs);
}

static void clear(struct element_list lists[static DEVICE_LISTS])
{
	for (size_t i = 0; i < DEVICE_LISTS; i++)
		element_list_clear(&lists[i]);
}

void device_lists_clear(struct device_lists *lists)
{
	clear(lists->items);
	inputs_free(lists->inputs);
	lists->inputs = NULL;
}

void device_lists_change_clear(struct device_lists_change *change)
{
	clear(change->removed);
	clear(change->added);
	inputs_free(change->inputs);
	change->inputs = NULL;
	free(change->differing);
	change->differing = NULL;
	change->differing_count = 0;
}

void device_lists_forget(struct device_lists *lists)
{
	if (lists->inputs)
		lists->inputs->shared = NULL;
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

static int add_attachment(struct element_list *lists, const struct attachment *attachment)
{
	const struct address own = link_local(attachment->mac);
	int r = add(&lists[LIST_MACS], attachment, true, NULL);

	for (size_t i = 0; !r && i < attachment->addresses_count; i++) {
		const struct address *address = &attachment->addresses[i];
		bool ipv4 = address_is_ipv4(address);

		r = add(&lists[ipv4 ? LIST_OWN4 : LIST_OWN6], attachment, true, address);
		if (!r)
			r = add(&lists[ipv4 ? LIST_AT4 : LIST_AT6], attachment, false, address);
		if (!r && !ipv4)
			r = add(&lists[LIST_CLAIMS], attachment, true, address);
	}
	return r ? r : add(&lists[LIST_CLAIMS], attachment, true, &own);
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
	const struct dataplane_state *state;
	size_t place;                          /* in the former inputs */
	size_t places[DEVICE_LISTS];           /* in lists: what is before has been compared */
	struct element_list own[DEVICE_LISTS]; /* of one interface as it should be */
	struct device_hearing hearing;
	bool same_tables;
	struct device_inputs *inputs; /* as they will be */
	struct device_lists_change *change;
};

static void comparison_clear(struct comparison *comparison)
{
	clear(comparison->own);
	device_hearing_clear(&comparison->hearing);
}

static struct device_inputs *new_inputs(
	const struct dataplane_state *state, const struct device_hearing *hearing)
{
	struct device_inputs *inputs = calloc(1, sizeof(*inputs));
	size_t addresses = 1;

	if (!inputs)
		return NULL;
	for (size_t i = 0; i < state->attachments_count; i++)
		addresses += state->attachments[i].addresses_count;
	inputs->items = calloc(state->attachments_count + 1, sizeof(*inputs->items));
	inputs->addresses = calloc(addresses, sizeof(*inputs->addresses));
	inputs->node = calloc(hearing->node_count + 1, sizeof(*inputs->node));
	inputs->shared = state->ir->shared;
	if (!inputs->items || !inputs->addresses || !inputs->node) {
		inputs_free(inputs);
		return NULL;
	}
	for (size_t i = 0; i < hearing->node_count; i++)
		inputs->node[inputs->node_count++] = hearing->node[i];
	return inputs;
}

/* Do tables of one number let the same be heard as before? */
static bool are_same_tables(const struct device_inputs *before, const struct device_inputs *after)
{
	if (!before || !before->shared || before->shared != after->shared ||
		before->node_count != after->node_count)
		return false;
	for (size_t i = 0; i < after->node_count; i++)
		if (!address_equal(&before->node[i].address, &after->node[i].address) ||
			before->node[i].class != after->node[i].class)
			return false;
	return true;
}

static struct device_input *take_input(
	struct comparison *comparison, const size_t *order, size_t count)
{
	const struct attachment *attachment = &comparison->state->attachments[order[0]];
	struct device_inputs *inputs = comparison->inputs;
	struct device_input *input = &inputs->items[inputs->count++];

	input->ifindex = attachment->ifindex;
	input->table =
		comparison->state->ir->subjects[attachment->workload].peer_table[DIRECTION_INGRESS];
	memcpy(input->mac, attachment->mac, sizeof(input->mac));
	input->plain = count == 1;
	input->first_address = inputs->addresses_count;
	input->addresses_count = attachment->addresses_count;
	for (size_t i = 0; i < attachment->addresses_count; i++)
		inputs->addresses[inputs->addresses_count++] = attachment->addresses[i];
	return input;
}

static bool is_same(const struct comparison *comparison, const struct device_input *before,
	const struct device_input *after)
{
	const struct address *one = comparison->lists->inputs->addresses + before->first_address;
	const struct address *other = comparison->inputs->addresses + after->first_address;

	return comparison->same_tables && before->plain && after->plain &&
	       before->table == after->table &&
	       !memcmp(before->mac, after->mac, sizeof(before->mac)) &&
	       before->addresses_count == after->addresses_count &&
	       (!before->addresses_count ||
		       !memcmp(one, other, before->addresses_count * sizeof(*one)));
}

/* before: what lists have of an interface, NULL: nothing; comparison->own: what they should. */
static int compare_elements(struct comparison *comparison, const struct device_input *before)
{
	int r = 0;

	for (size_t i = 0; !r && i < DEVICE_LISTS; i++) {
		/* Borrowed, and of no size: nothing is added to it. */
		const struct element_list there = {
			.items = comparison->lists->items[i].items + comparison->places[i],
			.count = before ? before->elements[i] : 0,
		};

		r = element_list_diff(&there, &comparison->own[i], &comparison->change->removed[i],
			&comparison->change->added[i]);
		comparison->places[i] += there.count;
		comparison->own[i].count = 0;
	}
	return r;
}

/* Interfaces before this one, or all that are left, are gone. */
static int remove_until(struct comparison *comparison, const uint32_t *ifindex)
{
	const struct device_inputs *before = comparison->lists->inputs;
	int r = 0;

	for (; !r && before && comparison->place < before->count; comparison->place++) {
		const struct device_input *input = &before->items[comparison->place];

		if (ifindex && memcmp(&input->ifindex, ifindex, sizeof(*ifindex)) >= 0)
			break;
		r = compare_elements(comparison, input);
	}
	return r;
}

static int make_own(struct comparison *comparison, const size_t *order, size_t count,
	struct device_input *input)
{
	struct element_list *own = comparison->own;
	struct element_list *from[2] = {&own[LIST_FROM6], &own[LIST_FROM4]};
	int r = 0;

	for (size_t i = 0; !r && i < count; i++) {
		const struct attachment *attachment = &comparison->state->attachments[order[i]];

		r = add_attachment(own, attachment);
		if (!r)
			r = device_hearing_add(&comparison->hearing, comparison->state, attachment,
				&own[LIST_DEAF], from);
	}
	for (size_t i = 0; !r && i < DEVICE_LISTS; i++) {
		element_list_sort(&own[i]);
		input->elements[i] = (uint32_t)own[i].count;
	}
	return r;
}

/* order: of the attachments of one interface. */
static int compare_interface(struct comparison *comparison, const size_t *order, size_t count)
{
	struct device_input *input = take_input(comparison, order, count);
	const struct device_inputs *all = comparison->lists->inputs;
	const struct device_input *before = NULL;
	int r = remove_until(comparison, &input->ifindex);

	if (all && comparison->place < all->count &&
		all->items[comparison->place].ifindex == input->ifindex)
		before = &all->items[comparison->place++];
	if (!r && before && is_same(comparison, before, input)) {
		memcpy(input->elements, before->elements, sizeof(input->elements));
		for (size_t i = 0; i < DEVICE_LISTS; i++)
			comparison->places[i] += before->elements[i];
		return 0;
	}
	for (size_t i = 0; i < count; i++)
		comparison->change->differing[comparison->change->differing_count++] = order[i];
	if (!r)
		r = make_own(comparison, order, count, input);
	return r ? r : compare_elements(comparison, before);
}

int device_lists_compare(const struct device_lists *lists, const struct dataplane_state *state,
	struct device_lists_change *ret)
{
	__attribute__((cleanup(comparison_clear))) struct comparison comparison = {
		.lists = lists, .state = state, .change = ret};
	size_t count, next;
	_cleanup_free_ size_t *order = order_of_keys(state, &count);
	int r = order ? device_hearing_new(state->ir, &comparison.hearing) : -ENOMEM;

	if (r < 0)
		return r;
	ret->inputs = comparison.inputs = new_inputs(state, &comparison.hearing);
	ret->differing = calloc(count + 1, sizeof(*ret->differing));
	if (!ret->inputs || !ret->differing)
		return -ENOMEM;
	comparison.same_tables = are_same_tables(lists->inputs, ret->inputs);
	for (size_t i = 0; !r && i < count; i = next) {
		uint32_t ifindex = state->attachments[order[i]].ifindex;

		for (next = i + 1;
			next < count && state->attachments[order[next]].ifindex == ifindex;)
			next++;
		r = compare_interface(&comparison, order + i, next - i);
	}
	return r ? r : remove_until(&comparison, NULL);
}

static void swap_inputs(struct device_lists *lists, struct device_lists_change *change)
{
	struct device_inputs *inputs = lists->inputs;

	lists->inputs = change->inputs;
	change->inputs = inputs;
}

int device_lists_patch(struct device_lists *lists, struct device_lists_change *change)
{
	for (size_t i = 0; i < DEVICE_LISTS; i++)
		if (element_list_reserve(&lists->items[i], change->added[i].count) < 0)
			return -ENOMEM;
	for (size_t i = 0; i < DEVICE_LISTS; i++)
		(void)element_list_patch(&lists->items[i], &change->removed[i], &change->added[i]);
	swap_inputs(lists, change);
	return 0;
}

void device_lists_unpatch(struct device_lists *lists, struct device_lists_change *change)
{
	for (size_t i = 0; i < DEVICE_LISTS; i++)
		(void)element_list_patch(&lists->items[i], &change->added[i], &change->removed[i]);
	swap_inputs(lists, change);
}

static int write_list(struct batch *batch, size_t list, const struct element_list *removed,
	const struct element_list *added)
{
	int r = element_list_write(
		batch, NFT_MSG_DELSETELEM, 0, list_names[list], removed, NULL, NULL);

	return r ? r
		 : element_list_write(batch, NFT_MSG_NEWSETELEM, NLM_F_CREATE, list_names[list],
			   added, NULL, NULL);
}

int device_lists_write(struct batch *batch, const struct device_lists_change *change, bool back)
{
	const struct element_list *removed = back ? change->added : change->removed;
	const struct element_list *added = back ? change->removed : change->added;
	int r = 0;

	for (size_t i = 0; !r && i < DEVICE_LISTS; i++)
		r = write_list(batch, i, &removed[i], &added[i]);
	return r;
}

int device_lists_write_all(struct batch *batch, const struct device_lists *lists)
{
	static const struct element_list none;
	int r = 0;

	for (size_t i = 0; !r && i < DEVICE_LISTS; i++)
		r = write_list(batch, i, &none, &lists->items[i]);
	return r;
}
