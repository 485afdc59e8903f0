/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "csv.h"

#include "record.h"
#include "text.h"

#include <stdbool.h>
#include <string.h>

/* Members of a record by their path, at most two steps; the second may be a place in an array. */
static const struct column {
	const char *name;
	const char *member;
	const char *inner;
} columns[] = {
	{"time", "time", NULL},
	{"event", "event", NULL},
	{"verdict", "verdict", NULL},
	{"direction", "direction", NULL},
	{"reason", "reason", NULL},
	{"protocol", "protocol", NULL},
	{"source_ip", "source", "ip"},
	{"source_port", "source", "port"},
	{"source_namespace", "source", "namespace"},
	{"source_workload", "source", "workload"},
	{"destination_ip", "destination", "ip"},
	{"destination_port", "destination", "port"},
	{"destination_namespace", "destination", "namespace"},
	{"destination_workload", "destination", "workload"},
	{"rule_kind", "rule", "kind"},
	{"rule_namespace", "rule", "namespace"},
	{"rule_name", "rule", "name"},
	{"rule_index", "rule", "index"},
	{"packets", "packets", NULL},
	{"bytes", "bytes", NULL},
	{"start", "start", NULL},
	{"end", "end", NULL},
	{"lost", "lost", NULL},
	{"source_name", "source", "names"},
	{"destination_name", "destination", "names"},
	{"application", "application", NULL},
	{"server_name", "server_name", NULL},
	{"source_round_trip_us", "round_trip_us", "0"},
	{"destination_round_trip_us", "round_trip_us", "1"},
	{"retransmissions", "retransmissions", NULL},
};

/* Names come from whoever started a workload. A spreadsheet takes what begins so for a formula,
 * and a quote before it for text. */
static bool is_formula(const char *text)
{
	return *text && strchr("=+-@", *text);
}

static void print_text(const char *text)
{
	const char *quote = strpbrk(text, ",\"\r\n") || is_formula(text) ? "\"" : "";
	size_t control;

	printf("%s%s", quote, is_formula(text) ? "'" : "");
	for (; *text; text += control ? control : 1) {
		control = text_control_length(text);
		if (*text == '"')
			putchar('"');
		putchar(control ? '?' : *text);
	}
	fputs(quote, stdout);
}

void csv_print_heading(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(columns); i++)
		printf("%s%s", i ? "," : "", columns[i].name);
	fputs("\r\n", stdout);
}

/* A refusal has its port beside its ends, a record within them. */
static const json_t *value_of(const json_t *record, const struct column *column)
{
	const json_t *value = json_object_get(record, column->member);

	if (column->inner && json_is_array(value))
		return json_array_get(value, (size_t)(*column->inner - '0'));
	if (column->inner)
		value = json_object_get(value, column->inner);
	/* Of several names the latest. */
	if (column->inner && json_is_array(value))
		return json_array_get(value, 0);
	if (!value && strcmp(column->name, "destination_port") == 0)
		value = json_object_get(record, "port");
	return value;
}

void csv_print_record(const json_t *record)
{
	for (size_t i = 0; i < ARRAY_SIZE(columns); i++) {
		const json_t *value = value_of(record, &columns[i]);

		if (i)
			putchar(',');
		if (json_is_string(value))
			print_text(json_string_value(value));
		else if (json_is_integer(value))
			printf("%" JSON_INTEGER_FORMAT, json_integer_value(value));
		else if (json_is_number(value))
			printf("%.0f", json_number_value(value));
		else if (json_is_array(value))
			printf("%" JSON_INTEGER_FORMAT, field_total(record, columns[i].member));
	}
	fputs("\r\n", stdout);
}
