/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "flow/record.h"

#include "flow/protocol.h"
#include "flow/put.h"
#include "flow/timestamp.h"
#include "flow/vocabulary.h"

#include <errno.h>
#include <netinet/in.h>
#include <string.h>

void record_clear(struct record *record)
{
	name_release(record->source);
	name_release(record->destination);
	name_release(record->rule);
	name_release(record->interface);
	name_release(record->observed.application);
	name_release(record->observed.domain);
	memset(record, 0, sizeof(*record));
}

struct record record_copy(const struct record *record)
{
	struct record copy = *record;

	name_reference(copy.source);
	name_reference(copy.destination);
	name_reference(copy.rule);
	name_reference(copy.interface);
	name_reference(copy.observed.application);
	name_reference(copy.observed.domain);
	return copy;
}

static void write_text(struct writer *writer, const char *text)
{
	writer_bytes(writer, text, strlen(text));
}

static void write_name(struct writer *writer, const struct name *name)
{
	if (name)
		writer_bytes(writer, name->text, name->length);
	else
		writer_literal(writer, "null");
}

#define TIME_MAX (TIMESTAMP_LENGTH + 2)

static char *put_time(char *text, uint64_t time_ns)
{
	*text++ = '"';
	timestamp_format(time_ns, text);
	text += TIMESTAMP_LENGTH;
	*text++ = '"';
	return text;
}

#define PAIR_MAX (2 * PUT_UINT_MAX + 3)

static char *put_pair(char *text, const uint64_t pair[static 2])
{
	*text++ = '[';
	text = put_uint(text, pair[0]);
	*text++ = ',';
	text = put_uint(text, pair[1]);
	*text++ = ']';
	return text;
}

#define ID_MAX (2 * sizeof(uint64_t) + 2)

/* 64 bits do not fit into a JSON number that every reader keeps exact. */
static char *put_id(char *text, uint64_t id)
{
	*text++ = '"';
	for (unsigned int shift = 64; shift; shift -= 8)
		text = put_hexadecimal(text, (uint8_t)(id >> (shift - 8)));
	*text++ = '"';
	return text;
}

#define MAC_MAX (6 * 3 + 1)

static char *put_mac(char *text, const uint8_t mac[static 6])
{
	*text++ = '"';
	for (size_t i = 0; i < 6; i++) {
		text = put_hexadecimal(text, mac[i]);
		*text++ = ':';
	}
	text[-1] = '"';
	return text;
}

static char *put_octet(char *text, unsigned int octet)
{
	if (octet >= 100) {
		*text++ = (char)('0' + octet / 100);
		return put_two_digits(text, octet % 100);
	}
	if (octet >= 10)
		return put_two_digits(text, octet);
	*text++ = (char)('0' + octet);
	return text;
}

/* As address_format(), which goes through printf for each byte of an IPv4 address. Up to
 * ADDRESS_TEXT_MAX. */
static char *put_address(char *text, const struct address *address)
{
	if (!address_is_ipv4(address))
		return strchr(address_format(address, text), '\0');
	for (size_t i = sizeof(address->bytes) - 4; i < sizeof(address->bytes); i++) {
		text = put_octet(text, address->bytes[i]);
		*text++ = '.';
	}
	return text - 1;
}

/* The name's members become those of what is being written: its text without the braces. */
static void write_members(struct writer *writer, const struct name *name)
{
	if (!name || name->length <= 2 || name->text[0] != '{')
		return;
	writer_literal(writer, ",");
	writer_bytes(writer, name->text + 1, name->length - 2);
}

/* What of an end is in its packets. */
static char *put_end(char *text, const struct flow_event *event, enum record_end end)
{
	static const uint8_t no_mac[6];
	bool source = end == RECORD_SOURCE;
	const uint8_t *mac = source ? event->source_mac : event->destination_mac;

	text = put_literal(text, "{\"ip\":\"");
	text = put_address(text, source ? &event->source : &event->destination);
	*text++ = '"';
	if (protocol_is_ip(event->ethertype) && protocol_has_ports(event->protocol)) {
		text = put_literal(text, ",\"port\":");
		text = put_uint(text, source ? event->source_port : event->destination_port);
	}
	if (memcmp(mac, no_mac, sizeof(no_mac)) != 0) {
		text = put_literal(text, ",\"mac\":");
		text = put_mac(text, mac);
	}
	return text;
}

void record_write_end(const struct record *record, enum record_end end, struct writer *writer)
{
	static const char keys[] = "{\"ip\":\"\",\"port\":,\"mac\":";
	char *text = writer_room(writer, sizeof(keys) + ADDRESS_TEXT_MAX + PUT_UINT_MAX + MAC_MAX);

	if (!text)
		return;
	writer_end(writer, put_end(text, &record->event, end));
	write_members(writer, end == RECORD_SOURCE ? record->source : record->destination);
	writer_literal(writer, "}");
}

static void write_protocol(struct writer *writer, const struct flow_event *event)
{
	bool ip = protocol_is_ip(event->ethertype);
	char text[PROTOCOL_TEXT_MAX], flags[TCP_FLAGS_TEXT_MAX];

	writer_literal(writer, ",\"protocol\":\"");
	write_text(writer, protocol_format(event->ethertype, event->protocol, text));
	writer_literal(writer, "\"");
	if (ip && event->protocol == IPPROTO_TCP && event->tcp_flags) {
		writer_literal(writer, ",\"tcp_flags\":\"");
		write_text(writer, tcp_flags_format(event->tcp_flags, flags));
		writer_literal(writer, "\"");
	}
	if (ip && protocol_is_icmp(event->protocol)) {
		writer_literal(writer, ",\"icmp\":{\"type\":");
		writer_uint(writer, event->icmp_type);
		writer_literal(writer, ",\"code\":");
		writer_uint(writer, event->icmp_code);
		writer_literal(writer, "}");
	}
}

