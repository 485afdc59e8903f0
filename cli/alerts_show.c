/* SPDX-License-Identifier: GPL-2.0-or-later */
/* segctl alerts show ID: everything about one alert, or about the story of an incident. */
#include "alert_text.h"
#include "client.h"
#include "clock.h"
#include "command.h"
#include "output.h"
#include "record.h"
#include "subject.h"
#include "text.h"

#include <string.h>

static const struct table_column columns[] = {
	{"TIME", 0},
	{"ALERT", 0},
	{"SEVERITY", 0},
	{"ACTOR", TABLE_SHRINK},
	{"TARGET", TABLE_SHRINK},
	{"TECHNIQUE", TABLE_SHRINK},
	{"WHAT", TABLE_NOTE},
	{0},
};

static void add_moment(struct table *table, const struct settings *settings, const json_t *moment)
{
	const char *severity = field_text(moment, "severity");
	const char *target = field_text(moment, "target");

	table_row(table);
	table_cell(table, TABLE_PLAIN, clock_format_moment(settings, field_text(moment, "first")));
	table_cell_text(table, TABLE_PLAIN, field_text(moment, "alert"));
	table_cell_text(table, alert_color(severity), severity);
	table_cell_text(table, TABLE_PLAIN, field_text(moment, "actor"));
	table_cell_text(table, TABLE_PLAIN, *target ? target : "many");
	table_cell(table, TABLE_PLAIN, alert_technique(json_object_get(moment, "technique")));
	table_cell_text(table, TABLE_PLAIN, field_text(moment, "sentence"));
}

static void print_time_line(const struct settings *settings, const json_t *incident)
{
	_cleanup_table_ struct table *table = table_new(settings, columns);
	const json_t *moment;
	size_t i;

	json_array_foreach (json_object_get(incident, "alerts"), i, moment) {
		add_moment(table, settings, moment);
	}
	table_print(table);
}

static void print_incident(const struct settings *settings, const json_t *incident)
{
	printf("incident %s\n", field_text(incident, "id"));
	output_property("severity", field_text(incident, "severity"));
	output_property("state", json_is_true(json_object_get(incident, "open")) ? "open" : "over");
	output_property_take("actors", record_list(json_object_get(incident, "actors")));
	output_property_take("first", clock_format(settings, field_text(incident, "first")));
	output_property_take("last", clock_format(settings, field_text(incident, "last")));
	output_heading(settings, "Time line");
	print_time_line(settings, incident);
}

static void print_party(const char *name, const json_t *party)
{
	_cleanup_free_ char *labels = record_labels(json_object_get(party, "labels"));
	const char *ip = field_text(party, "ip"), *id = field_text(party, "id");

	output_property_take(
		name, text_format("%s%s%s%s%s", alert_party(party),
			      *ip && strcmp(ip, id) != 0 ? ", " : "", strcmp(ip, id) != 0 ? ip : "",
			      *labels ? ", " : "", labels));
}

static void print_reactions(const struct settings *settings, const json_t *alert)
{
	const json_t *seen = json_object_get(alert, "acknowledged"), *value;
	json_t *response = json_object_get(alert, "response");
	const char *key;

	if (json_is_object(seen)) {
		_cleanup_free_ char *time = clock_format(settings, field_text(seen, "time"));
		const char *note = field_text(seen, "note");

		output_property_take(
			"acknowledged", text_format("by %s, %s%s%s", field_text(seen, "user"), time,
						*note ? ": " : "", note));
	}
	json_object_foreach (response, key, value) {
		output_property(key, json_is_string(value) ? json_string_value(value) : "");
	}
}

static void print_alert(const struct settings *settings, const json_t *alert)
{
	const json_t *evidence = json_object_get(alert, "evidence");
	_cleanup_free_ char *count = text_count(field_number(alert, "count"));

	printf("alert %s: ", field_text(alert, "id"));
	output_text(field_text(alert, "sentence"));
	putchar('\n');
	output_property_take("severity",
		text_format("%s: %s", field_text(alert, "severity"), field_text(alert, "because")));
	output_property_take("technique", alert_technique(json_object_get(alert, "technique")));
	output_property_take("detector",
		text_format("%s (%s)", field_text(alert, "detector"), field_text(alert, "key")));
	print_party("actor", json_object_get(alert, "actor"));
	print_party("target", json_object_get(alert, "target"));
	output_property_take("first", clock_format(settings, field_text(alert, "first")));
	output_property_take("last", clock_format(settings, field_text(alert, "last")));
	output_property("count", count);
	output_property("state", alert_state(alert));
	print_reactions(settings, alert);
	if (json_array_size(evidence)) {
		_cleanup_free_ char *flows =
			output_plural((double)json_array_size(evidence), "flow", "flows");

		output_property_take("evidence",
			text_format("%s: segctl flows --alert %s", flows, field_text(alert, "id")));
	}
}

int alerts_show_run(struct settings *settings, int argc, char **argv)
{
	struct subject subject = {.words_max = 1};
	_cleanup_json_ json_t *answer = NULL;
	struct argp argp = subject_argp;
	const json_t *alert, *incident;
	int code;

	argp.args_doc = "ID";
	argp.doc =
		"Shows one alert with its evidence, and the time line of the story that it belongs "
		"to; or that of an incident, whose id begins with an i.";
	settings_parse(settings, &argp, OUTPUT_TABLE | OUTPUT_JSON, argc, argv, &subject);
	if (!subject.name)
		usage_error(settings, "say which: ID, as segctl alerts lists it");
	code = subject_fetch(settings, &subject,
		subject.name[0] == 'i' ? "/v1/incidents" : "/v1/alerts", &answer);
	if (code != EXIT_YES)
		return code;
	if (settings->output == OUTPUT_JSON) {
		output_json(answer);
		return EXIT_YES;
	}
	alert = json_object_get(answer, "alert");
	incident = json_object_get(answer, "incident");
	if (alert)
		print_alert(settings, alert);
	if (alert && json_array_size(json_object_get(incident, "alerts")) > 1)
		putchar('\n');
	if (!alert || json_array_size(json_object_get(incident, "alerts")) > 1)
		print_incident(settings, incident);
	return EXIT_YES;
}
