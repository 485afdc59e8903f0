/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "dataplane/lock/second_lock.h"

#include "base/cleanup.h"
#include "base/hash.h"
#include "dataplane/lock/lock_layout.h"
#include "dataplane/nft/device_refusals.h"
#include "dataplane/nft/listing.h"
#include "dataplane/nft/netlink.h"
#include "dataplane/nft/refusal.h"

#include <errno.h>
#include <linux/netfilter.h>
#include <net/if.h>
#include <stdlib.h>
#include <string.h>

#define TICK_US UINT64_C(1000000)

static const enum reason reasons[] = {REASON_SECOND_LOCK};

/* An interface of a workload. */
struct place {
	uint32_t ifindex;
	char name[IF_NAMESIZE]; /* under which its chains were hooked; "": they are not */
	bool wanted;
	UT_hash_handle hh;
};

struct second_lock {
	uint32_t mark;
	struct dataplane_callbacks callbacks;
	struct mnl_socket *socket;
	sd_event_source *timer;
	struct place *places;
	struct device_refusals *refusals;
	size_t uncovered; /* interfaces inside */
	bool there;       /* the table is as it should be, as far as we know */
	bool failing;     /* and trouble was told */
	uint64_t repairs;
};

/* --- places ---------------------------------------------------------------------------------- */

static struct place *find(const struct second_lock *lock, uint32_t ifindex)
{
	struct place *place;

	HASH_FIND(hh, lock->places, &ifindex, sizeof(ifindex), place);
	return place;
}

static struct place *get(struct second_lock *lock, uint32_t ifindex)
{
	struct place *place = find(lock, ifindex);

	if (place)
		return place;
	place = calloc(1, sizeof(*place));
	if (!place)
		return NULL;
	place->ifindex = ifindex;
	HASH_ADD(hh, lock->places, ifindex, sizeof(place->ifindex), place);
	if (HASH_ADDED(place))
		return place;
	free(place);
	return NULL;
}

static void forget(struct second_lock *lock, struct place *place)
{
	HASH_DEL(lock->places, place);
	free(place);
}

static void free_lock(struct second_lock *lock)
{
	struct place *place, *next;

	sd_event_source_disable_unref(lock->timer);
	HASH_ITER (hh, lock->places, place, next) {
		forget(lock, place);
	}
	device_refusals_free(lock->refusals);
	netlink_closep(&lock->socket);
	free(lock);
}

DEFINE_CLEANUP(struct second_lock *, free_lock)

/* --- the table ---------------------------------------------------------------------------------
 */

static int remove_table(struct mnl_socket *socket, struct error *error)
{
	_cleanup_(batch_freep) struct batch *batch = NULL;
	int r = lock_layout_begin(&batch);

	if (!r)
		r = lock_layout_write_removal(batch);
	if (r < 0)
		return error_nomem(error);
	r = batch_send(batch, socket, NULL, NULL, error);
	if (r == -ENOENT && error)
		error_clear(error);
	return r == -ENOENT ? 0 : r;
}

/* Interfaces that have no chains yet under the name that they have now; with all of them where the
 * table is made anew. Those that are gone are left out. */
static int write_places(struct second_lock *lock, struct batch *batch, bool all)
{
	int r = 0;

	for (struct place *place = lock->places; !r && place; place = place->hh.next) {
		if (!all && *place->name)
			continue;
		if (!if_indextoname(place->ifindex, place->name))
			place->name[0] = '\0';
		else
			r = lock_layout_write_interface(
				batch, place->ifindex, place->name, lock->mark);
	}
	return r;
}

/* In one transaction: there is no moment without. What was counted is read before. */
static int write_table(struct second_lock *lock, struct error *error)
{
	_cleanup_(batch_freep) struct batch *batch = NULL;
	bool all = !lock->there;
	int r = lock_layout_begin(&batch);

	if (all)
		(void)device_refusals_read(lock->refusals, lock->socket, NULL);
	if (!r && all)
		r = lock_layout_write_new(batch);
	if (!r && all)
		r = lock_layout_write_fixed(batch, lock->mark);
	if (!r)
		r = write_places(lock, batch, all);
	if (r < 0)
		return error_nomem(error);
	r = batch_send(batch, lock->socket, NULL, NULL, error);
	/* Which of them are there is only known of a table that is new. */
	lock->there = !r;
	return r;
}

