/* SPDX-License-Identifier: GPL-2.0-or-later */
/* segctl denied: what was refused, how often, since when, and by which rule. */
#include "client.h"
#include "clock.h"
#include "command.h"
#include "denied_nearest.h"
#include "listing.h"
#include "output.h"
#include "record.h"
#include "text.h"

#include <string.h>

static const struct table_column columns[] = {
	{"FROM", TABLE_SHRINK},
	{"TO", TABLE_SHRINK},
	{"PORT", 0},
	{"PACKETS", TABLE_RIGHT},
	{"FIRST", 0},
	{"LAST", 0},
	{"BECAUSE", TABLE_NOTE},
	{0},
};

static const struct table_column wide[] = {
	{"FROM", TABLE_SHRINK},
	{"TO", TABLE_SHRINK},
	{"PORT", 0},
	{"PACKETS", TABLE_RIGHT},
	{"FIRST", 0},
	{"LAST", 0},
	{"BECAUSE", 0},
	{"NEAREST", TABLE_NOTE},
	{0},
};

static void add_row(struct table *table, const struct settings *settings, const json_t *refusal)
{
	_cleanup_free_ char *why = record_why(refusal);
	const char *direction = field_text(refusal, "direction");

	table_row(table);
	table_cell(table, TABLE_BAD, record_end(json_object_get(refusal, "source")));
	table_cell(table, TABLE_BAD, record_end(json_object_get(refusal, "destination")));
	table_cell(table, TABLE_PLAIN, record_port(refusal));
	table_count(table, field_sum(refusal, "packets"));
	table_cell(table, TABLE_PLAIN, clock_format_cell(settings, field_text(refusal, "start")));
	table_cell(table, TABLE_PLAIN, clock_format_cell(settings, field_text(refusal, "end")));
	table_cell(
		table, TABLE_PLAIN, text_format("%s%s%s", direction, *direction ? ": " : "", why));
	if (settings->output == OUTPUT_WIDE)
		table_cell_text(table, TABLE_PLAIN, field_text(refusal, "nearest"));
}

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
	double packets = field_sum(row, "packets") + field_sum(refusal, "packets");

	json_object_set_new(row, "packets", json_pack("[I]", (json_int_t)packets));
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

static json_t *fold(const json_t *refusals)
{
	_cleanup_json_ json_t *rows_by_key = json_object();
	const json_t *refusal;
	json_t *rows = json_array(), *row;
	const char *key;
	size_t i;

	json_array_foreach (refusals, i, refusal) {
		_cleanup_free_ char *text = row_key(refusal);

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

static const struct listing listing = {
	.path = "/v1/denied",
	.member = "denied",
	.doc = "Shows who was refused what, how many packets, and the rule that refused them, or that "
	       "no rule of a policy allows it. Most packets first; refusals that differ by address "
	       "only are one row, and rows of their own with -o wide, which also shows the rule that "
	       "came nearest to allowing it, and what it lacked.",
	.columns = columns,
	.wide = wide,
	.explain = denied_nearest_add,
	.fold = fold,
	.add_row = add_row,
	.none = "denied flows",
};

int denied_run(struct settings *settings, int argc, char **argv)
{
	return listing_run(&listing, settings, argc, argv);
}
