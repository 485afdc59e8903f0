/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "record.h"

#include "text.h"
#include "xdp/reasons.h"

#include <stdint.h>
#include <string.h>

const char *field_text(const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));

	return text ? text : "";
}

double field_number(const json_t *object, const char *key)
{
	return json_number_value(json_object_get(object, key));
}

double field_sum(const json_t *object, const char *key)
{
	const json_t *value = json_object_get(object, key), *item;
	double total = json_number_value(value);
	size_t i;

	json_array_foreach (value, i, item) {
		total += json_number_value(item);
	}
	return total;
}

json_int_t field_integer(const json_t *object, const char *key)
{
	return json_integer_value(json_object_get(object, key));
}

json_int_t field_total(const json_t *object, const char *key)
{
	const json_t *value = json_object_get(object, key), *item;
	json_int_t total = json_integer_value(value);
	size_t i;

	json_array_foreach (value, i, item) {
		if (__builtin_add_overflow(total, json_integer_value(item), &total))
			return INT64_MAX;
	}
	return total;
}

char *record_name(const json_t *object)
{
	const char *namespace = field_text(object, "namespace");

	return text_format("%s%s%s", namespace, *namespace ? "/" : "", field_text(object, "name"));
}

char *record_end(const json_t *end)
{
	const char *workload = field_text(end, "workload"), *ip = field_text(end, "ip");
	const char *namespace = field_text(end, "namespace");

	if (*workload)
		return text_format("%s%s%s", namespace, *namespace ? "/" : "", workload);
	/* The node has many addresses; which one is in -o json. */
	if (strcmp(field_text(end, "entity"), "host") == 0)
		return text_format("host");
	if (record_dns_name(end))
		return text_format("%s", record_dns_name(end));
	return text_format("%s", *ip ? ip : "unknown");
}

const char *record_dns_name(const json_t *end)
{
	return json_string_value(json_array_get(json_object_get(end, "names"), 0));
}

char *record_end_full(const json_t *end)
{
	_cleanup_free_ char *name = record_end(end);
	const char *known = record_dns_name(end), *ip = field_text(end, "ip");

	if (!known || strcmp(known, name) != 0 || !*ip)
		return TAKE_PTR(name);
	return text_format("%s (%s)", known, ip);
}

/* The names that policies use for ICMP types. */
static const char *icmp_type_name(const char *protocol, int type)
{
	static const struct {
		const char *protocol;
		int type;
		const char *name;
	} types[] = {
		{"icmp", 0, "echo-reply"},
		{"icmp", 3, "destination-unreachable"},
		{"icmp", 5, "redirect"},
		{"icmp", 8, "echo-request"},
		{"icmp", 11, "time-exceeded"},
		{"icmpv6", 1, "destination-unreachable"},
		{"icmpv6", 2, "packet-too-big"},
		{"icmpv6", 3, "time-exceeded"},
		{"icmpv6", 128, "echo-request"},
		{"icmpv6", 129, "echo-reply"},
		{"icmpv6", 133, "router-solicitation"},
		{"icmpv6", 134, "router-advertisement"},
		{"icmpv6", 135, "neighbour-solicitation"},
		{"icmpv6", 136, "neighbour-advertisement"},
		{"icmpv6", 143, "multicast-listener-report"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(types); i++)
		if (types[i].type == type && strcmp(types[i].protocol, protocol) == 0)
			return types[i].name;
	return NULL;
}

char *record_port(const json_t *record)
{
	const char *protocol = field_text(record, "protocol");
	const json_t *icmp = json_object_get(record, "icmp");
	const json_t *port = json_object_get(record, "port");

	if (json_is_object(icmp)) {
		int type = (int)field_integer(icmp, "type");
		const char *name = icmp_type_name(protocol, type);

		return name ? text_format("%s/%s", protocol, name)
			    : text_format("%s/%d", protocol, type);
	}
	if (!port)
		port = json_object_get(json_object_get(record, "destination"), "port");
	if (!json_integer_value(port))
		return text_format("%s", protocol);
	return text_format("%s/%d", protocol, (int)json_integer_value(port));
}

const char *record_reason(const char *name)
{
	static const struct {
		const char *name, *sentence;
	} reasons[] = {
#define X(symbol, reason_name, reason_words) {reason_name, reason_words},
		REASONS(X)
#undef X
	};

	for (size_t i = 0; i < ARRAY_SIZE(reasons); i++)
		if (strcmp(reasons[i].name, name) == 0)
			return reasons[i].sentence;
	return name;
}

char *record_why(const json_t *record)
{
	const json_t *rule = json_object_get(record, "rule");
	const json_t *index = json_object_get(rule, "index");
	const char *text = field_text(rule, "text"), *sentence = field_text(record, "sentence");
	_cleanup_free_ char *name = NULL;

	if (!json_is_object(rule))
		return text_format(
			"%s", *sentence ? sentence : record_reason(field_text(record, "reason")));
	if (*text)
		return text_format("%s", text);
	name = record_name(rule);
	if (json_is_integer(index))
		return text_format("%s %s %s[%d]", field_text(rule, "kind"), name,
			field_text(record, "direction"), (int)json_integer_value(index));
	return text_format("no rule of %s %s allows", field_text(rule, "kind"), name);
}

char *record_labels(const json_t *labels)
{
	char *list = NULL;
	FILE *stream = must(open_memstream(&list, &(size_t){0}));
	const char *key;
	json_t *value;
	bool first = true;

	json_object_foreach ((json_t *)labels, key, value) {
		fprintf(stream, "%s%s=%s", first ? "" : ", ", key,
			json_is_string(value) ? json_string_value(value) : "");
		first = false;
	}
	fclose(stream);
	return must(list);
}

char *record_list(const json_t *array)
{
	char *list = NULL;
	FILE *stream = must(open_memstream(&list, &(size_t){0}));
	const json_t *item;
	size_t i;

	json_array_foreach (array, i, item) {
		fprintf(stream, "%s%s", i ? ", " : "",
			json_is_string(item) ? json_string_value(item) : "");
	}
	fclose(stream);
	return must(list);
}

enum table_color record_color(const char *verdict)
{
	if (strncmp(verdict, "allow", 5) == 0)
		return TABLE_GOOD;
	if (strncmp(verdict, "audit", 5) == 0)
		return TABLE_WARNING;
	return strncmp(verdict, "den", 3) == 0 ? TABLE_BAD : TABLE_PLAIN;
}
