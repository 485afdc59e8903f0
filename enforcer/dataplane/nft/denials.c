/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "dataplane/nft/denials.h"

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

struct denials {
	struct denials_options options;
	struct mnl_socket *socket;
	struct mnl_socket *log;
	sd_event_source *source;
	const struct ir *ir;
	struct denial *records;
	uint64_t round;
	uint64_t overflow;        /* the kernel's counter, as far as it was reported */
	uint64_t overflow_logged; /* of these, reported one by one from the log */
	uint64_t lost;            /* logged packets that were dropped on the way */
};

static void report(struct denials *denials, struct denial *denial, uint64_t packets, uint64_t bytes)
{
	struct flow_event event;

	denial->packets += packets;
	denial->bytes += bytes;
	denial->active_ns = clock_now_ns(CLOCK_MONOTONIC);
	denial->event.time_ns = denial->event.end_ns = clock_now_ns(CLOCK_REALTIME);
	event = denial->event;
	event.packets[0] = packets;
	event.bytes[0] = bytes;
	denials->options.callbacks->flow(&event, denials->options.callbacks->userdata);
}

static void report_gap(struct denials *denials, uint64_t lost)
{
	const struct flow_event event = {
		.type = FLOW_GAP, .time_ns = clock_now_ns(CLOCK_REALTIME), .lost = lost};

	if (lost)
		denials->options.callbacks->flow(&event, denials->options.callbacks->userdata);
}

static struct denial *find(const struct denials *denials, const struct denial_key *key)
{
	struct denial *denial;

	HASH_FIND(hh, denials->records, key, sizeof(*key), denial);
	return denial;
}

static struct denial *add(struct denials *denials, const struct denial_key *key)
{
	struct denial *denial = NULL;

	if (HASH_COUNT(denials->records) < RECORDS_MAX)
		denial = calloc(1, sizeof(*denial));
	if (!denial)
		return NULL;
	denial->key = *key;
	denial->round = denials->round;
	HASH_ADD(hh, denials->records, key, sizeof(denial->key), denial);
	return denial;
}

static void drop(struct denials *denials, struct denial *denial)
{
	HASH_DEL(denials->records, denial);
	free(denial);
}

/* One that no element counts: an adoption that policy refused. Reported with the next collection.
 */
static void count_by_packet(
	struct denials *denials, const struct nflog_packet *packet, struct denial_prefix prefix)
{
	struct denial_key key;
	struct denial *denial;

	prefix.reason = REASON_POLICY_DENIED;
	key = denial_key_of_packet(packet, prefix.reason);
	key.set = REFUSAL_SETS;
	denial = find(denials, &key);
	if (!denial) {
		denial = add(denials, &key);
		if (!denial) {
			denials->lost++;
			return;
		}
		denial_from_packet(denial, packet, &prefix, clock_now_ns(CLOCK_REALTIME));
		denial_explain(denial, denials->ir);
	}
	denial->pending_packets++;
	denial->pending_bytes += packet->bytes;
}

static void take_packet(struct denials *denials, const struct nflog_packet *packet)
{
	struct denial_prefix prefix;
	struct denial_key key;
	struct denial *denial;

	if (denial_parse_prefix(packet->prefix, &prefix) < 0)
		return;
	if (prefix.adopt) {
		if (!denials->options.adopt(packet, denials->options.userdata))
			count_by_packet(denials, packet, prefix);
		return;
	}
	key = denial_key_of_packet(packet, prefix.reason);
	if (find(denials, &key))
		return; /* two processors saw the first packet: the element counts both */
	denial = add(denials, &key);
	if (!denial) {
		denials->lost++;
		return;
	}
	denial_from_packet(denial, packet, &prefix, clock_now_ns(CLOCK_REALTIME));
	denial_explain(denial, denials->ir);
	report(denials, denial, 1, packet->bytes);
}

static int read_logged(const struct nlmsghdr *message, void *userdata)
{
	struct nflog_packet packet;

	if (!nflog_parse(message, &packet))
		take_packet(userdata, &packet);
	return MNL_CB_OK;
}

