/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "export.h"

#include "flow/protocol.h"
#include "flow/timestamp.h"
#include "record.h"
#include "text.h"

#include <string.h>

void export_set(json_t *object, const char *key, json_t *value)
{
	bool empty = (json_is_string(value) && !json_string_length(value)) ||
		     (json_is_object(value) && !json_object_size(value));

	if (value && !empty)
		json_object_set(object, key, value);
	json_decref(value);
}

void export_set_text(json_t *object, const char *key, const char *text)
{
	export_set(object, key, json_string(text));
}

void export_copy(json_t *object, const char *key, const json_t *from, const char *member)
{
	export_set(object, key, json_incref(json_object_get(from, member)));
}

uint64_t export_time_ns(const json_t *record, const char *member)
{
	uint64_t time_ns = 0;

	timestamp_parse(field_text(record, member), 0, &time_ns);
	return time_ns;
}

const char *export_time_member(const json_t *record)
{
	return json_object_get(record, "time") ? "time" : "end";
}

const char *export_event(const json_t *record)
{
	const char *event = field_text(record, "event");

	return *event ? event : "denied";
}

int export_protocol_number(const json_t *record)
{
	uint16_t ethertype;
	uint8_t number;

	if (protocol_parse(field_text(record, "protocol"), &ethertype, &number) < 0 || ethertype)
		return -1;
	return number;
}

int export_ip_version(const json_t *record)
{
	const char *ip = field_text(json_object_get(record, "source"), "ip");

	if (!*ip)
		ip = field_text(json_object_get(record, "destination"), "ip");
	if (!*ip || export_protocol_number(record) < 0)
		return 0;
	return strchr(ip, ':') ? 6 : 4;
}

json_int_t export_destination_port(const json_t *record)
{
	const json_t *port = json_object_get(json_object_get(record, "destination"), "port");

	return json_integer_value(port ? port : json_object_get(record, "port"));
}

json_int_t export_counter(const json_t *record, const char *member, size_t side)
{
	return json_integer_value(json_array_get(json_object_get(record, member), side));
}
