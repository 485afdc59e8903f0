/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The map, and the difference of two, as tables. */
#include "map.h"

#include "clock.h"
#include "output.h"
#include "record.h"
#include "table.h"
#include "text.h"

#include <string.h>

static const struct table_column columns[] = {
	{"FROM", TABLE_SHRINK},
	{"TO", TABLE_SHRINK},
	{"PORT", 0},
	{"VERDICT", 0},
	{"CONNS", TABLE_RIGHT},
	{"PACKETS", TABLE_RIGHT},
	{"BYTES", TABLE_RIGHT},
	{"LAST", 0},
	{"BECAUSE", TABLE_NOTE},
	{0},
};

/* "shop/web", "shop/api (quarantined)" */
static char *name_of(const json_t *map, const char *id)
{
	const json_t *node;
	size_t i;

	json_array_foreach (json_object_get(map, "nodes"), i, node) {
		if (json_is_true(json_object_get(node, "quarantined")) &&
			strcmp(field_text(node, "id"), id) == 0)
			return text_format("%s (quarantined)", id);
	}
	return text_format("%s", id);
}

/* "tcp/443", "tcp/443 (tls)" */
static char *port_of(const json_t *edge)
{
	_cleanup_free_ char *port = record_port(edge);
	const char *application = field_text(edge, "application");

	return *application ? text_format("%s (%s)", port, application) : TAKE_PTR(port);
}

/* On a terminal a source is named once for all of its edges in a row; lines for other programs
 * stand for themselves. */
static void add_row(struct table *table, const struct settings *settings, const json_t *map,
	const json_t *edge, const json_t *before)
{
	const char *verdict = field_text(edge, "verdict"), *from = field_text(edge, "from");
	bool repeats = settings->width && before && strcmp(from, field_text(before, "from")) == 0;
	bool denied = record_color(verdict) == TABLE_BAD;

	table_row(table);
	table_cell(table, TABLE_PLAIN, repeats ? text_format(" ") : name_of(map, from));
	table_cell(table, TABLE_PLAIN, name_of(map, field_text(edge, "to")));
	table_cell(table, TABLE_PLAIN, port_of(edge));
	table_cell_text(table, record_color(verdict), verdict);
	table_count(table, field_number(edge, "connections"));
	table_count(table, field_sum(edge, "packets"));
	table_bytes(table, field_sum(edge, "bytes"));
	table_cell(table, TABLE_PLAIN, clock_format_cell(settings, field_text(edge, "end")));
	table_cell(table, TABLE_PLAIN, denied || !settings->width ? record_why(edge) : NULL);
}

void map_print_table(const struct settings *settings, const json_t *map)
{
	const json_t *edges = json_object_get(map, "edges");
	_cleanup_table_ struct table *table = table_new(settings, columns);

	for (size_t i = 0; i < json_array_size(edges); i++)
		add_row(table, settings, map, json_array_get(edges, i),
			i ? json_array_get(edges, i - 1) : NULL);
	table_print(table);
}

/* --- differences --------------------------------------------------------------------------------
 */

static const struct table_column diff_columns[] = {
	{"CHANGE", 0},
	{"FROM", TABLE_SHRINK},
	{"TO", TABLE_SHRINK},
	{"PORT", 0},
	{"VERDICT", 0},
	{"CONNS", TABLE_RIGHT},
	{"PACKETS", TABLE_RIGHT},
	{"LAST", 0},
	{"BECAUSE", TABLE_NOTE},
	{0},
};

static const char *word_for(const char *change)
{
	return strcmp(change, "added") == 0 ? "new" : change;
}

/* What decides now, and what did before. A line has room for one rule: where the verdict is the
 * same, what is told is the former rule. */
static char *change_text(const struct settings *settings, const json_t *edge)
{
	const json_t *before = json_object_get(edge, "before");
	const char *verdict = field_text(before, "verdict");
	char *why = record_why(edge), *text;
	_cleanup_free_ char *former = before ? record_why(before) : NULL;

	if (!before)
		return why;
	if (!settings->width)
		text = text_format("%s; was %s: %s", why, verdict, former);
	else if (strcmp(verdict, field_text(edge, "verdict")) != 0)
		text = text_format("%s; was %s", why, verdict);
	else
		text = text_format("was by %s", former);
	free(why);
	return text;
}

static void add_diff_row(
	struct table *table, const struct settings *settings, const json_t *map, const json_t *edge)
{
	const char *verdict = field_text(edge, "verdict"), *change = field_text(edge, "change");

	table_row(table);
	table_cell_text(table, TABLE_PLAIN, word_for(change));
	table_cell(table, TABLE_PLAIN, name_of(map, field_text(edge, "from")));
	table_cell(table, TABLE_PLAIN, name_of(map, field_text(edge, "to")));
	table_cell(table, TABLE_PLAIN, record_port(edge));
	table_cell_text(table, record_color(verdict), verdict);
	table_count(table, field_number(edge, "connections"));
	table_count(table, field_sum(edge, "packets"));
	table_cell(table, TABLE_PLAIN, clock_format_cell(settings, field_text(edge, "end")));
	table_cell(table, TABLE_PLAIN, change_text(settings, edge));
}

static char *interval_text(const struct settings *settings, const json_t *interval)
{
	_cleanup_free_ char *since = clock_format_moment(settings, field_text(interval, "since"));
	_cleanup_free_ char *until = clock_format_moment(settings, field_text(interval, "until"));

	return text_format("%s to %s", since, until);
}

/* What was compared, and what came of it. */
static void print_summary(const struct settings *settings, const json_t *diff)
{
	_cleanup_free_ char *after = interval_text(settings, json_object_get(diff, "after"));
	_cleanup_free_ char *before = interval_text(settings, json_object_get(diff, "before"));

	printf("after   %s\nbefore  %s\n%.0f new, %.0f gone, %.0f changed, %.0f as before\n", after,
		before, field_number(diff, "added"), field_number(diff, "gone"),
		field_number(diff, "changed"), field_number(diff, "same"));
	if (field_number(diff, "added") > 0 && field_number(diff, "gone") +
							       field_number(diff, "changed") +
							       field_number(diff, "same") ==
						       0)
		puts("nothing is known of the time before: no agent ran, or there was no traffic");
}

void map_print_diff(const struct settings *settings, const json_t *map)
{
	_cleanup_table_ struct table *table = table_new(settings, diff_columns);
	const json_t *edge;
	size_t i, rows = 0;

	print_summary(settings, json_object_get(map, "diff"));
	json_array_foreach (json_object_get(map, "edges"), i, edge) {
		if (strcmp(field_text(edge, "change"), "same") == 0)
			continue;
		add_diff_row(table, settings, map, edge);
		rows++;
	}
	if (rows) {
		putchar('\n');
		table_print(table);
	}
}