/* Details of refusals that the socket had no room for are lost; their counts are not. */
static void read_log(struct denials *denials)
{
	for (unsigned int i = 0; i < READS_PER_WAKE; i++) {
		int r = netlink_receive(denials->log, read_logged, denials);

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

int denials_open(const struct denials_options *options, sd_event *event, struct denials **ret,
	struct error *error)
{
	_cleanup_(denials_freep) struct denials *denials = calloc(1, sizeof(*denials));
	uint64_t bytes;
	int r;

	if (!denials)
		return error_nomem(error);
	denials->options = *options;
	r = netlink_open(&denials->socket, error);
	if (!r)
		r = nflog_open(options->nflog_group, &denials->log, error);
	if (r < 0)
		return r;
	/* What overflowed before is an earlier agent's. */
	(void)listing_counter(denials->socket, REFUSAL_OVERFLOW, &denials->overflow, &bytes);
	r = sd_event_add_io(
		event, &denials->source, mnl_socket_get_fd(denials->log), EPOLLIN, on_log, denials);
	if (r < 0)
		return error_errno(error, r, "watch NFLOG");
	*ret = TAKE_PTR(denials);
	return 0;
}

void denials_free(struct denials *denials)
{
	struct denial *denial, *next;

	if (!denials)
		return;
	sd_event_source_disable_unref(denials->source);
	HASH_ITER (hh, denials->records, denial, next)
		drop(denials, denial);
	netlink_closep(&denials->log);
	netlink_closep(&denials->socket);
	free(denials);
}

void denials_set_ir(struct denials *denials, const struct ir *ir)
{
	denials->ir = ir;
}

size_t denials_count(const struct denials *denials)
{
	return HASH_COUNT(denials->records);
}

struct reading {
	struct denials *denials;
	uint32_t set;
};

/* A counter may have moved, or started anew where the element was deleted and came again. */
static void take_count(
	struct denials *denials, struct denial *denial, uint64_t packets, uint64_t bytes)
{
	if (packets < denial->packets)
		denial->packets = denial->bytes = 0;
	if (packets > denial->packets)
		report(denials, denial, packets - denial->packets,
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
	denial = find(reading->denials, &key);
	if (!denial) {
		denial = add(reading->denials, &key);
		if (!denial)
			return 0; /* counted when there is room again */
		denial_from_key(denial, &key, clock_now_ns(CLOCK_REALTIME));
		denial_explain(denial, reading->denials->ir);
		denial->active_ns = clock_now_ns(CLOCK_MONOTONIC);
	}
	denial->round = reading->denials->round;
	take_count(reading->denials, denial, packets, counted_bytes);
	return 0;
}

static int read_sets(struct denials *denials, struct error *error)
{
	denials->round++;
	for (uint32_t i = 0; i < REFUSAL_SETS; i++) {
		const struct refusal_set set = refusal_set(i);
		struct reading reading = {denials, i};
		int r = listing_counted(denials->socket, set.name, take_element, &reading);

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
	struct denials *denials, uint32_t index, uint64_t before_ns, struct element_list *list)
{
	const struct refusal_set set = refusal_set(index);
	const struct denial *denial;
	int r = 0;

	for (denial = denials->records; !r && denial; denial = denial->hh.next) {
		struct element element = {.key_length = (uint8_t)key_length(&set)};

		if (denial->key.set != index || !is_idle(denial, before_ns) ||
			denial->round != denials->round)
			continue;
		memcpy(element.key, denial->key.bytes, sizeof(element.key));
		r = element_list_add(list, &element);
	}
	return r;
}

static void drop_listed(struct denials *denials, uint32_t index, const struct element_list *list)
{
	for (size_t i = 0; i < list->count; i++) {
		struct denial_key key = {.set = index};
		struct denial *denial;

		memcpy(key.bytes, list->items[i].key, sizeof(key.bytes));
		denial = find(denials, &key);
		if (denial)
			drop(denials, denial);
	}
}

static int delete_idle(
	struct denials *denials, uint32_t index, uint64_t before_ns, struct error *error)
{
	_cleanup_(batch_freep) struct batch *batch = NULL;
	_cleanup_(element_list_clear) struct element_list list = {0};
	const struct refusal_set set = refusal_set(index);
	struct reading reading = {denials, index};
	int r = list_idle(denials, index, before_ns, &list);

	if (r < 0)
		return error_nomem(error);
	if (!list.count)
		return 0;
	r = batch_new(&batch);
	if (!r)
		r = element_list_write(
			batch, NFT_MSG_DELSETELEM, NLM_F_ECHO, set.name, &list, NULL, NULL);
	if (r < 0)
		return error_nomem(error);
	r = batch_send(batch, denials->socket, read_deleted, &reading, error);
	if (r < 0 && r != -ENOENT)
		return r;
	drop_listed(denials, index, &list);
	return 0;
}

static void forget_idle(struct denials *denials, uint64_t before_ns)
{
	struct denial *denial, *next;

	HASH_ITER (hh, denials->records, denial, next) {
		/* Logged, but in no set: the set was full. */
		if (denial->key.set < REFUSAL_SETS && denial->round < denials->round) {
			denials->overflow_logged += denial->packets;
			drop(denials, denial);
		} else if (is_idle(denial, before_ns)) {
			drop(denials, denial);
		}
	}
}

static void report_pending(struct denials *denials)
{
	struct denial *denial;

	for (denial = denials->records; denial; denial = denial->hh.next) {
		if (!denial->pending_packets)
			continue;
		report(denials, denial, denial->pending_packets, denial->pending_bytes);
		denial->pending_packets = denial->pending_bytes = 0;
	}
}

static void report_overflow(struct denials *denials)
{
	uint64_t packets, bytes, lost;

	if (listing_counter(denials->socket, REFUSAL_OVERFLOW, &packets, &bytes) < 0)
		return;
	if (packets < denials->overflow)
		denials->overflow = 0; /* another table */
	lost = packets - denials->overflow;
	lost = lost > denials->overflow_logged ? lost - denials->overflow_logged : 0;
	denials->overflow = packets;
	denials->overflow_logged = 0;
	report_gap(denials, lost + denials->lost);
	denials->lost = 0;
}

static int collect(struct denials *denials, uint64_t before_ns, struct error *error)
{
	int r;

	read_log(denials);
	report_pending(denials);
	r = read_sets(denials, error);
	for (uint32_t i = 0; !r && i < REFUSAL_SETS; i++)
		r = delete_idle(denials, i, before_ns, error);
	if (r < 0)
		return r;
	forget_idle(denials, before_ns);
	report_overflow(denials);
	return 0;
}

int denials_collect(struct denials *denials, struct error *error)
{
	uint64_t now_ns = clock_now_ns(CLOCK_MONOTONIC);

	return collect(denials, now_ns > IDLE_NS ? now_ns - IDLE_NS : 0, error);
}

int denials_drain(struct denials *denials, struct error *error)
{
	return collect(denials, UINT64_MAX, error);
}
