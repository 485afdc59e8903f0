/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "dataplane/nft/device_sources.h"

#include "base/cleanup.h"
#include "dataplane/nft/batch.h"
#include "dataplane/nft/chain.h"
#include "dataplane/nft/device_arrival.h"
#include "dataplane/nft/device_hearing.h"
#include "dataplane/nft/device_layout.h"
#include "dataplane/nft/device_refusals.h"
#include "dataplane/nft/device_rule.h"
#include "dataplane/nft/element.h"
#include "dataplane/nft/hash.h"
#include "dataplane/nft/layout.h"
#include "dataplane/nft/listing.h"
#include "dataplane/nft/netlink.h"
#include "dataplane/nft/refusal.h"
#include "dataplane/nft/set.h"

#include <errno.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <net/if.h>
#include <stdlib.h>
#include <string.h>

#define PRIORITY (-490) /* behind guards */

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
	LISTS,
};

static const char *const list_names[LISTS] = {
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

struct lists {
	struct element_list items[LISTS];
};

struct hooked {
	uint32_t ifindex;
	bool wanted;
	bool written; /* its chain is in the kernel */
	UT_hash_handle hh;
};

struct device_sources {
	struct mnl_socket *socket;
	struct device_refusals *refusals;
	struct hooked *hooked;
	struct lists lists;  /* in the kernel, once written is set */
	struct lists former; /* before the last device_sources_apply() */
	bool written;
	uint16_t ethertypes[DATAPLANE_ETHERTYPES];
};

static void lists_clear(struct lists *lists)
{
	for (size_t i = 0; i < LISTS; i++)
		element_list_clear(&lists->items[i]);
}

/* The two chains of an interface; that of its egress is the later one to be made. */
static const struct {
	const char *prefix;
	uint32_t hook;
	const char *leads_to;
} sides[] = {
	{"sends", NF_NETDEV_INGRESS, DEVICE_CHECK},
	{"enters", NF_NETDEV_EGRESS, DEVICE_ARRIVAL},
};

/* By index, as those of guards. */
static void format_name(char name[static DEVICE_CHAIN_MAX], size_t side, uint32_t ifindex)
{
	snprintf(name, DEVICE_CHAIN_MAX, "%s-%u", sides[side].prefix, ifindex);
}

static struct hooked *find(const struct device_sources *sources, uint32_t ifindex)
{
	struct hooked *hooked;

	HASH_FIND(hh, sources->hooked, &ifindex, sizeof(ifindex), hooked);
	return hooked;
}

static struct hooked *remember(struct device_sources *sources, uint32_t ifindex)
{
	struct hooked *hooked = calloc(1, sizeof(*hooked));

	if (!hooked)
		return NULL;
	hooked->ifindex = ifindex;
	HASH_ADD(hh, sources->hooked, ifindex, sizeof(hooked->ifindex), hooked);
	if (HASH_ADDED(hooked))
		return hooked;
	free(hooked);
	return NULL;
}

static void forget(struct device_sources *sources, struct hooked *hooked)
{
	HASH_DEL(sources->hooked, hooked);
	free(hooked);
}

static int take_chain(const char *name, void *userdata)
{
	struct hooked *hooked;
	unsigned int ifindex;

	if (sscanf(name, "enters-%u", &ifindex) != 1 || find(userdata, ifindex))
		return 0;
	hooked = remember(userdata, ifindex);
	if (!hooked)
		return -ENOMEM;
	hooked->written = true;
	return 0;
}

int device_sources_open(
	const struct dataplane_options *options, struct device_sources **ret, struct error *error)
{
	_cleanup_(device_sources_freep) struct device_sources *sources =
		calloc(1, sizeof(*sources));
	int r;

	if (!sources || device_refusals_new(LAYOUT_TABLE, device_reasons, DEVICE_REASONS,
				&sources->refusals) < 0)
		return error_nomem(error);
	memcpy(sources->ethertypes, options->ethertypes, sizeof(sources->ethertypes));
	r = netlink_open(&sources->socket, error);
	if (r < 0)
		return r;
	/* What hangs on interfaces by now; everything else is written anew. */
	r = listing_chains(sources->socket, NFPROTO_NETDEV, LAYOUT_TABLE, take_chain, sources);
	if (r < 0)
		return error_errno(error, r, "read table netdev %s", LAYOUT_TABLE);
	*ret = TAKE_PTR(sources);
	return 0;
}

void device_sources_free(struct device_sources *sources)
{
	struct hooked *hooked, *next;

	if (!sources)
		return;
	HASH_ITER (hh, sources->hooked, hooked, next)
		forget(sources, hooked);
	lists_clear(&sources->lists);
	lists_clear(&sources->former);
	device_refusals_free(sources->refusals);
	netlink_closep(&sources->socket);
	free(sources);
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

static int add_attachment(struct lists *lists, const struct attachment *attachment)
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
	/* Last: most addresses are below it, and lists in order need no sorting. */
	return r ? r : add(&lists->items[LIST_CLAIMS], attachment, true, &own);
}

static int write_table(struct batch *batch)
{
	struct nlmsghdr *message = batch_message(batch, NFT_MSG_NEWTABLE, BATCH_FAMILY,
		NLM_F_CREATE, "table netdev %s", LAYOUT_TABLE);

	if (!message)
		return -ENOMEM;
	mnl_attr_put_strz(message, NFTA_TABLE_NAME, LAYOUT_TABLE);
	batch_message_done(batch);
	return 0;
}

static int write_list(struct batch *batch, const char *set, const struct element_list *before,
	const struct element_list *after)
{
	_cleanup_(element_list_clear) struct element_list removed = {0}, added = {0};
	int r = element_list_diff(before, after, &removed, &added);

	if (!r)
		r = element_list_write(batch, NFT_MSG_DELSETELEM, 0, set, &removed, NULL, NULL);
	return r < 0 ? r
		     : element_list_write(
			       batch, NFT_MSG_NEWSETELEM, NLM_F_CREATE, set, &added, NULL, NULL);
}

static int write_hook(struct batch *batch, uint32_t ifindex)
{
	char device[IF_NAMESIZE];
	int r = 0;

	if (!if_indextoname(ifindex, device))
		return 0; /* gone meanwhile */
	for (size_t side = 0; !r && side < ARRAY_SIZE(sides); side++) {
		struct chain_hook hook = {NFPROTO_NETDEV, sides[side].hook, PRIORITY, device};
		char name[DEVICE_CHAIN_MAX];
		struct rule rule;

		format_name(name, side, ifindex);
		r = chain_write(batch, name, device, &hook);
		if (r < 0)
			return r;
		rule_begin(&rule, name);
		r = device_rule_goto(&rule, batch, sides[side].leads_to);
	}
	return r;
}

static int write_state(
	struct device_sources *sources, struct batch *batch, const struct lists *lists)
{
	static const struct lists nothing;
	const struct lists *before = sources->written ? &sources->lists : &nothing;
	int r = 0;

	batch_set_family(batch, NFPROTO_NETDEV);
	batch_set_rewriting(batch, !sources->written);
	if (!sources->written) {
		r = write_table(batch);
		if (!r)
			r = device_layout_write(batch, sources->ethertypes);
	}
	for (size_t i = 0; !r && i < LISTS; i++)
		r = write_list(batch, list_names[i], &before->items[i], &lists->items[i]);
	for (struct hooked *hooked = sources->hooked; !r && hooked; hooked = hooked->hh.next)
		if (hooked->wanted && (!hooked->written || !sources->written))
			r = write_hook(batch, hooked->ifindex);
	return r;
}

/* Where the interface is gone, the kernel has taken the chain away. */
static int unhook(struct device_sources *sources, struct hooked *hooked, struct error *error)
{
	_cleanup_(batch_freep) struct batch *batch = NULL;
	int r = batch_new(&batch);

	for (size_t side = 0; !r && side < ARRAY_SIZE(sides); side++) {
		char name[DEVICE_CHAIN_MAX];

		format_name(name, side, hooked->ifindex);
		r = chain_write_removal(batch, NFPROTO_NETDEV, name);
	}
	if (r < 0)
		return error_nomem(error);
	r = batch_send(batch, sources->socket, NULL, NULL, error);
	if (r < 0 && r != -ENOENT)
		return r;
	if (error)
		error_clear(error);
	forget(sources, hooked);
	return 0;
}

static int try_send(struct device_sources *sources, const struct lists *lists, struct error *error)
{
	_cleanup_(batch_freep) struct batch *batch = NULL;
	int r = batch_new(&batch);

	if (!r)
		r = write_state(sources, batch, lists);
	if (r < 0)
		return error_nomem(error);
	r = batch_send(batch, sources->socket, NULL, NULL, error);
	if (r < 0)
		return error_context(error, r, "hold workloads to their addresses");
	sources->written = true;
	for (struct hooked *hooked = sources->hooked; hooked; hooked = hooked->hh.next)
		hooked->written |= hooked->wanted;
	return 0;
}

static int send_state(
	struct device_sources *sources, const struct lists *lists, struct error *error)
{
	int r = try_send(sources, lists, error);

	/* Somebody was at the table, or an interface is going. */
	if (r != -ENOENT && r != -EEXIST && r != -EBUSY)
		return r;
	if (error)
		error_clear(error);
	sources->written = false;
	return try_send(sources, lists, error);
}

static int compare_as_keys(const void *one, const void *other, void *attachments)
{
	const struct attachment *a = (const struct attachment *)attachments + *(const size_t *)one;
	const struct attachment *b =
		(const struct attachment *)attachments + *(const size_t *)other;

	return memcmp(&a->ifindex, &b->ifindex, sizeof(a->ifindex));
}

/* Indexes of attachments, by ifindex as it is in elements' keys. NULL: out of memory. */
static size_t *order_of_keys(const struct dataplane_state *state)
{
	size_t *order = calloc(state->attachments_count + 1, sizeof(*order));

	for (size_t i = 0; order && i < state->attachments_count; i++)
		order[i] = i;
	if (order)
		qsort_r(order, state->attachments_count, sizeof(*order), compare_as_keys,
			(void *)state->attachments);
	return order;
}

static int list_attachments(
	struct device_sources *sources, struct lists *lists, const struct dataplane_state *state)
{
	__attribute__((cleanup(device_hearing_clear))) struct device_hearing hearing = {0};
	_cleanup_free_ size_t *order = order_of_keys(state);
	int r = order ? device_hearing_new(state->ir, &hearing) : -ENOMEM;

	for (size_t i = 0; !r && i < state->attachments_count; i++) {
		const struct attachment *attachment = &state->attachments[order[i]];

		if (attachment->workload < 0)
			continue;
		r = add_attachment(lists, attachment);
		if (!r)
			r = device_hearing_add(&hearing, state, attachment);
		if (!r)
			r = device_refusals_name(sources->refusals, attachment);
	}
	lists->items[LIST_DEAF] = hearing.deaf;
	lists->items[LIST_FROM4] = hearing.from[true];
	lists->items[LIST_FROM6] = hearing.from[false];
	hearing.deaf = hearing.from[true] = hearing.from[false] = (struct element_list){0};
	for (size_t i = 0; i < LISTS; i++)
		element_list_sort(&lists->items[i]);
	return r;
}

static int mark_wanted(
	struct device_sources *sources, const struct attachment *attachments, size_t count)
{
	struct hooked *hooked;

	for (hooked = sources->hooked; hooked; hooked = hooked->hh.next)
		hooked->wanted = false;
	for (size_t i = 0; i < count; i++) {
		if (attachments[i].workload < 0)
			continue;
		hooked = find(sources, attachments[i].ifindex);
		if (!hooked)
			hooked = remember(sources, attachments[i].ifindex);
		if (!hooked)
			return -ENOMEM;
		hooked->wanted = true;
	}
	return 0;
}

int device_sources_apply(
	struct device_sources *sources, const struct dataplane_state *state, struct error *error)
{
	const struct attachment *attachments = state->attachments;
	size_t count = state->attachments_count;
	_cleanup_(lists_clear) struct lists lists = {0};
	int r = list_attachments(sources, &lists, state);

	if (!r)
		r = mark_wanted(sources, attachments, count);
	if (r < 0)
		return error_nomem(error);
	r = send_state(sources, &lists, error);
	if (r < 0)
		return r;
	lists_clear(&sources->former);
	sources->former = sources->lists;
	sources->lists = lists;
	lists = (struct lists){0};
	return 0;
}

int device_sources_settle(struct device_sources *sources, struct error *error)
{
	struct hooked *hooked, *next;
	int r = 0;

	HASH_ITER (hh, sources->hooked, hooked, next)
		if (!r && !hooked->wanted)
			r = unhook(sources, hooked, error);
	return r;
}

int device_sources_revert(struct device_sources *sources, struct error *error)
{
	int r;

	for (struct hooked *hooked = sources->hooked; hooked; hooked = hooked->hh.next)
		hooked->wanted |= hooked->written;
	r = send_state(sources, &sources->former, error);
	if (r < 0)
		return r;
	lists_clear(&sources->lists);
	sources->lists = sources->former;
	sources->former = (struct lists){0};
	return 0;
}

int device_sources_repair(struct device_sources *sources, struct error *error)
{
	sources->written = false;
	return send_state(sources, &sources->lists, error);
}

int device_sources_collect(struct device_sources *sources,
	const struct dataplane_callbacks *callbacks, struct error *error)
{
	int r = device_refusals_read(sources->refusals, sources->socket, callbacks);

	return r < 0 ? error_errno(error, r, "read refusals of table netdev %s", LAYOUT_TABLE) : 0;
}

/* Policies refuse in table inet, too. */
static void add_counter(json_t *counters, const char *name, uint64_t packets, uint64_t bytes)
{
	const json_t *there = json_object_get(counters, name);

	packets += (uint64_t)json_integer_value(json_object_get(there, "packets"));
	bytes += (uint64_t)json_integer_value(json_object_get(there, "bytes"));
	json_object_set_new(counters, name,
		json_pack(
			"{s:I, s:I}", "packets", (json_int_t)packets, "bytes", (json_int_t)bytes));
}

void device_sources_describe(struct device_sources *sources, json_t *counters)
{
	(void)device_refusals_read(sources->refusals, sources->socket, NULL);
	for (size_t i = 0; i < DEVICE_REASONS; i++) {
		uint64_t packets, bytes;

		device_refusals_sum(sources->refusals, i, &packets, &bytes);
		add_counter(counters, refusal_reason_name(device_reasons[i]), packets, bytes);
	}
}