static int send_removal(struct second_lock *lock, struct place *only)
{
	_cleanup_(batch_freep) struct batch *batch = NULL;
	struct place *place = only ? only : lock->places;
	int r = lock_layout_begin(&batch);

	for (; !r && place; place = only ? NULL : place->hh.next)
		if (!place->wanted && *place->name)
			r = lock_layout_write_interface_removal(batch, place->ifindex);
	return r ? r : batch_send(batch, lock->socket, NULL, NULL, NULL);
}

/* With an interface most kernels take its chains away. Those that do not (from 6.16 on) would hook
 * them to the next one of that name. */
static void drop_unwanted(struct second_lock *lock)
{
	struct place *place, *next;
	bool one_by_one = send_removal(lock, NULL) < 0;

	HASH_ITER (hh, lock->places, place, next) {
		if (place->wanted)
			continue;
		if (one_by_one)
			(void)send_removal(lock, place);
		forget(lock, place);
	}
}

static void write_or_tell(struct second_lock *lock)
{
	_cleanup_error_ struct error error = ERROR_INIT;
	int r = write_table(lock, &error);

	if (r < 0)
		(void)error_context(&error, r, "set the second lock");
	if (r < 0 && !lock->failing)
		lock->callbacks.trouble(error_message(&error), false, lock->callbacks.userdata);
	lock->failing = r < 0;
}

/* --- looking after it --------------------------------------------------------------------------
 */

/* Chains are hooked by name in newer kernels, and fall off where it changes. */
static void check_places(struct second_lock *lock)
{
	struct place *place;
	char name[IF_NAMESIZE];
	bool gone = false;

	for (place = lock->places; place; place = place->hh.next) {
		place->wanted = if_indextoname(place->ifindex, name);
		gone |= !place->wanted;
		if (place->wanted && *place->name && strcmp(place->name, name))
			lock->there = false;
	}
	if (gone)
		drop_unwanted(lock);
}

static bool is_whole(const struct second_lock *lock)
{
	size_t rules, expected = LOCK_RULES_FIXED;

	for (const struct place *place = lock->places; place; place = place->hh.next)
		expected += *place->name ? LOCK_RULES_INTERFACE : 0;
	return listing_count_rules(lock->socket, NFPROTO_NETDEV, LOCK_TABLE, &rules) < 0 ||
	       rules == expected;
}

static void look_after(struct second_lock *lock)
{
	bool renamed, whole;

	check_places(lock);
	renamed = !lock->there;
	whole = is_whole(lock);
	lock->there &= whole;
	if (lock->there)
		return;
	write_or_tell(lock);
	if (renamed || whole || lock->failing)
		return;
	lock->repairs++;
	lock->callbacks.trouble("somebody changed table netdev " LOCK_TABLE
				", the second lock: it was made anew",
		true, lock->callbacks.userdata);
}

static int on_tick(sd_event_source *source, uint64_t time_us, void *userdata)
{
	struct second_lock *lock = userdata;

	look_after(lock);
	(void)device_refusals_read(lock->refusals, lock->socket, &lock->callbacks);
	sd_event_source_set_time(source, time_us + TICK_US);
	return sd_event_source_set_enabled(source, SD_EVENT_ONESHOT);
}

/* --- what is asked of it -------------------------------------------------------------------- */

struct reading {
	struct second_lock *lock;
	uint32_t mark;
};

static int take_chain(const char *name, void *userdata)
{
	struct reading *reading = userdata;
	uint32_t ifindex = lock_layout_interface(name);
	struct place *place;

	if (!ifindex) {
		uint32_t mark = lock_layout_mark(name);

		reading->mark = mark ? mark : reading->mark;
		return 0;
	}
	place = get(reading->lock, ifindex);
	if (!place)
		return -ENOMEM;
	if (!if_indextoname(ifindex, place->name))
		strcpy(place->name, "?");
	return 0;
}

static int adopt(struct second_lock *lock, struct error *error)
{
	struct reading reading = {lock, 0};
	int r = listing_chains(lock->socket, NFPROTO_NETDEV, LOCK_TABLE, take_chain, &reading);

	if (r < 0)
		return error_errno(error, r, "read table netdev %s", LOCK_TABLE);
	/* It goes on as it is until the first apply, which makes it anew. */
	return reading.mark == lock->mark ? 0 : remove_table(lock->socket, error);
}

