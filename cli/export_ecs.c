/* SPDX-License-Identifier: GPL-2.0-or-later */
/* https://www.elastic.co/guide/en/ecs/8.11/ecs-field-reference.html */
#include "export.h"

#include "record.h"
#include "text.h"

#include <string.h>

#define ECS_VERSION "8.11.0"

static const char *type_of_event(const char *event)
{
	static const struct {
		const char *event, *type;
	} types[] = {{"new", "start"}, {"end", "end"}, {"denied", "denied"}};

	for (size_t i = 0; i < ARRAY_SIZE(types); i++)
		if (strcmp(types[i].event, event) == 0)
			return types[i].type;
	return "info";
}

static json_t *types_of(const json_t *record)
{
	const char *type = type_of_event(export_event(record));
	const char *verdict = field_text(record, "verdict");
	json_t *types = must(json_pack("[s, s]", "connection", type));

	/* What is only audited passes. */
	if (*verdict && strcmp(verdict, "denied") != 0)
		json_array_append_new(types, json_string("allowed"));
	else if (*verdict && strcmp(type, "denied") != 0)
		json_array_append_new(types, json_string("denied"));
	return types;
}

static json_t *event_of(const json_t *record)
{
	json_t *event = must(json_pack("{s:s, s:[s], s:s, s:s}", "kind", "event", "category",
		"network", "module", "segd", "dataset", "segd.flow"));
	bool denied = strcmp(field_text(record, "verdict"), "denied") == 0;
	uint64_t start_ns = export_time_ns(record, "start"), end_ns = export_time_ns(record, "end");
	_cleanup_free_ char *why = record_why(record);

	export_set(event, "type", types_of(record));
	export_set_text(event, "action", export_event(record));
	export_set_text(event, "outcome", denied ? "failure" : "success");
	export_set_text(event, "reason", why);
	export_copy(event, "start", record, "start");
	export_copy(event, "end", record, "end");
	if (start_ns && end_ns >= start_ns)
		export_set(event, "duration", json_integer((json_int_t)(end_ns - start_ns)));
	export_copy(event, "id", record, "id");
	return event;
}

static json_t *end_of(const json_t *record, const char *member, size_t side)
{
	const json_t *end = json_object_get(record, member);
	json_t *object = must(json_object());
	_cleanup_free_ char *name = record_end(end);

	export_set_text(object, "address", name);
	export_set_text(object, "domain", record_dns_name(end));
	export_copy(object, "ip", end, "ip");
	export_copy(object, "port", end, "port");
	/* ECS writes them as RFC 7042 does. */
	if (*field_text(end, "mac")) {
		_cleanup_free_ char *mac = text_format("%s", field_text(end, "mac"));

		for (char *c = mac; *c; c++)
			*c = *c == ':' ? '-' : (char)(*c >= 'a' ? *c - 'a' + 'A' : *c);
		export_set_text(object, "mac", mac);
	}
	export_set(object, "packets", json_integer(export_counter(record, "packets", side)));
	export_set(object, "bytes", json_integer(export_counter(record, "bytes", side)));
	return object;
}

static json_t *network_of(const json_t *record)
{
	json_t *network = must(json_object());
	int number = export_protocol_number(record), version = export_ip_version(record);

	if (version)
		export_set_text(network, "type", version == 6 ? "ipv6" : "ipv4");
	export_copy(network, "transport", record, "protocol");
	if (number >= 0) {
		_cleanup_free_ char *text = text_format("%d", number);

		export_set_text(network, "iana_number", text);
	}
	export_copy(network, "protocol", record, "application");
	export_copy(network, "direction", record, "direction");
	export_set(network, "packets", json_integer(field_total(record, "packets")));
	export_set(network, "bytes", json_integer(field_total(record, "bytes")));
	return network;
}

static json_t *rule_of(const json_t *record)
{
	const json_t *rule = json_object_get(record, "rule");
	json_t *object = must(json_object());
	_cleanup_free_ char *name = record_name(rule);

	export_set_text(object, "name", name);
	export_copy(object, "ruleset", rule, "kind");
	export_copy(object, "category", rule, "tier");
	export_copy(object, "description", rule, "text");
	return object;
}

