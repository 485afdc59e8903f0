/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "dataplane/nft/refusals.h"

#include "base/cleanup.h"
#include "dataplane/nft/batch.h"
#include "dataplane/nft/clock.h"
#include "dataplane/nft/denial.h"
#include "dataplane/nft/listing.h"
#include "dataplane/nft/netlink.h"

#include <errno.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>

#define IDLE_NS        (60 * NS_PER_S)
#define RECORDS_MAX    ((size_t)(4 * REFUSAL_SET_SIZE))
#define READS_PER_WAKE 64
#define MISSING_ROUNDS 3

struct refusals {
	struct refusals_options options;
	struct mnl_socket *socket;
	struct mnl_socket *log;
	sd_event_source *source;
	const struct ir *ir;
	struct denial *records;
	uint64_t round;
	uint64_t overflow; /* the kernel's counter, as far as it was reported */
	uint64_t lost;     /* refusals by packet that no record was free for */
};

static void report(
	struct refusals *refusals, struct denial *denial, uint64_t packets, uint64_t bytes)
{
	struct flow_event event;

	denial->packets += packets;
	denial->bytes += bytes;
	denial->active_ns = clock_now_ns(CLOCK_MONOTONIC);
	denial->event.time_ns = denial->event.end_ns = clock_now_ns(CLOCK_REALTIME);
	event = denial->event;
	event.packets[0] = packets;
	event.bytes[0] = bytes;
	refusals->options.callbacks->flow(&event, refusals->options.callbacks->userdata);
}

static void report_gap(struct refusals *refusals, uint64_t lost)
{
	const struct flow_event event = {
		.type = FLOW_GAP, .time_ns = clock_now_ns(CLOCK_REALTIME), .lost = lost};

	if (lost)
		refusals->options.callbacks->flow(&event, refusals->options.callbacks->userdata);
}

static struct denial *find(const struct refusals *refusals, const struct denial_key *key)
{
	struct denial *denial;

	HASH_FIND(hh, refusals->records, key, sizeof(*key), denial);
	return denial;
}

static struct denial *add(struct refusals *refusals, const struct denial_key *key)
{
	struct denial *denial = NULL;

	if (HASH_COUNT(refusals->records) < RECORDS_MAX)
		denial = calloc(1, sizeof(*denial));
	if (!denial)
		return NULL;
	denial->key = *key;
	denial->round = refusals->round;
	HASH_ADD(hh, refusals->records, key, sizeof(denial->key), denial);
	return denial;
}

static void drop(struct refusals *refusals, struct denial *denial)
{
	HASH_DEL(refusals->records, denial);
	free(denial);
}

/* One that no element counts: an adoption that policy refused. Reported with the next collection.
 */
static void count_by_packet(
	struct refusals *refusals, const struct nflog_packet *packet, struct denial_prefix prefix)
{
	struct denial_key key;
	struct denial *denial;

	prefix.reason = REASON_POLICY_DENIED;
	key = denial_key_of_packet(packet, prefix.reason);
	key.set = REFUSAL_SETS;
	denial = find(refusals, &key);
	if (!denial) {
		denial = add(refusals, &key);
		if (!denial) {
			refusals->lost++;
			return;
		}
		denial_from_packet(denial, packet, &prefix, clock_now_ns(CLOCK_REALTIME));
		denial_explain(denial, refusals->ir);
	}
	denial->pending_packets++;
	denial->pending_bytes += packet->bytes;
}

static void take_packet(struct refusals *refusals, const struct nflog_packet *packet)
{
	struct denial_prefix prefix;
	struct denial_key key;
	struct denial *denial;

	if (denial_parse_prefix(packet->prefix, &prefix) < 0)
		return;
	if (prefix.adopt) {
		if (!refusals->options.adopt(packet, refusals->options.userdata))
			count_by_packet(refusals, packet, prefix);
		return;
	}
	key = denial_key_of_packet(packet, prefix.reason);
	if (find(refusals, &key))
		return; /* two processors saw the first packet: the element counts both */
	denial = add(refusals, &key);
	if (!denial)
		return; /* the element has counted it */
	denial_from_packet(denial, packet, &prefix, clock_now_ns(CLOCK_REALTIME));
	denial_explain(denial, refusals->ir);
	/* Not counted here: where its set was full, a coarser element has counted the packet. */
	denial->active_ns = clock_now_ns(CLOCK_MONOTONIC);
}

static int read_logged(const struct nlmsghdr *message, void *userdata)
{
	struct nflog_packet packet;

	if (!nflog_parse(message, &packet))
		take_packet(userdata, &packet);
	return MNL_CB_OK;
}