int second_lock_open(uint32_t mark, const struct dataplane_callbacks *callbacks, sd_event *event,
	struct second_lock **ret, struct error *error)
{
	_cleanup_(free_lockp) struct second_lock *lock = NULL;
	uint64_t now_us;
	int r;

	if (!mark) {
		*ret = NULL;
		return second_lock_remove(error);
	}
	lock = calloc(1, sizeof(*lock));
	if (!lock || device_refusals_new(LOCK_TABLE, reasons, ARRAY_SIZE(reasons), &lock->refusals))
		return error_nomem(error);
	lock->mark = mark;
	lock->callbacks = *callbacks;
	r = netlink_open(&lock->socket, error);
	if (!r)
		r = adopt(lock, error);
	if (r < 0)
		return error_context(error, r, "open the second lock");
	sd_event_now(event, CLOCK_MONOTONIC, &now_us);
	r = sd_event_add_time(
		event, &lock->timer, CLOCK_MONOTONIC, now_us + TICK_US, 0, on_tick, lock);
	if (r < 0)
		return error_errno(error, r, "start timer");
	*ret = TAKE_PTR(lock);
	return 0;
}

void second_lock_release(
	struct second_lock *lock, const struct attachment *attachments, size_t count)
{
	struct place *place;

	if (!lock)
		return;
	for (place = lock->places; place; place = place->hh.next)
		place->wanted = false;
	for (size_t i = 0; i < count; i++) {
		place = find(lock, attachments[i].ifindex);
		if (place)
			place->wanted = true;
	}
	drop_unwanted(lock);
}

void second_lock_apply(struct second_lock *lock, const struct attachment *attachments, size_t count)
{
	bool changed = false;

	if (!lock)
		return;
	lock->uncovered = 0;
	for (size_t i = 0; i < count; i++) {
		const struct attachment *attachment = &attachments[i];
		const struct place *place = NULL;

		if (attachment->netns)
			lock->uncovered++;
		else
			place = get(lock, attachment->ifindex);
		/* Without memory for it, the next apply tries again. */
		if (place && device_refusals_name(lock->refusals, attachment) == 0)
			changed |= !*place->name;
	}
	if (changed || !lock->there)
		write_or_tell(lock);
}

int second_lock_collect(struct second_lock *lock, struct error *error)
{
	int r = lock ? device_refusals_read(lock->refusals, lock->socket, &lock->callbacks) : 0;

	return r < 0 ? error_errno(error, r, "read what the second lock refused") : 0;
}

json_t *second_lock_describe(const struct second_lock *lock)
{
	uint64_t packets, bytes;
	size_t locked = 0;
	char mark[16];
	json_t *counters;

	if (!lock)
		return json_null();
	for (const struct place *place = lock->places; place; place = place->hh.next)
		locked += lock->there && *place->name;
	snprintf(mark, sizeof(mark), "%#x", lock->mark);
	device_refusals_sum(lock->refusals, 0, &packets, &bytes);
	counters = packets ? json_pack("{s:{s:I, s:I}}", refusal_reason_name(REASON_SECOND_LOCK),
				     "packets", (json_int_t)packets, "bytes", (json_int_t)bytes)
			   : json_object();
	return json_pack("{s:s, s:I, s:I, s:I, s:o}", "mark", mark, "interfaces",
		(json_int_t)locked, "open",
		(json_int_t)(HASH_COUNT(lock->places) - locked + lock->uncovered), "repairs",
		(json_int_t)lock->repairs, "counters", counters);
}

void second_lock_close(struct second_lock *lock, bool detach)
{
	if (!lock)
		return;
	(void)second_lock_collect(lock, NULL);
	if (detach)
		(void)remove_table(lock->socket, NULL);
	free_lock(lock);
}

int second_lock_remove(struct error *error)
{
	_cleanup_(netlink_closep) struct mnl_socket *socket = NULL;

	/* Without nf_tables in the kernel nobody has left anything. */
	if (netlink_open(&socket, NULL) < 0 || remove_table(socket, NULL) == -EOPNOTSUPP)
		return 0;
	return remove_table(socket, error);
}
