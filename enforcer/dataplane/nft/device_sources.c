/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "dataplane/nft/device_sources.h"

#include "base/cleanup.h"
#include "base/hash.h"
#include "dataplane/nft/batch.h"
#include "dataplane/nft/chain.h"
#include "dataplane/nft/device_arrival.h"
#include "dataplane/nft/device_layout.h"
#include "dataplane/nft/device_lists.h"
#include "dataplane/nft/device_refusals.h"
#include "dataplane/nft/device_rule.h"
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
	struct device_lists lists; /* in the kernel, once written is set */
	struct device_lists_change
		change; /* of the last device_sources_apply(), until it is settled */
	bool written;
	uint16_t ethertypes[DATAPLANE_ETHERTYPES];
};

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
	device_lists_clear(&sources->lists);
	device_lists_change_clear(&sources->change);
	device_refusals_free(sources->refusals);
	netlink_closep(&sources->socket);
	free(sources);
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

/* change: what led to the lists as they are, where the kernel has those of before; NULL: nothing.
 * back: and the way is the one back. */
static int write_state(struct device_sources *sources, struct batch *batch,
	const struct device_lists_change *change, bool back)
{
	int r = 0;

	batch_set_family(batch, NFPROTO_NETDEV);
	batch_set_rewriting(batch, !sources->written);
	if (!sources->written) {
		r = write_table(batch);
		if (!r)
			r = device_layout_write(batch, sources->ethertypes);
	}
	if (!r && !sources->written)
		r = device_lists_write_all(batch, &sources->lists);
	else if (!r && change)
		r = device_lists_write(batch, change, back);
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

static int try_send(struct device_sources *sources, const struct device_lists_change *change,
	bool back, struct error *error)
{
	_cleanup_(batch_freep) struct batch *batch = NULL;
	int r = batch_new(&batch);

	if (!r)
		r = write_state(sources, batch, change, back);
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

static int send_state(struct device_sources *sources, const struct device_lists_change *change,
	bool back, struct error *error)
{
	int r = try_send(sources, change, back, error);

	/* Somebody was at the table, or an interface is going. */
	if (r != -ENOENT && r != -EEXIST && r != -EBUSY)
		return r;
	if (error)
		error_clear(error);
	sources->written = false;
	return try_send(sources, change, back, error);
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

static int name_refused(struct device_sources *sources, const struct dataplane_state *state,
	const struct device_lists_change *change)
{
	int r = 0;

	for (size_t i = 0; !r && i < change->differing_count; i++)
		r = device_refusals_name(
			sources->refusals, &state->attachments[change->differing[i]]);
	return r;
}

int device_sources_apply(
	struct device_sources *sources, const struct dataplane_state *state, struct error *error)
{
	_cleanup_(device_lists_change_clear) struct device_lists_change change = {0};
	int r = device_lists_compare(&sources->lists, state, &change);

	if (!r)
		r = name_refused(sources, state, &change);
	if (!r)
		r = mark_wanted(sources, state->attachments, state->attachments_count);
	if (r < 0)
		return error_nomem(error);
	if (device_lists_patch(&sources->lists, &change) < 0)
		return error_nomem(error);
	r = send_state(sources, &change, false, error);
	if (r < 0) {
		device_lists_unpatch(&sources->lists, &change);
		return r;
	}
	device_lists_change_clear(&sources->change);
	sources->change = change;
	change = (struct device_lists_change){0};
	return 0;
}

int device_sources_settle(struct device_sources *sources, struct error *error)
{
	struct hooked *hooked, *next;
	int r = 0;

	device_lists_change_clear(&sources->change);
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
	device_lists_unpatch(&sources->lists, &sources->change);
	r = send_state(sources, &sources->change, true, error);
	if (r < 0)
		(void)device_lists_patch(&sources->lists, &sources->change);
	else
		device_lists_change_clear(&sources->change);
	/* Which of both IRs lives on, the caller knows. */
	device_lists_forget(&sources->lists);
	return r;
}

int device_sources_repair(struct device_sources *sources, struct error *error)
{
	sources->written = false;
	return send_state(sources, NULL, false, error);
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