static void write_decision(struct writer *writer, const struct record *record)
{
	const struct flow_event *event = &record->event;

	writer_literal(writer, ",\"verdict\":\"");
	write_text(writer, flow_verdict_name(event->verdict));
	writer_literal(writer, "\",\"direction\":\"");
	write_text(writer, direction_name(event->direction));
	writer_literal(writer, "\",\"reason\":\"");
	write_text(writer, reason_name(event->reason));
	writer_literal(writer, "\",\"rule\":");
	write_name(writer, record->rule);
}

static void write_counters(struct writer *writer, const struct flow_event *event)
{
	static const char keys[] = ",\"packets\":,\"bytes\":,\"start\":,\"end\":";
	char *text = writer_room(writer, sizeof(keys) + 2UL * PAIR_MAX + 2UL * TIME_MAX);

	if (!text)
		return;
	text = put_literal(text, ",\"packets\":");
	text = put_pair(text, event->packets);
	text = put_literal(text, ",\"bytes\":");
	text = put_pair(text, event->bytes);
	text = put_literal(text, ",\"start\":");
	text = put_time(text, event->start_ns);
	text = put_literal(text, ",\"end\":");
	text = put_time(text, event->end_ns);
	writer_end(writer, text);
}

static void write_origin(struct writer *writer, const struct record *record)
{
	char *text;

	writer_literal(writer, ",\"interface\":");
	write_name(writer, record->interface);
	writer_literal(writer, ",\"id\":");
	text = writer_room(writer, ID_MAX);
	if (text)
		writer_end(writer, put_id(text, record->event.id));
}

/* A pair of which each end's may be unknown: null. */
static void write_measured(struct writer *writer, const char *key, const uint32_t pair[static 2],
	const bool known[static 2])
{
	writer_literal(writer, ",\"");
	write_text(writer, key);
	writer_literal(writer, "\":[");
	for (size_t i = 0; i < 2; i++) {
		if (i)
			writer_literal(writer, ",");
		if (known[i])
			writer_uint(writer, pair[i]);
		else
			writer_literal(writer, "null");
	}
	writer_literal(writer, "]");
}

static void write_measurements(struct writer *writer, const struct flow_event *event)
{
	const uint32_t *round_trip_us = event->round_trip_us, *again = event->retransmissions;
	const bool timed[] = {round_trip_us[0], round_trip_us[1]};
	const bool asked[] = {timed[0] || again[0], timed[1] || again[1]};

	if (!asked[0] && !asked[1])
		return;
	write_measured(writer, "round_trip_us", round_trip_us, timed);
	write_measured(writer, "retransmissions", again, asked);
}

static void write_member(struct writer *writer, const char *key, uint64_t number)
{
	writer_literal(writer, ",\"");
	write_text(writer, key);
	writer_literal(writer, "\":");
	writer_uint(writer, number);
}

static void write_dns(struct writer *writer, const struct flow_observation *observed)
{
	const struct flow_dns *dns = &observed->dns;

	writer_literal(writer, ",\"dns\":{\"queries\":");
	writer_uint(writer, dns->queries);
	write_member(writer, "answers", dns->answers);
	write_member(writer, "failures", dns->failures);
	write_member(writer, "unique_names", dns->unique_names);
	write_member(writer, "longest_name", dns->longest_name);
	write_member(writer, "entropy", dns->entropy / 100);
	writer_literal(writer, ".");
	writer_uint(writer, dns->entropy / 10 % 10);
	writer_uint(writer, dns->entropy % 10);
	if (observed->domain) {
		writer_literal(writer, ",\"domain\":");
		write_name(writer, observed->domain);
	}
	writer_literal(writer, "}");
}

static void write_observed(struct writer *writer, const struct flow_observation *observed)
{
	write_members(writer, observed->application);
	if (observed->dns.queries)
		write_dns(writer, observed);
}

void record_write(const struct record *record, const struct name *node, struct writer *writer)
{
	const struct flow_event *event = &record->event;
	char *text;

	_Static_assert(RECORD_SCHEMA == 1, "the literal below names the schema");
	writer_literal(writer, "{\"schema\":1,\"time\":");
	text = writer_room(writer, TIME_MAX);
	if (text)
		writer_end(writer, put_time(text, event->time_ns));
	writer_literal(writer, ",\"node\":");
	write_name(writer, node);
	writer_literal(writer, ",\"event\":\"");
	write_text(writer, flow_event_type_name(event->type));
	writer_literal(writer, "\"");
	if (event->type == FLOW_GAP) {
		writer_literal(writer, ",\"lost\":");
		writer_uint(writer, event->lost);
	} else {
		write_decision(writer, record);
		write_protocol(writer, event);
		writer_literal(writer, ",\"source\":");
		record_write_end(record, RECORD_SOURCE, writer);
		writer_literal(writer, ",\"destination\":");
		record_write_end(record, RECORD_DESTINATION, writer);
		write_counters(writer, event);
		write_origin(writer, record);
		write_measurements(writer, event);
		write_observed(writer, &record->observed);
	}
	writer_literal(writer, "}\n");
}

json_t *record_to_json(const struct record *record, const struct name *node, struct writer *scratch)
{
	writer_reset(scratch);
	record_write(record, node, scratch);
	if (scratch->failed)
		return NULL;
	return json_loadb(scratch->data, scratch->length, 0, NULL);
}