/* Details of refusals that the socket had no room for are lost; their counts are not. */
static void read_log(struct refusals *refusals)
{
	for (unsigned int i = 0; i < READS_PER_WAKE; i++) {
		int r = netlink_receive(refusals->log, read_logged, refusals);

		if (r < 0 && r != -ENOBUFS)
			break;
	}
}

static int on_log(sd_event_source *source, int fd, uint32_t events, void *userdata)
{
	(void)source;
	(void)fd;
	(void)events;
	read_log(userdata);
	return 0;
}

int refusals_open(const struct refusals_options *options, sd_event *event, struct refusals **ret,
	struct error *error)
{
	_cleanup_(refusals_freep) struct refusals *refusals = calloc(1, sizeof(*refusals));
	uint64_t bytes;
	int r;

	if (!refusals)
		return error_nomem(error);
	refusals->options = *options;
	r = netlink_open(&refusals->socket, error);
	if (!r)
		r = nflog_open(options->nflog_group, &refusals->log, error);
	if (r < 0)
		return r;
	/* What overflowed before is an earlier agent's. */
	(void)listing_counter(refusals->socket, refusals->options.table, REFUSAL_OVERFLOW,
		&refusals->overflow, &bytes);
	r = sd_event_add_io(event, &refusals->source, mnl_socket_get_fd(refusals->log), EPOLLIN,
		on_log, refusals);
	if (r < 0)
		return error_errno(error, r, "watch NFLOG");
	*ret = TAKE_PTR(refusals);
	return 0;
}

void refusals_free(struct refusals *refusals)
{
	struct denial *denial, *next;

	if (!refusals)
		return;
	sd_event_source_disable_unref(refusals->source);
	HASH_ITER (hh, refusals->records, denial, next)
		drop(refusals, denial);
	netlink_closep(&refusals->log);
	netlink_closep(&refusals->socket);
	free(refusals);
}

void refusals_set_ir(struct refusals *refusals, const struct ir *ir)
{
	refusals->ir = ir;
}

size_t refusals_count(const struct refusals *refusals)
{
	return HASH_COUNT(refusals->records);
}

struct reading {
	struct refusals *refusals;
	uint32_t set;
};

/* A counter may have moved, or started anew where the element was deleted and came again. */
static void take_count(
	struct refusals *refusals, struct denial *denial, uint64_t packets, uint64_t bytes)
{
	if (packets < denial->packets)
		denial->packets = denial->bytes = 0;
	if (packets > denial->packets)
		report(refusals, denial, packets - denial->packets,
			bytes > denial->bytes ? bytes - denial->bytes : 0);
}

static int take_element(const uint8_t *bytes, size_t length, uint64_t packets,
	uint64_t counted_bytes, void *userdata)
{
	const struct reading *reading = userdata;
	struct denial_key key = {.set = reading->set};
	struct denial *denial;

	if (length > sizeof(key.bytes))
		return 0;
	memcpy(key.bytes, bytes, length);
	denial = find(reading->refusals, &key);
	if (!denial) {
		denial = add(reading->refusals, &key);
		if (!denial)
			return 0; /* counted when there is room again */
		denial_from_key(denial, &key, clock_now_ns(CLOCK_REALTIME));
		denial_explain(denial, reading->refusals->ir);
		denial->active_ns = clock_now_ns(CLOCK_MONOTONIC);
	}
	denial->round = reading->refusals->round;
	take_count(reading->refusals, denial, packets, counted_bytes);
	return 0;
}

static int read_sets(struct refusals *refusals, struct error *error)
{
	refusals->round++;
	for (uint32_t i = 0; i < REFUSAL_SETS; i++) {
		const struct refusal_set set = refusal_set(i);
		struct reading reading = {refusals, i};
		int r = listing_counted(refusals->socket, refusals->options.table, set.name,
			take_element, &reading);

		/* No table yet: nothing was refused. */
		if (r < 0 && r != -ENOENT)
			return error_errno(error, r, "read refusals in set %s", set.name);
	}
	return 0;
}

static size_t key_length(const struct refusal_set *set)
{
	size_t address_bytes = set->ipv4 ? 4 : 16;

	return 2 * address_bytes + (set->kind == REFUSAL_OTHER ? 4 : 8);
}

static int read_deleted(const struct nlmsghdr *message, void *userdata)
{
	return listing_counted_message(message, take_element, userdata);
}

static bool is_idle(const struct denial *denial, uint64_t before_ns)
{
	return denial->active_ns < before_ns;
}

