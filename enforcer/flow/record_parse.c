/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Records as JSON back into structures, so that one filter serves both forms. */
#include "base/cleanup.h"
#include "flow/protocol.h"
#include "flow/record.h"
#include "flow/timestamp.h"
#include "flow/vocabulary.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *member(const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));

	return text ? text : "";
}

static uint64_t parse_time(const json_t *object, const char *key)
{
	uint64_t time_ns = 0;

	timestamp_parse(member(object, key), 0, &time_ns);
	return time_ns;
}

static void parse_pair(const json_t *array, uint64_t pair[static 2])
{
	for (size_t i = 0; i < 2; i++)
		pair[i] = (uint64_t)json_integer_value(json_array_get(array, i));
}

static uint32_t parse_number(const json_t *number, json_int_t most)
{
	json_int_t value = json_integer_value(number);

	return (uint32_t)(value < 0 ? 0 : value > most ? most : value);
}

static void parse_measured(const json_t *array, uint32_t pair[static 2])
{
	for (size_t i = 0; i < 2; i++)
		pair[i] = parse_number(json_array_get(array, i), UINT32_MAX);
}

static void parse_mac(const char *text, uint8_t mac[static 6])
{
	unsigned int bytes[6];

	if (sscanf(text, "%2x:%2x:%2x:%2x:%2x:%2x", &bytes[0], &bytes[1], &bytes[2], &bytes[3],
		    &bytes[4], &bytes[5]) != 6)
		return;
	for (size_t i = 0; i < 6; i++)
		mac[i] = (uint8_t)bytes[i];
}

/* What of an end does not come from the packet. */
static struct name *parse_names(const json_t *end)
{
	static const char *const members[] = {"workload", "namespace", "labels", "entity", "names"};
	json_t *names = json_object();

	for (size_t i = 0; i < ARRAY_SIZE(members); i++) {
		json_t *value = json_object_get(end, members[i]);

		if (value)
			json_object_set(names, members[i], value);
	}
	return names ? name_new(NULL, names) : NULL;
}

static struct name *parse_end(
	const json_t *end, struct address *address, uint16_t *port, uint8_t mac[static 6])
{
	address_parse(member(end, "ip"), address);
	*port = (uint16_t)json_integer_value(json_object_get(end, "port"));
	parse_mac(member(end, "mac"), mac);
	return parse_names(end);
}

static void parse_packet(const json_t *json, struct flow_event *event)
{
	const json_t *icmp = json_object_get(json, "icmp");
	const char *direction = member(json, "direction");

	flow_verdict_parse(member(json, "verdict"), &event->verdict);
	reason_parse(member(json, "reason"), &event->reason);
	for (enum direction i = 0; i < DIRECTION_COUNT; i++)
		if (!strcmp(direction, direction_name(i)))
			event->direction = i;
	protocol_parse(member(json, "protocol"), &event->ethertype, &event->protocol);
	tcp_flags_parse(member(json, "tcp_flags"), &event->tcp_flags);
	event->icmp_type = (uint8_t)json_integer_value(json_object_get(icmp, "type"));
	event->icmp_code = (uint8_t)json_integer_value(json_object_get(icmp, "code"));
	parse_pair(json_object_get(json, "packets"), event->packets);
	parse_pair(json_object_get(json, "bytes"), event->bytes);
	parse_measured(json_object_get(json, "round_trip_us"), event->round_trip_us);
	parse_measured(json_object_get(json, "retransmissions"), event->retransmissions);
	event->start_ns = parse_time(json, "start");
	event->end_ns = parse_time(json, "end");
	event->id = strtoull(member(json, "id"), NULL, 16);
}

static struct name *parse_name(json_t *value)
{
	return value && !json_is_null(value) ? name_new(NULL, json_incref(value)) : NULL;
}

static void parse_dns(const json_t *json, struct flow_dns *dns)
{
	double entropy = json_number_value(json_object_get(json, "entropy"));

	dns->queries = parse_number(json_object_get(json, "queries"), UINT32_MAX);
	dns->answers = parse_number(json_object_get(json, "answers"), UINT32_MAX);
	dns->failures = parse_number(json_object_get(json, "failures"), UINT32_MAX);
	dns->unique_names = parse_number(json_object_get(json, "unique_names"), FLOW_DNS_NAMES_MAX);
	dns->longest_name =
		(uint16_t)parse_number(json_object_get(json, "longest_name"), UINT16_MAX);
	if (entropy > 0 && entropy <= 8)
		dns->entropy = (uint16_t)(entropy * 100 + 0.5);
}

static void parse_observed(const json_t *json, struct flow_observation *observed)
{
	static const char *const members[] = {"application", "server_name"};
	const json_t *dns = json_object_get(json, "dns");
	json_t *names = json_object();

	for (size_t i = 0; i < ARRAY_SIZE(members); i++) {
		json_t *value = json_object_get(json, members[i]);

		if (json_is_string(value))
			json_object_set(names, members[i], value);
	}
	if (json_object_size(names))
		observed->application = name_new(NULL, names);
	else
		json_decref(names);
	if (!dns)
		return;
	parse_dns(dns, &observed->dns);
	observed->domain = parse_name(json_object_get(dns, "domain"));
}

int record_from_json(const json_t *json, struct record *ret)
{
	struct record record = {0};
	struct flow_event *event = &record.event;

	if (!json_is_object(json))
		return -EINVAL;
	flow_event_type_parse(member(json, "event"), &event->type);
	event->time_ns = parse_time(json, "time");
	event->lost = (uint64_t)json_integer_value(json_object_get(json, "lost"));
	if (event->type != FLOW_GAP) {
		parse_packet(json, event);
		record.source = parse_end(json_object_get(json, "source"), &event->source,
			&event->source_port, event->source_mac);
		record.destination = parse_end(json_object_get(json, "destination"),
			&event->destination, &event->destination_port, event->destination_mac);
		record.rule = parse_name(json_object_get(json, "rule"));
		record.interface = parse_name(json_object_get(json, "interface"));
		parse_observed(json, &record.observed);
	}
	*ret = record;
	return 0;
}
