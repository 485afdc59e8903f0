/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "alert_table.h"

#include "alert_text.h"
#include "clock.h"
#include "record.h"
#include "text.h"

static const struct table_column columns[] = {
	{"ID", 0},
	{"LAST", 0},
	{"SEVERITY", 0},
	{"DETECTOR", 0},
	{"ACTOR", TABLE_SHRINK},
	{"TARGET", TABLE_SHRINK},
	{"STATE", 0},
	{"WHAT", TABLE_NOTE},
	{0},
};

static const struct table_column wide[] = {
	{"ID", 0},
	{"FIRST", 0},
	{"LAST", 0},
	{"SEVERITY", 0},
	{"DETECTOR", 0},
	{"ACTOR", 0},
	{"TARGET", 0},
	{"COUNT", TABLE_RIGHT},
	{"STATE", 0},
	{"INCIDENT", 0},
	{"TECHNIQUE", 0},
	{"WHAT", 0},
	{"WHY", TABLE_NOTE},
	{0},
};

static void add_row(struct table *table, const struct settings *settings, const json_t *alert)
{
	const char *severity = field_text(alert, "severity");
	bool all = settings->output == OUTPUT_WIDE;

	table_row(table);
	table_cell_text(table, TABLE_PLAIN, field_text(alert, "id"));
	if (all)
		table_cell(table, TABLE_PLAIN,
			clock_format_moment(settings, field_text(alert, "first")));
	table_cell(table, TABLE_PLAIN, clock_format_moment(settings, field_text(alert, "last")));
	table_cell_text(table, alert_color(severity), severity);
	table_cell_text(table, TABLE_PLAIN, field_text(alert, "detector"));
	table_cell_text(table, TABLE_PLAIN, alert_party(json_object_get(alert, "actor")));
	table_cell_text(table, TABLE_PLAIN, alert_party(json_object_get(alert, "target")));
	if (all)
		table_count(table, field_number(alert, "count"));
	table_cell_text(table, TABLE_PLAIN, alert_state(alert));
	if (all) {
		table_cell_text(table, TABLE_PLAIN, field_text(alert, "incident"));
		table_cell(
			table, TABLE_PLAIN, alert_technique(json_object_get(alert, "technique")));
	}
	table_cell_text(table, TABLE_PLAIN, field_text(alert, "sentence"));
	if (all)
		table_cell_text(table, TABLE_PLAIN, field_text(alert, "because"));
}

void alert_table_print(const struct settings *settings, const json_t *alerts)
{
	_cleanup_table_ struct table *table =
		table_new(settings, settings->output == OUTPUT_WIDE ? wide : columns);
	const json_t *alert;
	size_t i;

	json_array_foreach (alerts, i, alert) {
		add_row(table, settings, alert);
	}
	table_print(table);
}
