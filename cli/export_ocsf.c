/* SPDX-License-Identifier: GPL-2.0-or-later */
/* https://schema.ocsf.io/1.4.0/classes/network_activity */
#include "export.h"

#include "flow/protocol.h"
#include "record.h"
#include "text.h"

#include <string.h>

#define OCSF_VERSION "1.4.0"
#define CATEGORY     4    /* Network Activity */
#define CLASS        4001 /* Network Activity */

/* A number of an enumeration and the word for it, which OCSF both wants. */
struct choice {
	const char *of; /* our word */
	int id;
	const char *caption;
};

static const struct choice activities[] = {
	{"new", 1, "Open"},
	{"end", 2, "Close"},
	{"denied", 5, "Refuse"},
	{"update", 6, "Traffic"},
};

static const struct choice actions[] = {
	{"allowed", 1, "Allowed"},
	{"denied", 2, "Denied"},
	{"audited", 1, "Allowed"},
};

static const struct choice dispositions[] = {
	{"allowed", 1, "Allowed"},
	{"denied", 2, "Blocked"},
	{"audited", 17, "Logged"},
};

static const struct choice severities[] = {
	{"allowed", 1, "Informational"},
	{"audited", 1, "Informational"},
	{"denied", 2, "Low"},
};

static const struct choice directions[] = {
	{"ingress", 1, "Inbound"},
	{"egress", 2, "Outbound"},
};

static const struct choice *find(const struct choice *choices, size_t count, const char *word,
	const struct choice *otherwise)
{
	for (size_t i = 0; i < count; i++)
		if (strcmp(choices[i].of, word) == 0)
			return &choices[i];
	return otherwise;
}

static const struct choice unknown = {"", 0, "Unknown"};

#define FIND(choices, word) find(choices, ARRAY_SIZE(choices), word, &unknown)

static void set_choice(
	json_t *object, const char *id_key, const char *caption_key, const struct choice *choice)
{
	json_object_set_new(object, id_key, json_integer(choice->id));
	json_object_set_new(object, caption_key, json_string(choice->caption));
}

static void set_time(json_t *object, const char *key, const json_t *record, const char *member)
{
	uint64_t time_ns = export_time_ns(record, member);

	if (time_ns)
		json_object_set_new(object, key, json_integer((json_int_t)(time_ns / 1000000)));
}

/* "app=db"…: the container profile wants a list of words. */
static json_t *container_of_end(const json_t *end)
{
	json_t *container = must(json_object()), *list = must(json_array()), *value;
	const char *key;

	export_copy(container, "name", end, "workload");
	json_object_foreach (json_object_get(end, "labels"), key, value) {
		_cleanup_free_ char *label = text_format(
			"%s=%s", key, json_is_string(value) ? json_string_value(value) : "");

		json_array_append_new(list, json_string(label));
	}
	if (json_array_size(list))
		json_object_set(container, "labels", list);
	json_decref(list);
	return container;
}

static json_t *endpoint(const json_t *end)
{
	json_t *object = must(json_object());
	_cleanup_free_ char *name = record_end(end);

	export_copy(object, "ip", end, "ip");
	export_copy(object, "port", end, "port");
	export_copy(object, "mac", end, "mac");
	export_set_text(object, "name", name);
	export_set_text(object, "hostname", record_dns_name(end));
	/* Where it stands in the network, as policies see it. */
	if (*field_text(end, "namespace"))
		export_copy(object, "zone", end, "namespace");
	else
		export_copy(object, "zone", end, "entity");
	if (*field_text(end, "workload"))
		export_set(object, "container", container_of_end(end));
	return object;
}

