/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "denied_fold.h"

#include "client.h"
#include "record.h"
#include "text.h"

#include <string.h>

/* What a row says but for counts and times. */
static char *row_key(const json_t *refusal)
{
	_cleanup_free_ char *from = record_end(json_object_get(refusal, "source"));
	_cleanup_free_ char *to = record_end(json_object_get(refusal, "destination"));
	_cleanup_free_ char *port = record_port(refusal);
	_cleanup_free_ char *why = record_why(refusal);

	return text_format(
		"%s\n%s\n%s\n%s\n%s", from, to, port, field_text(refusal, "direction"), why);
}

/* RFC 3339 in UTC sorts as text. */
static void keep_time(json_t *row, const json_t *refusal, const char *key, int sign)
{
	const char *time = field_text(refusal, key);

	if (strcmp(time, field_text(row, key)) * sign > 0)
		json_object_set_new(row, key, json_string(time));
}

static void join(json_t *row, const json_t *refusal)
{
	static const char *const members[] = {"packets", "bytes"};

	for (size_t i = 0; i < ARRAY_SIZE(members); i++) {
		json_t *both = must(json_pack(
			"[I, I]", field_total(row, members[i]), field_total(refusal, members[i])));

		json_object_set_new(row, members[i], both);
		json_object_set_new(
			row, members[i], json_pack("[I]", field_total(row, members[i])));
	}
	keep_time(row, refusal, "start", -1);
	keep_time(row, refusal, "end", 1);
}

/* Joining adds up: the order is made anew, stable for equal counts. */
static void insert_by_packets(json_t *rows, json_t *row)
{
	size_t i = json_array_size(rows);

	while (i > 0 &&
		field_sum(json_array_get(rows, i - 1), "packets") < field_sum(row, "packets"))
		i--;
	json_array_insert(rows, i, row);
}

static json_t *put_together(const json_t *refusals, char *(*key_of)(const json_t *refusal))
{
	_cleanup_json_ json_t *rows_by_key = json_object();
	const json_t *refusal;
	json_t *rows = json_array(), *row;
	const char *key;
	size_t i;

	json_array_foreach (refusals, i, refusal) {
		_cleanup_free_ char *text = key_of(refusal);

		row = json_object_get(rows_by_key, text);
		if (row)
			join(row, refusal);
		else
			json_object_set_new(rows_by_key, text, json_copy((json_t *)refusal));
	}
	json_object_foreach (rows_by_key, key, row) {
		insert_by_packets(rows, row);
	}
	return rows;
}

json_t *denied_fold(const json_t *refusals)
{
	return put_together(refusals, row_key);
}

static const char *address_outside(const json_t *end)
{
	bool is_known =
		*field_text(end, "workload") || strcmp(field_text(end, "entity"), "host") == 0;

	return is_known ? "" : field_text(end, "ip");
}

static char *party_key(const json_t *refusal)
{
	_cleanup_free_ char *row = row_key(refusal);

	return text_format("%s\n%s\n%s", row, address_outside(json_object_get(refusal, "source")),
		address_outside(json_object_get(refusal, "destination")));
}

json_t *denied_fold_parties(const json_t *refusals)
{
	return put_together(refusals, party_key);
}

/* What the agent counts apart. */
static char *exact_key(const json_t *refusal)
{
	_cleanup_free_ char *row = row_key(refusal);

	return text_format("%s\n%s\n%s", row, field_text(json_object_get(refusal, "source"), "ip"),
		field_text(json_object_get(refusal, "destination"), "ip"));
}

/* A refusal has no time and no event of its own, and its port stands beside its ends. A record that
 * somebody else wrote may lack an end. */
static json_t *to_refusal(const json_t *record)
{
	static const char *const own[] = {
		"schema", "time", "event", "id", "interface", "tcp_flags"};
	json_t *refusal = must(json_copy((json_t *)record));
	json_t *source = json_object_get(record, "source");

	for (size_t i = 0; i < ARRAY_SIZE(own); i++)
		json_object_del(refusal, own[i]);
	if (source) {
		source = must(json_copy(source));
		json_object_del(source, "port");
		json_object_set_new(refusal, "source", source);
	}
	json_object_set(
		refusal, "port", json_object_get(json_object_get(record, "destination"), "port"));
	return refusal;
}

json_t *denied_gather(const json_t *records)
{
	_cleanup_json_ json_t *refusals = must(json_array());
	const json_t *record;
	size_t i;

	json_array_foreach (records, i, record) {
		/* Gaps pass every filter. */
		if (strcmp(field_text(record, "event"), "gap") != 0)
			json_array_append_new(refusals, to_refusal(record));
	}
	return put_together(refusals, exact_key);
}