/* Elements of one set that have not counted since before_ns. */
static int list_idle(
	struct refusals *refusals, uint32_t index, uint64_t before_ns, struct element_list *list)
{
	const struct refusal_set set = refusal_set(index);
	const struct denial *denial;
	int r = 0;

	for (denial = refusals->records; !r && denial; denial = denial->hh.next) {
		struct element element = {.key_length = (uint8_t)key_length(&set)};

		if (denial->key.set != index || !is_idle(denial, before_ns) ||
			denial->round != refusals->round)
			continue;
		memcpy(element.key, denial->key.bytes, sizeof(element.key));
		r = element_list_add(list, &element);
	}
	return r;
}

static void drop_listed(struct refusals *refusals, uint32_t index, const struct element_list *list)
{
	for (size_t i = 0; i < list->count; i++) {
		struct denial_key key = {.set = index};
		struct denial *denial;

		memcpy(key.bytes, list->items[i].key, sizeof(key.bytes));
		denial = find(refusals, &key);
		if (denial)
			drop(refusals, denial);
	}
}

static int delete_idle(
	struct refusals *refusals, uint32_t index, uint64_t before_ns, struct error *error)
{
	_cleanup_(batch_freep) struct batch *batch = NULL;
	_cleanup_(element_list_clear) struct element_list list = {0};
	const struct refusal_set set = refusal_set(index);
	struct reading reading = {refusals, index};
	int r = list_idle(refusals, index, before_ns, &list);

	if (r < 0)
		return error_nomem(error);
	if (!list.count)
		return 0;
	r = batch_new(&batch);
	if (!r) {
		batch_set_table(batch, refusals->options.table);
		r = element_list_write(
			batch, NFT_MSG_DELSETELEM, NLM_F_ECHO, set.name, &list, NULL, NULL);
	}
	if (r < 0)
		return error_nomem(error);
	r = batch_send(batch, refusals->socket, read_deleted, &reading, error);
	if (r < 0 && r != -ENOENT)
		return r;
	drop_listed(refusals, index, &list);
	return 0;
}

/*
 * What no element counts any more. A listing of a set that grows meanwhile may pass over elements:
 * only one that is missing again and again is gone.
 */
static void forget_idle(struct refusals *refusals, uint64_t before_ns)
{
	struct denial *denial, *next;

	HASH_ITER (hh, refusals->records, denial, next) {
		bool gone = denial->key.set == REFUSAL_SETS ||
			    denial->round + MISSING_ROUNDS < refusals->round;

		if (gone && is_idle(denial, before_ns))
			drop(refusals, denial);
	}
}

static void report_pending(struct refusals *refusals)
{
	struct denial *denial;

	for (denial = refusals->records; denial; denial = denial->hh.next) {
		if (!denial->pending_packets)
			continue;
		report(refusals, denial, denial->pending_packets, denial->pending_bytes);
		denial->pending_packets = denial->pending_bytes = 0;
	}
}

static void report_overflow(struct refusals *refusals)
{
	uint64_t packets, bytes, lost;

	if (listing_counter(refusals->socket, refusals->options.table, REFUSAL_OVERFLOW, &packets,
		    &bytes) < 0)
		return;
	if (packets < refusals->overflow)
		refusals->overflow = 0; /* another table */
	lost = packets - refusals->overflow;
	refusals->overflow = packets;
	report_gap(refusals, lost + refusals->lost);
	refusals->lost = 0;
}

static int collect(struct refusals *refusals, uint64_t before_ns, struct error *error)
{
	int r;

	read_log(refusals);
	report_pending(refusals);
	r = read_sets(refusals, error);
	for (uint32_t i = 0; !r && i < REFUSAL_SETS; i++)
		r = delete_idle(refusals, i, before_ns, error);
	if (r < 0)
		return r;
	forget_idle(refusals, before_ns);
	report_overflow(refusals);
	return 0;
}

int refusals_collect(struct refusals *refusals, struct error *error)
{
	uint64_t now_ns = clock_now_ns(CLOCK_MONOTONIC);

	return collect(refusals, now_ns > IDLE_NS ? now_ns - IDLE_NS : 0, error);
}

int refusals_drain(struct refusals *refusals, struct error *error)
{
	return collect(refusals, UINT64_MAX, error);
}

void refusals_restart(struct refusals *refusals)
{
	struct denial *denial;

	for (denial = refusals->records; denial; denial = denial->hh.next)
		denial->packets = denial->bytes = 0;
	refusals->overflow = 0;
}
