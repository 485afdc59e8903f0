/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "flow/record.h"

#include "flow/digits.h"
#include "flow/protocol.h"
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

static void write_time(struct writer *writer, uint64_t time_ns)
{
	char *text = writer_room(writer, 1 + TIMESTAMP_LENGTH + 1);

	if (!text)
		return;
	*text++ = '"';
	timestamp_format(time_ns, text);
	text += TIMESTAMP_LENGTH;
	*text++ = '"';
	writer_end(writer, text);
}

static void write_name(struct writer *writer, const struct name *name)
{
	if (name)
		writer_bytes(writer, name->text, name->length);
	else
		writer_literal(writer, "null");
}

static void write_pair(struct writer *writer, const uint64_t pair[static 2])
{
	writer_literal(writer, "[");
	writer_uint(writer, pair[0]);
	writer_literal(writer, ",");
	writer_uint(writer, pair[1]);
	writer_literal(writer, "]");
}

static void write_mac(struct writer *writer, const uint8_t mac[static 6])
{
	static const char digits[] = "0123456789abcdef";
	char text[17];

	for (size_t i = 0; i < 6; i++) {
		text[i * 3] = digits[mac[i] >> 4];
		text[i * 3 + 1] = digits[mac[i] & 15];
		if (i < 5)
			text[i * 3 + 2] = ':';
	}
	writer_literal(writer, ",\"mac\":\"");
	writer_bytes(writer, text, sizeof(text));
	writer_literal(writer, "\"");
}

/* 64 bits do not fit into a JSON number that every reader keeps exact. */
static void write_id(struct writer *writer, uint64_t id)
{
	static const char digits[] = "0123456789abcdef";
	char text[16];

	for (unsigned int i = 16; i-- > 0; id >>= 4)
		text[i] = digits[id & 15];
	writer_literal(writer, "\"");
	writer_bytes(writer, text, sizeof(text));
	writer_literal(writer, "\"");
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

/* As address_format(), which goes through printf for each byte of an IPv4 address. */
static void write_address(struct writer *writer, const struct address *address)
{
	char text[ADDRESS_TEXT_MAX], *end;

	if (!address_is_ipv4(address)) {
		write_text(writer, address_format(address, text));
		return;
	}
	end = writer_room(writer, ADDRESS_TEXT_MAX);
	if (!end)
		return;
	for (size_t i = sizeof(address->bytes) - 4; i < sizeof(address->bytes); i++) {
		end = put_octet(end, address->bytes[i]);
		*end++ = '.';
	}
	writer_end(writer, end - 1);
}

/* The name's members become those of what is being written: its text without the braces. */
static void write_members(struct writer *writer, const struct name *name)
{
	if (!name || name->length <= 2 || name->text[0] != '{')
		return;
	writer_literal(writer, ",");
	writer_bytes(writer, name->text + 1, name->length - 2);
}

void record_write_end(const struct record *record, enum record_end end, struct writer *writer)
{
	static const uint8_t no_mac[6];
	const struct flow_event *event = &record->event;
	bool source = end == RECORD_SOURCE;
	const struct name *name = source ? record->source : record->destination;
	const uint8_t *mac = source ? event->source_mac : event->destination_mac;

	writer_literal(writer, "{\"ip\":\"");
	write_address(writer, source ? &event->source : &event->destination);
	writer_literal(writer, "\"");
	if (protocol_is_ip(event->ethertype) && protocol_has_ports(event->protocol)) {
		writer_literal(writer, ",\"port\":");
		writer_uint(writer, source ? event->source_port : event->destination_port);
	}
	if (memcmp(mac, no_mac, sizeof(no_mac)))
		write_mac(writer, mac);
	write_members(writer, name);
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

static void write_counters(struct writer *writer, const struct record *record)
{
	const struct flow_event *event = &record->event;

	writer_literal(writer, ",\"packets\":");
	write_pair(writer, event->packets);
	writer_literal(writer, ",\"bytes\":");
	write_pair(writer, event->bytes);
	writer_literal(writer, ",\"start\":");
	write_time(writer, event->start_ns);
	writer_literal(writer, ",\"end\":");
	write_time(writer, event->end_ns);
	writer_literal(writer, ",\"interface\":");
	write_name(writer, record->interface);
	writer_literal(writer, ",\"id\":");
	write_id(writer, event->id);
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

	_Static_assert(RECORD_SCHEMA == 1, "the literal below names the schema");
	writer_literal(writer, "{\"schema\":1,\"time\":");
	write_time(writer, event->time_ns);
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
		write_counters(writer, record);
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
