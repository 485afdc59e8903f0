/* SPDX-License-Identifier: GPL-2.0-or-later */
/* segctl denied: what was refused, how often, since when, and by which rule. */
#include "clock.h"
#include "command.h"
#include "denied_fold.h"
#include "denied_nearest.h"
#include "denied_suggest.h"
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
	char *(*end_of)(const json_t *end) =
		settings->output == OUTPUT_WIDE ? record_end_full : record_end;

	table_row(table);
	table_cell(table, TABLE_BAD, end_of(json_object_get(refusal, "source")));
	table_cell(table, TABLE_BAD, end_of(json_object_get(refusal, "destination")));
	table_cell(table, TABLE_PLAIN, record_port(refusal));
	table_count(table, field_sum(refusal, "packets"));
	table_cell(table, TABLE_PLAIN, clock_format_cell(settings, field_text(refusal, "start")));
	table_cell(table, TABLE_PLAIN, clock_format_cell(settings, field_text(refusal, "end")));
	table_cell(
		table, TABLE_PLAIN, text_format("%s%s%s", direction, *direction ? ": " : "", why));
	if (settings->output == OUTPUT_WIDE)
		table_cell_text(table, TABLE_PLAIN, field_text(refusal, "nearest"));
}

static const struct listing listing = {
	.path = "/v1/denied",
	.member = "denied",
	.doc = "Shows who was refused what, how many packets, and the rule that refused them, or that "
	       "no rule of a policy allows it. Most packets first; refusals that differ by address "
	       "only are one row, and rows of their own with -o wide, which also shows the rule that "
	       "came nearest to allowing it, and what it lacked. --suggest prints the shortest "
	       "policies that would allow it, ready for 'segctl policy apply -f -'.",
	.filters = &filter_records_argp,
	.columns = columns,
	.wide = wide,
	.explain = denied_nearest_add,
	.suggest = denied_suggest,
	.verdict = "denied",
	.gather = denied_gather,
	.fold = denied_fold,
	.add_row = add_row,
	.none = "denied flows",
};

int denied_run(struct settings *settings, int argc, char **argv)
{
	return listing_run(&listing, settings, argc, argv);
}
