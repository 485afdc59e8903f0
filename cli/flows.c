/* SPDX-License-Identifier: GPL-2.0-or-later */
/* segctl flows: connections, allowed and refused, newest last. */
#include "clock.h"
#include "command.h"
#include "listing.h"
#include "output.h"
#include "record.h"
#include "text.h"

#include <string.h>

static const struct table_column columns[] = {
	{"TIME", 0},
	{"FROM", TABLE_SHRINK},
	{"TO", TABLE_SHRINK},
	{"PORT", 0},
	{"VERDICT", 0},
	{"EVENT", 0},
	{"PACKETS", TABLE_RIGHT},
	{"BECAUSE", TABLE_NOTE},
	{0},
};

static void add_gap(struct table *table, const struct settings *settings, const json_t *record)
{
	table_cell(table, TABLE_PLAIN, clock_format_cell(settings, field_text(record, "time")));
	for (int i = 0; i < 4; i++)
		table_cell_text(table, TABLE_PLAIN, "");
	table_cell_text(table, TABLE_WARNING, "gap");
	table_cell_text(table, TABLE_PLAIN, "");
	table_cell(table, TABLE_WARNING,
		text_format("%.0f records were lost here", field_number(record, "lost")));
}

static void add_row(struct table *table, const struct settings *settings, const json_t *record)
{
	const char *verdict = field_text(record, "verdict");

	table_row(table);
	if (strcmp(field_text(record, "event"), "gap") == 0) {
		add_gap(table, settings, record);
		return;
	}
	table_cell(table, TABLE_PLAIN, clock_format_cell(settings, field_text(record, "time")));
	table_cell(table, TABLE_PLAIN, record_end(json_object_get(record, "source")));
	table_cell(table, TABLE_PLAIN, record_end(json_object_get(record, "destination")));
	table_cell(table, TABLE_PLAIN, record_port(record));
	table_cell_text(table, record_color(verdict), verdict);
	table_cell_text(table, TABLE_PLAIN, field_text(record, "event"));
	table_count(table, field_sum(record, "packets"));
	table_cell(table, TABLE_PLAIN, record_why(record));
}

static const struct listing listing = {
	.path = "/v1/flows",
	.member = "flows",
	.doc = "Shows the last connections of this node's workloads, allowed and refused, newest last, "
	       "with the rule that decided each.",
	.columns = columns,
	.add_row = add_row,
	.none = "flows yet",
};

int flows_run(struct settings *settings, int argc, char **argv)
{
	return listing_run(&listing, settings, argc, argv);
}
