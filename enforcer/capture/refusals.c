/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "capture/refusals.h"

#include "base/large_hash.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define REFUSALS_MAX 4096
#define REFUSAL_ID   (1ULL << 62) /* ids of refusals differ from those of connections */

struct refusal_key {
	struct address source;
	struct address destination;
	uint32_t rule;
	uint16_t port;
	uint16_t ethertype;
	uint8_t protocol;
	uint8_t reason;
	uint8_t direction;
	uint8_t pad;
};

struct refusal {
	struct refusal_key key;
	struct flow_event event;
	UT_hash_handle hh;
};

struct capture_refusals {
	struct refusal *items;
	uint64_t counted;
	void (*event)(const struct flow_event *event, void *userdata);
	void *userdata;
};

int capture_refusals_new(void (*event)(const struct flow_event *event, void *userdata),
	void *userdata, struct capture_refusals **ret)
{
	struct capture_refusals *refusals = calloc(1, sizeof(*refusals));

	if (!refusals)
		return -ENOMEM;
	refusals->event = event;
	refusals->userdata = userdata;
	*ret = refusals;
	return 0;
}

void capture_refusals_flush(struct capture_refusals *refusals)
{
	struct refusal *refusal, *next;

	HASH_ITER (hh, refusals->items, refusal, next) {
		HASH_DEL(refusals->items, refusal);
		refusals->event(&refusal->event, refusals->userdata);
		free(refusal);
	}
}

void capture_refusals_free(struct capture_refusals *refusals)
{
	if (!refusals)
		return;
	capture_refusals_flush(refusals);
	free(refusals);
}

static struct flow_event first_of(
	const struct capture_packet *packet, const struct judgement *judgement)
{
	const struct packet_ends *ends = &packet->ends;
	struct flow_event event = {
		.type = FLOW_DENIED,
		.verdict = FLOW_REFUSED,
		.reason = judgement->reason,
		.direction = judgement->direction,
		.rule = judgement->rule_id,
		.start_ns = packet->time_ns,
		.source = address_from_ipv6(ends->source),
		.destination = address_from_ipv6(ends->destination),
		.ethertype = packet->ethertype,
		.protocol = ends->protocol,
	};

	if (packet_ends_are_icmp(ends)) {
		event.icmp_type = (uint8_t)(ends->type_code >> 8);
		event.icmp_code = (uint8_t)ends->type_code;
	} else {
		event.source_port = ends->source_port;
		event.destination_port = ends->destination_port;
	}
	memcpy(event.source_mac, packet->source_mac, sizeof(event.source_mac));
	memcpy(event.destination_mac, packet->destination_mac, sizeof(event.destination_mac));
	return event;
}

static struct refusal *add(struct capture_refusals *refusals, const struct refusal_key *key,
	const struct capture_packet *packet, const struct judgement *judgement)
{
	struct refusal *refusal = calloc(1, sizeof(*refusal));

	if (!refusal)
		return NULL;
	refusal->key = *key;
	refusal->event = first_of(packet, judgement);
	refusal->event.id = REFUSAL_ID | ++refusals->counted;
	HASH_ADD(hh, refusals->items, key, sizeof(*key), refusal);
	if (HASH_ADDED(refusal))
		return refusal;
	free(refusal);
	return NULL;
}

int capture_refusals_add(struct capture_refusals *refusals, const struct capture_packet *packet,
	const struct judgement *judgement)
{
	const struct refusal_key key = {
		.source = address_from_ipv6(packet->ends.source),
		.destination = address_from_ipv6(packet->ends.destination),
		.rule = judgement->rule_id,
		.port = packet_ends_port(&packet->ends),
		.ethertype = packet->ethertype,
		.protocol = packet->ends.protocol,
		.reason = (uint8_t)judgement->reason,
		.direction = (uint8_t)judgement->direction,
	};
	struct refusal *refusal;

	HASH_FIND(hh, refusals->items, &key, sizeof(key), refusal);
	if (!refusal && HASH_COUNT(refusals->items) >= REFUSALS_MAX)
		capture_refusals_flush(refusals);
	if (!refusal)
		refusal = add(refusals, &key, packet, judgement);
	if (!refusal)
		return -ENOMEM;
	refusal->event.packets[0]++;
	refusal->event.bytes[0] += packet->bytes;
	refusal->event.tcp_flags |= packet->tcp_flags;
	refusal->event.time_ns = refusal->event.end_ns = packet->time_ns;
	return 0;
}
