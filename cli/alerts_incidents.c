/* SPDX-License-Identifier: GPL-2.0-or-later */
/* segctl alerts incidents: the stories that alerts tell. */
#include "alert_text.h"
#include "client.h"
#include "clock.h"
#include "command.h"
#include "output.h"
#include "record.h"
#include "text.h"

#include <string.h>

static const struct argp argp = {
	.doc = "Lists stories, the latest last: all alerts about one actor, and about whoever he got "
	       "into, are one. What happened in it: segctl alerts show ID.",
};

static const struct table_column columns[] = {
	{"ID", 0},
	{"FIRST", 0},
	{"LAST", 0},
	{"SEVERITY", 0},
	{"STATE", 0},
	{"ALERTS", TABLE_RIGHT},
	{"ACTORS", TABLE_SHRINK},
	{"TACTICS", TABLE_NOTE},
	{0},
};

/* "Discovery, Lateral Movement", in the order in which they were seen first. */
static char *tactics(const json_t *incident)
{
	_cleanup_json_ json_t *seen = must(json_object()), *words = must(json_array());
	const json_t *moment;
	size_t i;

	json_array_foreach (json_object_get(incident, "alerts"), i, moment) {
		const char *tactic = field_text(json_object_get(moment, "technique"), "tactic");

		if (*tactic && !json_object_get(seen, tactic)) {
			json_object_set_new(seen, tactic, json_true());
			json_array_append_new(words, json_string(tactic));
		}
	}
	return record_list(words);
}

static void add_row(struct table *table, const struct settings *settings, const json_t *incident)
{
	const char *severity = field_text(incident, "severity");
	bool open = json_is_true(json_object_get(incident, "open"));

	table_row(table);
	table_cell_text(table, TABLE_PLAIN, field_text(incident, "id"));
	table_cell(
		table, TABLE_PLAIN, clock_format_moment(settings, field_text(incident, "first")));
	table_cell(table, TABLE_PLAIN, clock_format_moment(settings, field_text(incident, "last")));
	table_cell_text(table, alert_color(severity), severity);
	table_cell_text(table, TABLE_PLAIN, open ? "open" : "over");
	table_count(table, (double)json_array_size(json_object_get(incident, "alerts")));
	table_cell(table, TABLE_PLAIN, record_list(json_object_get(incident, "actors")));
	table_cell(table, TABLE_PLAIN, tactics(incident));
}

int alerts_incidents_run(struct settings *settings, int argc, char **argv)
{
	_cleanup_client_ struct client *client = NULL;
	_cleanup_table_ struct table *table = NULL;
	_cleanup_error_ struct error error = ERROR_INIT;
	_cleanup_json_ json_t *answer = NULL;
	const json_t *incidents, *incident;
	size_t i;

	settings_parse(settings, &argp, OUTPUT_TABLE | OUTPUT_WIDE | OUTPUT_JSON, argc, argv, NULL);
	client = client_new(settings->socket_path);
	if (client_get(client, "/v1/incidents", &answer, &error) < 0)
		return report(settings, &error);
	incidents = json_object_get(answer, "incidents");
	if (settings->output == OUTPUT_JSON) {
		output_json(answer);
		return EXIT_YES;
	}
	if (!json_array_size(incidents)) {
		puts("no incidents");
		return EXIT_YES;
	}
	table = table_new(settings, columns);
	json_array_foreach (incidents, i, incident) {
		add_row(table, settings, incident);
	}
	table_print(table);
	return EXIT_YES;
}
