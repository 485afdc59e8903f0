/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "dataplane/nft/refusals.h"

#include "base/cleanup.h"
#include "base/clock.h"
#include "dataplane/nft/counts.h"
#include "dataplane/nft/denial.h"
#include "dataplane/nft/listing.h"
#include "dataplane/nft/netlink.h"

#include <errno.h>
#include <linux/netfilter.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>

#define IDLE_NS        (60 * NS_PER_SECOND)
#define RECORDS_MAX    ((size_t)(4 * REFUSAL_SET_SIZE))
#define READS_PER_WAKE 64

struct refusals {
	struct refusals_options options;
	struct mnl_socket *socket;
	struct mnl_socket *log;
	sd_event_source *source;
	const struct ir *ir;
	struct denial *records;
	uint32_t drops;     /* of the log's socket, as far as they were told */
	uint64_t overflow;  /* refusals that no element was free for */
	uint64_t log_lost;  /* logged packets that the socket had no room for */
	uint64_t inherited; /* refused before this agent had a policy */
	uint64_t lost;      /* not reported yet: the refusals that are known by number alone */
};

static void report(
	struct refusals *refusals, struct denial *denial, uint64_t packets, uint64_t bytes)
{
	struct flow_event event;

	denial->packets += packets;
	denial->bytes += bytes;
	denial->active_ns = clock_ns(CLOCK_MONOTONIC);
	denial->event.time_ns = denial->event.end_ns = clock_ns(CLOCK_REALTIME);
	event = denial->event;
	event.packets[0] = packets;
	event.bytes[0] = bytes;
	refusals->options.callbacks->flow(&event, refusals->options.callbacks->userdata);
}

static void report_gap(struct refusals *refusals, uint64_t lost)
{
	const struct flow_event event = {
		.type = FLOW_GAP, .time_ns = clock_ns(CLOCK_REALTIME), .lost = lost};

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
	HASH_ADD(hh, refusals->records, key, sizeof(denial->key), denial);
	if (HASH_ADDED(denial))
		return denial;
	free(denial);
	return NULL;
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
		denial_from_packet(denial, packet, &prefix, clock_ns(CLOCK_REALTIME));
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
	denial_from_packet(denial, packet, &prefix, clock_ns(CLOCK_REALTIME));
	denial_explain(denial, refusals->ir);
	/* Not counted here: where its set was full, a coarser element has counted the packet. */
	denial->active_ns = clock_ns(CLOCK_MONOTONIC);
}

static int read_logged(const struct nlmsghdr *message, void *userdata)
{
	struct refusals *refusals = userdata;
	struct nflog_packet packet;

	if (nflog_parse(message, &packet) < 0)
		return MNL_CB_OK;
	take_packet(refusals, &packet);
	return MNL_CB_OK;
}

static void read_log(struct refusals *refusals)
{
	for (unsigned int i = 0; i < READS_PER_WAKE; i++) {
		int r = netlink_receive(refusals->log, read_logged, refusals);

		if (r < 0 && r != -ENOBUFS)
			break;
	}
}

/* Of details of refusals that the socket had no room for. No gap: the refusals themselves are in
 * the elements, and have their records. */
static void count_drops(struct refusals *refusals)
{
	uint32_t drops = netlink_drops(refusals->log), lost = drops - refusals->drops;

	refusals->drops = drops;
	refusals->log_lost += lost;
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
	int r;

	if (!refusals)
		return error_nomem(error);
	refusals->options = *options;
	r = netlink_open(&refusals->socket, error);
	if (!r)
		r = nflog_open(options->nflog_group, NFLOG_HEADER_BYTES, &refusals->log, error);
	if (r < 0)
		return r;
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

int refusals_dump(const struct refusals *refusals, size_t first, size_t count,
	void (*visit)(const struct dump_flow *flow, void *userdata), void *userdata)
{
	const struct denial *denial = refusals->records;
	uint64_t now_ns = clock_ns(CLOCK_MONOTONIC);

	for (; denial && first; first--)
		denial = denial->hh.next;
	for (; denial && count; denial = denial->hh.next, count--) {
		struct dump_flow flow = {
			.event = denial->event,
			.idle_ns = now_ns - denial->active_ns,
		};

		flow.event.packets[0] = denial->packets + denial->pending_packets;
		flow.event.bytes[0] = denial->bytes + denial->pending_bytes;
		visit(&flow, userdata);
	}
	return denial != NULL;
}

struct reading {
	struct refusals *refusals;
	uint32_t set;
};

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
		if (!denial) {
			reading->refusals->lost += packets;
			return 0;
		}
		denial_from_key(denial, &key, clock_ns(CLOCK_REALTIME));
		denial_explain(denial, reading->refusals->ir);
		denial->active_ns = clock_ns(CLOCK_MONOTONIC);
	}
	if (packets)
		report(reading->refusals, denial, packets, counted_bytes);
	return 0;
}

static int read_sets(struct refusals *refusals, struct error *error)
{
	for (uint32_t i = 0; i < REFUSAL_SETS; i++) {
		const struct refusal_set set = refusal_set(i);
		struct reading reading = {refusals, i};
		const struct counts_set counts = {NFPROTO_INET, refusals->options.table, set.name};
		int r = counts_take(refusals->socket, &counts, take_element, &reading);

		/* No table yet: nothing was refused. */
		if (r < 0 && r != -ENOENT)
			return error_errno(error, r, "read refusals in set %s", set.name);
	}
	return 0;
}

static bool is_idle(const struct denial *denial, uint64_t before_ns)
{
	return denial->active_ns < before_ns;
}

/* A kind that goes on is one record, though its element is deleted and comes again. */
static void forget_idle(struct refusals *refusals, uint64_t before_ns)
{
	struct denial *denial, *next;

	HASH_ITER (hh, refusals->records, denial, next)
		if (is_idle(denial, before_ns))
			drop(refusals, denial);
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
	uint64_t packets, bytes;

	if (!listing_take_counter(refusals->socket, refusals->options.table, REFUSAL_OVERFLOW,
		    &packets, &bytes)) {
		refusals->overflow += packets;
		refusals->lost += packets;
	}
	report_gap(refusals, refusals->lost);
	refusals->lost = 0;
}

static int collect(struct refusals *refusals, uint64_t before_ns, struct error *error)
{
	int r;

	read_log(refusals);
	count_drops(refusals);
	report_pending(refusals);
	r = read_sets(refusals, error);
	if (r < 0)
		return r;
	forget_idle(refusals, before_ns);
	report_overflow(refusals);
	return 0;
}

int refusals_collect(struct refusals *refusals, struct error *error)
{
	uint64_t now_ns = clock_ns(CLOCK_MONOTONIC);

	return collect(refusals, now_ns > IDLE_NS ? now_ns - IDLE_NS : 0, error);
}

int refusals_drain(struct refusals *refusals, struct error *error)
{
	return collect(refusals, UINT64_MAX, error);
}

uint64_t refusals_overflow(const struct refusals *refusals)
{
	return refusals->overflow;
}

uint64_t refusals_log_lost(const struct refusals *refusals)
{
	return refusals->log_lost;
}

uint64_t refusals_inherited(const struct refusals *refusals)
{
	return refusals->inherited;
}

int refusals_inherit(struct refusals *refusals, struct error *error)
{
	int r = refusals_collect(refusals, error);
	const struct denial *denial;

	for (denial = refusals->records; denial; denial = denial->hh.next)
		refusals->inherited += denial->packets;
	return r;
}