static json_t *connection_of(const json_t *record)
{
	json_t *connection = must(json_object());
	int number = export_protocol_number(record), version = export_ip_version(record);
	uint8_t flags = 0;

	if (number >= 0)
		json_object_set_new(connection, "protocol_num", json_integer(number));
	export_copy(connection, "protocol_name", record, "protocol");
	if (version) {
		json_object_set_new(connection, "protocol_ver_id", json_integer(version));
		export_set_text(connection, "protocol_ver", version == 6 ? "IPv6" : "IPv4");
	}
	set_choice(connection, "direction_id", "direction",
		FIND(directions, field_text(record, "direction")));
	if (tcp_flags_parse(field_text(record, "tcp_flags"), &flags) == 0 && flags)
		json_object_set_new(connection, "tcp_flags", json_integer(flags));
	export_copy(connection, "uid", record, "id");
	return connection;
}

static json_t *traffic_of(const json_t *record)
{
	json_int_t packets_out = export_counter(record, "packets", 0);
	json_int_t packets_in = export_counter(record, "packets", 1);
	json_int_t bytes_out = export_counter(record, "bytes", 0);
	json_int_t bytes_in = export_counter(record, "bytes", 1);

	return json_pack("{s:I, s:I, s:I, s:I, s:I, s:I}", "packets",
		field_total(record, "packets"), "packets_out", packets_out, "packets_in",
		packets_in, "bytes", field_total(record, "bytes"), "bytes_out", bytes_out,
		"bytes_in", bytes_in);
}

/* "SegmentPolicy shop/db", and which rule of it. */
static void add_rule(json_t *ocsf, const json_t *record)
{
	const json_t *rule = json_object_get(record, "rule");
	_cleanup_free_ char *name = record_name(rule), *why = record_why(record);
	json_t *firewall_rule;

	if (!json_is_object(rule))
		return;
	firewall_rule = must(json_object());
	export_set_text(firewall_rule, "name", why);
	export_copy(firewall_rule, "type", rule, "kind");
	export_copy(firewall_rule, "category", rule, "tier");
	export_set(ocsf, "firewall_rule", firewall_rule);
	if (*name)
		export_set(ocsf, "policy",
			json_pack("{s:s, s:s}", "name", name, "desc", field_text(rule, "kind")));
}

static void observe(
	json_t *list, const char *name, int type_id, const char *type, const char *value)
{
	if (value && *value)
		json_array_append_new(
			list, json_pack("{s:s, s:i, s:s, s:s}", "name", name, "type_id", type_id,
				      "type", type, "value", value));
}

static json_t *observables_of(const json_t *record)
{
	const json_t *source = json_object_get(record, "source");
	const json_t *destination = json_object_get(record, "destination");
	json_t *list = must(json_array());

	observe(list, "src_endpoint.ip", 2, "IP Address", field_text(source, "ip"));
	observe(list, "dst_endpoint.ip", 2, "IP Address", field_text(destination, "ip"));
	observe(list, "dst_endpoint.hostname", 1, "Hostname", record_dns_name(destination));
	observe(list, "src_endpoint.mac", 3, "MAC Address", field_text(source, "mac"));
	observe(list, "dst_endpoint.mac", 3, "MAC Address", field_text(destination, "mac"));
	return list;
}

static json_t *metadata_of(const json_t *record)
{
	json_t *metadata = must(
		json_pack("{s:s, s:{s:s, s:s, s:s}, s:s, s:[s, s, s]}", "version", OCSF_VERSION,
			"product", "name", "segd", "vendor_name", "segd", "version", SEGD_VERSION,
			"log_name", "flows", "profiles", "security_control", "host", "container"));

	export_copy(metadata, "original_time", record, export_time_member(record));
	export_copy(metadata, "uid", record, "id");
	return metadata;
}

static void set_class(json_t *ocsf, int category, const char *category_name, int class,
	const char *class_name, const struct choice *activity)
{
	_cleanup_free_ char *type_name = text_format("%s: %s", class_name, activity->caption);

	json_object_set_new(ocsf, "category_uid", json_integer(category));
	export_set_text(ocsf, "category_name", category_name);
	json_object_set_new(ocsf, "class_uid", json_integer(class));
	export_set_text(ocsf, "class_name", class_name);
	set_choice(ocsf, "activity_id", "activity_name", activity);
	json_object_set_new(ocsf, "type_uid", json_integer(class * 100 + activity->id));
	export_set_text(ocsf, "type_name", type_name);
}

