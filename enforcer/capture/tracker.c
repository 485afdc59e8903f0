/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "capture/tracker.h"

#include "xdp/connection_times.h"

#include <errno.h>
#include <netinet/icmp6.h>
#include <netinet/in.h>
#include <netinet/ip_icmp.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <utlist.h>

struct tracker {
	struct tracked *connections; /* by key */
	struct tracked *oldest;      /* a list by last_ns */
	size_t max;
	uint64_t evicted;
	uint64_t opened;
	void (*ended)(const struct tracked *tracked, void *userdata);
	void *userdata;
};

int tracker_new(size_t connections_max,
	void (*ended)(const struct tracked *tracked, void *userdata), void *userdata,
	struct tracker **ret)
{
	struct tracker *tracker = calloc(1, sizeof(*tracker));

	if (!tracker)
		return -ENOMEM;
	tracker->max = connections_max;
	tracker->ended = ended;
	tracker->userdata = userdata;
	*ret = tracker;
	return 0;
}

void tracker_free(struct tracker *tracker)
{
	if (!tracker)
		return;
	while (tracker->oldest)
		tracker_end(tracker, tracker->oldest);
	free(tracker);
}

size_t tracker_count(const struct tracker *tracker)
{
	return HASH_COUNT(tracker->connections);
}

uint64_t tracker_evicted(const struct tracker *tracker)
{
	return tracker->evicted;
}

static bool has_handshake(uint8_t protocol)
{
	return protocol == IPPROTO_TCP || protocol == IPPROTO_SCTP;
}

static uint64_t idle_limit_ns(const struct tracked *tracked)
{
	if (has_handshake(tracked->ends.protocol)) {
		if (!tracked->established && tracked->tcp_flags[TRACKER_RESPONDER] & TH_RST)
			return CONNECTION_TCP_REFUSED_NS;
		if (tracked->over)
			return CONNECTION_TCP_CLOSING_NS;
		if (!tracked->established)
			return CONNECTION_TCP_OPENING_NS;
		return (tracked->tcp_flags[0] | tracked->tcp_flags[1]) & TH_FIN
			       ? CONNECTION_TCP_HALF_CLOSED_NS
			       : CONNECTION_TCP_ESTABLISHED_NS;
	}
	return tracked->ends.protocol == IPPROTO_UDP ? CONNECTION_UDP_NS : CONNECTION_OTHER_NS;
}

static bool is_expired(const struct tracked *tracked, uint64_t now_ns)
{
	return now_ns > tracked->last_ns && now_ns - tracked->last_ns > idle_limit_ns(tracked);
}

static struct tracker_key key_of(const struct packet_ends *ends)
{
	struct tracker_key key = {.protocol = ends->protocol};
	int order = memcmp(ends->source, ends->destination, sizeof(ends->source));
	bool swapped = order ? order > 0 : ends->source_port > ends->destination_port;

	memcpy(key.address[swapped], ends->source, sizeof(ends->source));
	memcpy(key.address[!swapped], ends->destination, sizeof(ends->destination));
	key.port[swapped] = ends->source_port;
	key.port[!swapped] = ends->destination_port;
	return key;
}

struct tracked *tracker_find(
	struct tracker *tracker, const struct packet_ends *ends, uint64_t now_ns)
{
	struct tracker_key key = key_of(ends);
	struct tracked *tracked;

	HASH_FIND(hh, tracker->connections, &key, sizeof(key), tracked);
	if (!tracked || !is_expired(tracked, now_ns))
		return tracked;
	tracker_end(tracker, tracked);
	return NULL;
}

enum tracker_side tracked_sender(const struct tracked *tracked, const struct packet_ends *ends)
{
	bool same = !memcmp(tracked->ends.source, ends->source, sizeof(ends->source)) &&
		    tracked->ends.source_port == ends->source_port;

	return same ? TRACKER_ORIGINATOR : TRACKER_RESPONDER;
}

/* The type of the query that a reply answers; -1: it is none. */
static int query_of(uint8_t protocol, uint8_t type)
{
	if (protocol == IPPROTO_ICMPV6)
		return type == ICMP6_ECHO_REPLY ? ICMP6_ECHO_REQUEST : type == 140 ? 139 : -1;
	switch (type) {
	case ICMP_ECHOREPLY:
		return ICMP_ECHO;
	case ICMP_TIMESTAMPREPLY:
		return ICMP_TIMESTAMP;
	case ICMP_INFO_REPLY:
		return ICMP_INFO_REQUEST;
	case ICMP_ADDRESSREPLY:
		return ICMP_ADDRESS;
	default:
		return -1;
	}
}