/* Keys of "labels" must not have dots, which would make objects of them. */
static void add_labels(json_t *labels, const json_t *end, const char *side)
{
	const char *key;
	json_t *value;

	json_object_foreach (json_object_get(end, "labels"), key, value) {
		_cleanup_free_ char *name = text_format("%s_%s", side, key);

		for (char *c = name; *c; c++)
			if (*c == '.' || *c == '*' || *c == '\\')
				*c = '_';
		export_set(labels, name, json_incref(value));
	}
}

static json_t *labels_of(const json_t *record)
{
	json_t *labels = must(json_object());

	add_labels(labels, json_object_get(record, "source"), "source");
	add_labels(labels, json_object_get(record, "destination"), "destination");
	return labels;
}

static json_t *related_of(const json_t *record)
{
	static const char *const ends[] = {"source", "destination"};
	json_t *related = must(json_object()), *ips = must(json_array()),
	       *hosts = must(json_array());

	for (size_t i = 0; i < ARRAY_SIZE(ends); i++) {
		const json_t *end = json_object_get(record, ends[i]);
		_cleanup_free_ char *name = record_end(end);

		if (*field_text(end, "ip"))
			json_array_append(ips, json_object_get(end, "ip"));
		if (*field_text(end, "workload") || record_dns_name(end))
			json_array_append_new(hosts, json_string(name));
	}
	json_object_set_new(related, "ip", ips);
	json_object_set_new(related, "hosts", hosts);
	return related;
}

/* Who the ends are, and what ECS has no words for. */
static json_t *own_of(const json_t *record)
{
	static const char *const ends[] = {"source", "destination"};
	static const char *const members[] = {"namespace", "workload", "entity", "names"};
	static const char *const whole[] = {"verdict", "reason", "rule", "icmp", "tcp_flags",
		"lost", "server_name", "dns", "round_trip_us", "retransmissions"};
	json_t *own = must(json_object());

	for (size_t i = 0; i < ARRAY_SIZE(whole); i++)
		export_copy(own, whole[i], record, whole[i]);
	for (size_t i = 0; i < ARRAY_SIZE(ends); i++) {
		json_t *end = must(json_object());

		for (size_t k = 0; k < ARRAY_SIZE(members); k++)
			export_copy(end, members[k], json_object_get(record, ends[i]), members[k]);
		export_set(own, ends[i], end);
	}
	return own;
}

static json_t *observer_of(const json_t *record)
{
	json_t *observer = must(json_pack(
		"{s:s, s:s, s:s}", "product", "segd", "type", "firewall", "version", SEGD_VERSION));
	const char *interface = field_text(record, "interface");

	export_copy(observer, "hostname", record, "node");
	if (*interface)
		export_set(observer, "ingress",
			json_pack("{s:{s:s}}", "interface", "name", interface));
	return observer;
}

static void add_gap(json_t *ecs, const json_t *record)
{
	_cleanup_free_ char *message =
		text_format("%.0f records were lost here", field_number(record, "lost"));

	json_object_set_new(ecs, "event",
		json_pack("{s:s, s:s, s:s, s:s, s:s}", "kind", "pipeline_error", "module", "segd",
			"dataset", "segd.flow", "action", "gap", "outcome", "failure"));
	json_object_set_new(ecs, "message", json_string(message));
}

static void add_flow(json_t *ecs, const json_t *record)
{
	json_t *destination = end_of(record, "destination", 1);
	json_int_t port = export_destination_port(record);

	if (port)
		json_object_set_new(destination, "port", json_integer(port));
	export_set(ecs, "event", event_of(record));
	export_set(ecs, "source", end_of(record, "source", 0));
	export_set(ecs, "destination", destination);
	export_set(ecs, "network", network_of(record));
	export_set(ecs, "rule", rule_of(record));
	export_set(ecs, "related", related_of(record));
	export_set(ecs, "labels", labels_of(record));
}

json_t *export_ecs(const json_t *record)
{
	json_t *ecs = must(json_object());

	export_copy(ecs, "@timestamp", record, export_time_member(record));
	export_set(ecs, "ecs", json_pack("{s:s}", "version", ECS_VERSION));
	if (strcmp(export_event(record), "gap") == 0)
		add_gap(ecs, record);
	else
		add_flow(ecs, record);
	export_set(ecs, "observer", observer_of(record));
	export_set(ecs, "segd", own_of(record));
	return ecs;
}