/* What OCSF has no words for. */
static json_t *unmapped_of(const json_t *record)
{
	static const char *const members[] = {"verdict", "reason", "rule", "icmp", "interface",
		"lost", "server_name", "dns", "round_trip_us", "retransmissions"};
	json_t *unmapped = must(json_object());

	for (size_t i = 0; i < ARRAY_SIZE(members); i++)
		export_copy(unmapped, members[i], record, members[i]);
	return unmapped;
}

static void add_gap(json_t *ocsf, const json_t *record)
{
	static const struct choice gap = {"gap", 99, "Gap"}, medium = {"gap", 3, "Medium"};
	_cleanup_free_ char *message =
		text_format("%.0f records were lost here", field_number(record, "lost"));

	set_class(ocsf, 0, "Uncategorized", 0, "Base Event", &gap);
	set_choice(ocsf, "severity_id", "severity", &medium);
	export_set_text(ocsf, "message", message);
	json_object_set_new(ocsf, "count", json_integer(field_integer(record, "lost")));
}

static void add_flow(json_t *ocsf, const json_t *record)
{
	static const struct choice success = {"", 1, "Success"}, failure = {"", 2, "Failure"};
	const char *verdict = field_text(record, "verdict");
	bool denied = strcmp(verdict, "denied") == 0;
	json_t *destination = endpoint(json_object_get(record, "destination"));
	json_int_t port = export_destination_port(record);
	_cleanup_free_ char *why = record_why(record);

	if (port)
		json_object_set_new(destination, "port", json_integer(port));
	set_class(ocsf, CATEGORY, "Network Activity", CLASS, "Network Activity",
		FIND(activities, export_event(record)));
	set_choice(ocsf, "severity_id", "severity", FIND(severities, verdict));
	set_choice(ocsf, "status_id", "status", denied ? &failure : &success);
	set_choice(ocsf, "action_id", "action", FIND(actions, verdict));
	set_choice(ocsf, "disposition_id", "disposition", FIND(dispositions, verdict));
	export_set_text(ocsf, "message", why);
	if (denied)
		json_object_set_new(ocsf, "count", json_integer(field_total(record, "packets")));
	export_set(ocsf, "src_endpoint", endpoint(json_object_get(record, "source")));
	export_set(ocsf, "dst_endpoint", destination);
	export_set(ocsf, "connection_info", connection_of(record));
	export_set(ocsf, "traffic", traffic_of(record));
	export_copy(ocsf, "app_name", record, "application");
	add_rule(ocsf, record);
	export_set(ocsf, "observables", observables_of(record));
}

json_t *export_ocsf(const json_t *record)
{
	json_t *ocsf = must(json_object());

	set_time(ocsf, "time", record, export_time_member(record));
	set_time(ocsf, "start_time", record, "start");
	set_time(ocsf, "end_time", record, "end");
	if (json_object_get(ocsf, "start_time") && json_object_get(ocsf, "end_time"))
		json_object_set_new(ocsf, "duration",
			json_integer((json_int_t)(field_number(ocsf, "end_time") -
						  field_number(ocsf, "start_time"))));
	export_set(ocsf, "metadata", metadata_of(record));
	if (*field_text(record, "node"))
		export_set(ocsf, "device",
			json_pack("{s:s, s:i, s:s}", "hostname", field_text(record, "node"),
				"type_id", 1, "type", "Server"));
	if (strcmp(export_event(record), "gap") == 0)
		add_gap(ocsf, record);
	else
		add_flow(ocsf, record);
	export_set(ocsf, "unmapped", unmapped_of(record));
	return ocsf;
}