bool tracked_owns(const struct tracked *tracked, const struct capture_packet *packet)
{
	switch (packet->kind) {
	case PACKET_EITHER:
		return true;
	case PACKET_OPENS:
		return tracked_sender(tracked, &packet->ends) == TRACKER_ORIGINATOR &&
		       !tracked->over && tracked->ends.type_code == packet->ends.type_code;
	case PACKET_CONTINUES:
		return has_handshake(packet->ends.protocol) ||
		       query_of(packet->ends.protocol, (uint8_t)(packet->ends.type_code >> 8)) ==
			       tracked->ends.type_code >> 8;
	default:
		return false;
	}
}

struct tracked *tracker_open(
	struct tracker *tracker, const struct packet_ends *ends, uint64_t now_ns)
{
	struct tracked *tracked = tracker_find(tracker, ends, now_ns);

	if (tracked)
		tracker_end(tracker, tracked);
	if (tracker_count(tracker) >= tracker->max) {
		tracker->evicted++;
		tracker_end(tracker, tracker->oldest);
	}
	tracked = calloc(1, sizeof(*tracked));
	if (!tracked)
		return NULL;
	tracked->key = key_of(ends);
	tracked->ends = *ends;
	tracked->start_ns = tracked->last_ns = now_ns;
	tracked->id = ++tracker->opened;
	HASH_ADD(hh, tracker->connections, key, sizeof(tracked->key), tracked);
	if (!HASH_ADDED(tracked)) {
		free(tracked);
		return NULL;
	}
	DL_APPEND(tracker->oldest, tracked);
	return tracked;
}

/* As connection_advance() of the programs. */
static void advance(struct tracked *tracked, enum tracker_side sender, uint8_t flags)
{
	tracked->tcp_flags[sender] |= flags;
	if (flags & TH_RST)
		tracked->over = true;
	else if (tracked->tcp_flags[0] & tracked->tcp_flags[1] & TH_FIN)
		tracked->over = true;
	else if (sender == TRACKER_ORIGINATOR && (flags & (TH_ACK | TH_SYN)) == TH_ACK &&
		 (tracked->tcp_flags[TRACKER_RESPONDER] & (TH_ACK | TH_SYN)) == (TH_ACK | TH_SYN))
		tracked->established = true;
}

void tracker_count_packet(
	struct tracker *tracker, struct tracked *tracked, const struct capture_packet *packet)
{
	enum tracker_side sender = tracked_sender(tracked, &packet->ends);

	tracked->packets[sender]++;
	tracked->bytes[sender] += packet->bytes;
	memcpy(tracked->mac[sender], packet->source_mac, sizeof(packet->source_mac));
	if (!tracked->packets[!sender])
		memcpy(tracked->mac[!sender], packet->destination_mac,
			sizeof(packet->destination_mac));
	tracked->ethertype = packet->ethertype;
	tracked->replied |= sender == TRACKER_RESPONDER;
	if (has_handshake(packet->ends.protocol))
		advance(tracked, sender, packet->tcp_flags);
	if (packet->time_ns > tracked->last_ns)
		tracked->last_ns = packet->time_ns;
	DL_DELETE(tracker->oldest, tracked);
	DL_APPEND(tracker->oldest, tracked);
}

void tracker_end(struct tracker *tracker, struct tracked *tracked)
{
	HASH_DEL(tracker->connections, tracked);
	DL_DELETE(tracker->oldest, tracked);
	if (tracker->ended)
		tracker->ended(tracked, tracker->userdata);
	free(tracked);
}

void tracker_sweep(struct tracker *tracker, uint64_t now_ns,
	void (*visit)(struct tracked *tracked, void *userdata), void *userdata)
{
	struct tracked *tracked, *next;

	DL_FOREACH_SAFE (tracker->oldest, tracked, next) {
		if (is_expired(tracked, now_ns))
			tracker_end(tracker, tracked);
		else if (visit)
			visit(tracked, userdata);
	}
}
