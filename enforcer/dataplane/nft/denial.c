/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "dataplane/nft/denial.h"

#include "dataplane/nft/ruleset.h"
#include "dataplane/nft/snapshot.h"

#include <netinet/in.h>

#include <arpa/inet.h>
#include <errno.h>
#include <net/ethernet.h>
#include <stdio.h>
#include <string.h>

#define WORD_MAX 40

static int parse_reason(const char *word, enum reason *ret)
{
	for (size_t i = 0; i < REFUSAL_REASONS; i++) {
		if (strcmp(word, refusal_reason_name(refusal_reason(i))) != 0)
			continue;
		*ret = refusal_reason(i);
		return 0;
	}
	return -EINVAL;
}

int denial_parse_prefix(const char *text, struct denial_prefix *ret)
{
	struct denial_prefix prefix = {.direction = DIRECTION_COUNT};
	char word[WORD_MAX], direction[WORD_MAX];
	unsigned int rule;
	int count = sscanf(text, REFUSAL_LOG_WORD " %39s %39s %8x", word, direction, &rule);

	if (count < 1)
		return -EINVAL;
	prefix.adopt = !strcmp(word, REFUSAL_LOG_ADOPT);
	if (!prefix.adopt && parse_reason(word, &prefix.reason) < 0)
		return -EINVAL;
	if (count == 3) {
		prefix.rule = rule;
		prefix.direction = !strcmp(direction, direction_name(DIRECTION_EGRESS))
					   ? DIRECTION_EGRESS
					   : DIRECTION_INGRESS;
	}
	*ret = prefix;
	return 0;
}

static enum refusal_kind kind_of(const struct nflog_packet *packet, bool ipv4)
{
	if (!packet->has_transport)
		return REFUSAL_OTHER;
	if (packet->protocol == (ipv4 ? IPPROTO_ICMP : IPPROTO_ICMPV6))
		return REFUSAL_ICMP;
	/* ICMP in IPv6 and ICMPv6 in IPv4: nobody gives that a type. */
	if (packet->protocol == IPPROTO_ICMP || packet->protocol == IPPROTO_ICMPV6)
		return REFUSAL_OTHER;
	return REFUSAL_PORTS;
}

static uint32_t find_set(enum reason reason, enum refusal_kind kind, bool ipv4)
{
	for (uint32_t i = 0; i < REFUSAL_SETS; i++) {
		struct refusal_set set = refusal_set(i);

		if (set.reason == reason && set.kind == kind && set.ipv4 == ipv4)
			return i;
	}
	return REFUSAL_SETS;
}

struct denial_key denial_key_of_packet(const struct nflog_packet *packet, enum reason reason)
{
	bool ipv4 = address_is_ipv4(&packet->source);
	enum refusal_kind kind = kind_of(packet, ipv4);
	uint16_t port_be = htons(packet->destination_port);
	const uint8_t type = (uint8_t)(packet->destination_port >> 8);
	const uint8_t code = (uint8_t)packet->destination_port;
	struct element element = {0};
	struct denial_key key = {.set = find_set(reason, kind, ipv4)};

	element_key_add_address(&element, &packet->source);
	element_key_add_address(&element, &packet->destination);
	if (kind == REFUSAL_ICMP) {
		element_key_add(&element, &type, sizeof(type));
		element_key_add(&element, &code, sizeof(code));
	} else {
		element_key_add(&element, &packet->protocol, sizeof(packet->protocol));
	}
	if (kind == REFUSAL_PORTS)
		element_key_add(&element, &port_be, sizeof(port_be));
	memcpy(key.bytes, element.key, sizeof(key.bytes));
	return key;
}

static void set_identity(struct denial *denial, uint64_t now_ns)
{
	uint64_t identity = IDENTITY_START;

	identity = identity_add(identity, &denial->key, sizeof(denial->key));
	denial->event.id = identity_add_number(identity, now_ns);
	denial->event.type = FLOW_DENIED;
	denial->event.verdict = FLOW_REFUSED;
	denial->event.start_ns = now_ns;
	denial->event.end_ns = now_ns;
}

static void set_port(struct flow_event *event, uint16_t port)
{
	if (event->protocol == IPPROTO_ICMP || event->protocol == IPPROTO_ICMPV6) {
		event->icmp_type = (uint8_t)(port >> 8);
		event->icmp_code = (uint8_t)port;
	} else {
		event->destination_port = port;
	}
}

void denial_from_packet(struct denial *denial, const struct nflog_packet *packet,
	const struct denial_prefix *prefix, uint64_t now_ns)
{
	struct flow_event *event = &denial->event;

	*event = (struct flow_event){
		.reason = prefix->reason,
		.direction = prefix->direction,
		.rule = prefix->rule,
		.source = packet->source,
		.destination = packet->destination,
		.source_port = packet->source_port,
		.ethertype = packet->ethertype,
		.protocol = packet->protocol,
		.tcp_flags = packet->tcp_flags,
		.ifindex = packet->ifindex,
	};
	memcpy(event->source_mac, packet->source_mac, sizeof(event->source_mac));
	memcpy(event->destination_mac, packet->destination_mac, sizeof(event->destination_mac));
	set_port(event, packet->destination_port);
	set_identity(denial, now_ns);
}

void denial_from_key(struct denial *denial, const struct denial_key *key, uint64_t now_ns)
{
	const struct refusal_set set = refusal_set(key->set);
	const uint8_t *bytes = key->bytes;
	size_t address_bytes = set.ipv4 ? 4 : 16;
	struct flow_event *event = &denial->event;

	*event = (struct flow_event){
		.reason = set.reason,
		.direction = DIRECTION_COUNT,
		.ethertype = set.ipv4 ? ETHERTYPE_IP : ETHERTYPE_IPV6,
	};
	event->source = set.ipv4 ? address_from_ipv4(bytes) : address_from_ipv6(bytes);
	bytes += address_bytes;
	event->destination = set.ipv4 ? address_from_ipv4(bytes) : address_from_ipv6(bytes);
	bytes += address_bytes;
	if (set.kind == REFUSAL_ICMP) {
		event->protocol = set.ipv4 ? IPPROTO_ICMP : IPPROTO_ICMPV6;
		set_port(event, (uint16_t)(bytes[0] << 8 | bytes[4]));
	} else {
		event->protocol = bytes[0];
	}
	if (set.kind == REFUSAL_PORTS)
		set_port(event, (uint16_t)(bytes[4] << 8 | bytes[5]));
	set_identity(denial, now_ns);
}

void denial_explain(struct denial *denial, const struct ir *ir)
{
	struct flow_event *event = &denial->event;
	bool icmp = event->protocol == IPPROTO_ICMP || event->protocol == IPPROTO_ICMPV6;
	const struct flow_query query = {
		.source = event->source,
		.destination = event->destination,
		.protocol = event->protocol,
		.port = icmp ? (uint16_t)(event->icmp_type << 8 | event->icmp_code)
			     : event->destination_port,
	};
	struct evaluation evaluation;

	if (event->direction != DIRECTION_COUNT)
		return;
	event->direction = DIRECTION_INGRESS;
	if (!ir)
		return;
	if (snapshot_is_subject(ir, &event->source))
		event->direction = DIRECTION_EGRESS;
	if (event->reason != REASON_POLICY_DENIED)
		return;
	evaluation = evaluate(ir, &query);
	if (evaluation.verdict == VERDICT_DENY)
		snapshot_explain(ir, &query, &evaluation, &event->direction, &event->rule);
}
