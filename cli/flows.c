/* SPDX-License-Identifier: GPL-2.0-or-later */
/* segctl flows: connections, allowed and refused, newest last. */
#include "flows.h"

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
	{"PACKETS", TABLE_RIGHT},
	{"BECAUSE", TABLE_NOTE},
	{0},
};

static const struct table_column wide[] = {
	{"TIME", 0},
	{"FROM", 0},
	{"TO", 0},
	{"PORT", 0},
	{"VERDICT", 0},
	{"EVENT", 0},
	{"APPLICATION", 0},
	{"ROUND TRIP", TABLE_RIGHT},
	{"RESENT", TABLE_RIGHT},
	{"PACKETS", TABLE_RIGHT},
	{"BECAUSE", TABLE_NOTE},
	{0},
};

/* To the second, which is what records are told apart by. */
static char *time_of(const struct settings *settings, const json_t *record)
{
	const char *time = field_text(record, "time");

	return settings->width ? clock_format_moment(settings, time) : clock_format(settings, time);
}

static void add_gap(struct table *table, const struct settings *settings, const json_t *record)
{
	table_cell(table, TABLE_PLAIN, time_of(settings, record));
	for (int i = 0; i < 3; i++)
		table_cell_text(table, TABLE_PLAIN, "");
	table_cell_text(table, TABLE_WARNING, "gap");
	for (int i = 0; settings->output == OUTPUT_WIDE && i < 4; i++)
		table_cell_text(table, TABLE_PLAIN, "");
	table_cell_text(table, TABLE_PLAIN, "");
	table_cell(table, TABLE_WARNING,
		text_format("%.0f records were lost here", field_number(record, "lost")));
}

/* A refusal is an event of its own; a connection begins, goes on and ends. */
static char *note_of(const json_t *record)
{
	const char *event = field_text(record, "event");
	char *why = record_why(record), *note;

	if (strcmp(event, "denied") == 0)
		return why;
	note = text_format("%s: %s", event, why);
	free(why);
	return note;
}

/* "tls for api.example.org" */
static char *application_of(const json_t *record)
{
	const char *server = field_text(record, "server_name");

	return text_format(
		"%s%s%s", field_text(record, "application"), *server ? " for " : "", server);
}

/* As the client has it, who waits for it; else as the server has. */
static char *round_trip_of(const json_t *record)
{
	const json_t *pair = json_object_get(record, "round_trip_us");
	const json_t *time = json_array_get(pair, 0);

	if (!json_is_integer(time))
		time = json_array_get(pair, 1);
	return json_is_integer(time) ? text_format("%.3f ms", json_number_value(time) / 1000)
				     : text_format("%s", "");
}

static void add_measurements(struct table *table, const json_t *record)
{
	table_cell(table, TABLE_PLAIN, round_trip_of(record));
	if (json_object_get(record, "retransmissions"))
		table_count(table, field_sum(record, "retransmissions"));
	else
		table_cell_text(table, TABLE_PLAIN, "");
}

static void add_row(struct table *table, const struct settings *settings, const json_t *record)
{
	const char *verdict = field_text(record, "verdict");
	bool is_wide = settings->output == OUTPUT_WIDE;
	char *(*end_of)(const json_t *end) = is_wide ? record_end_full : record_end;

	table_row(table);
	if (strcmp(field_text(record, "event"), "gap") == 0) {
		add_gap(table, settings, record);
		return;
	}
	table_cell(table, TABLE_PLAIN, time_of(settings, record));
	table_cell(table, TABLE_PLAIN, end_of(json_object_get(record, "source")));
	table_cell(table, TABLE_PLAIN, end_of(json_object_get(record, "destination")));
	table_cell(table, TABLE_PLAIN, record_port(record));
	table_cell_text(table, record_color(verdict), verdict);
	if (is_wide) {
		table_cell_text(table, TABLE_PLAIN, field_text(record, "event"));
		table_cell(table, TABLE_PLAIN, application_of(record));
		add_measurements(table, record);
	}
	table_count(table, field_sum(record, "packets"));
	table_cell(table, TABLE_PLAIN, is_wide ? record_why(record) : note_of(record));
}

const struct listing flows_listing = {
	.path = "/v1/flows",
	.member = "flows",
	.doc = "Shows the last connections of this node's workloads, allowed and refused, newest last, "
	       "with the rule that decided each. -o ocsf and -o ecs print one event a line for "
	       "collectors: OCSF Network Activity, Elastic Common Schema. --pcap FILE reads packets "
	       "through policy, see 'segctl flows --pcap=FILE --help'.",
	.filters = &filter_flows_argp,
	.columns = columns,
	.wide = wide,
	.add_row = add_row,
	.none = "flows",
};

/* Other options belong to it, and -f names files there. */
static bool reads_packets(int argc, char **argv)
{
	for (int i = 1; i < argc; i++)
		if (strcmp(argv[i], "--pcap") == 0 || strncmp(argv[i], "--pcap=", 7) == 0)
			return true;
	return false;
}

int flows_run(struct settings *settings, int argc, char **argv)
{
	if (reads_packets(argc, argv))
		return flows_pcap_run(settings, argc, argv);
	return listing_run(&flows_listing, settings, argc, argv);
}
