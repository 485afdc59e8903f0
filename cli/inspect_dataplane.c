/* SPDX-License-Identifier: GPL-2.0-or-later */
/* segctl inspect dataplane: what is in the tables that packets are judged by. */
#include "client.h"
#include "command.h"
#include "dataplane_views.h"
#include "output.h"
#include "record.h"
#include "text.h"
#include "url.h"

#include <errno.h>
#include <string.h>

#define LIMIT_DEFAULT 1000

struct arguments {
	const char *table;
	const char *workload;
	const char *port;
	size_t limit; /* 0: none */
};

/* What has been read so far. */
struct reading {
	const struct settings *settings;
	size_t limit;
	json_t *entries; /* jsonl prints each at once instead */
	size_t printed;
	bool cut; /* there is more than the limit */
};

static const struct argp_option options[] = {
	{"workload", 'w', "NAME", 0, "Only what belongs to this workload", 1},
	{"port", 'p', "PORT", 0, "Only this destination port (connections, denials)", 1},
	{"limit", 'l', "N", 0, "At most so many entries, 1000 unless given; 0: all", 1},
	{0},
};

static error_t parse(int key, char *argument, struct argp_state *state)
{
	struct arguments *arguments = state->input;
	char *end;

	switch (key) {
	case 'w':
		arguments->workload = argument;
		return 0;
	case 'p':
		arguments->port = argument;
		return 0;
	case 'l':
		errno = 0;
		arguments->limit = strtoul(argument, &end, 10);
		if (errno || end == argument || *end || *argument == '-')
			argp_error(state, "--limit: '%s' is no number", argument);
		return 0;
	case ARGP_KEY_ARG:
		if (arguments->table)
			return ARGP_ERR_UNKNOWN;
		arguments->table = argument;
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

/* --- without a table: how full each is ----------------------------------------------------------
 */

static const struct table_column fill_columns[] = {
	{"TABLE", 0},
	{"USED", TABLE_RIGHT},
	{"OF", TABLE_RIGHT},
	{"FULL", TABLE_RIGHT},
	{"WHAT IT IS", TABLE_NOTE},
	{0},
};

/* Of a table of entries, or of what these refer to. */
static const char *summary_of(const char *name)
{
	static const struct {
		const char *name, *summary;
	} others[] = {
		{"peer_tables", "a workload's policies in one direction (see peers)"},
		{"port_tables", "what a class of peers gets (see ports)"},
		{"elements", "elements of maps that change (see addresses)"},
	};
	const struct dataplane_view *view = dataplane_view_find(name);

	for (size_t i = 0; i < ARRAY_SIZE(others); i++)
		if (strcmp(others[i].name, name) == 0)
			return others[i].summary;
	return view ? view->summary : "";
}

static void add_fill(struct table *table, const char *name, const json_t *usage)
{
	double used = field_number(usage, "used"), size = field_number(usage, "size");

	table_row(table);
	table_cell_text(table, TABLE_PLAIN, name);
	table_cell(table, TABLE_PLAIN, text_format("%.0f", used));
	table_cell(table, TABLE_PLAIN, size > 0 ? text_format("%.0f", size) : text_format("-"));
	table_cell(table, used > size * 0.8 && size > 0 ? TABLE_WARNING : TABLE_PLAIN,
		size > 0 ? text_format("%.0f %%", used * 100 / size) : text_format("-"));
	table_cell_text(table, TABLE_PLAIN, summary_of(name));
}

static int show_fill(const struct settings *settings, struct client *client)
{
	_cleanup_table_ struct table *table = table_new(settings, fill_columns);
	_cleanup_error_ struct error error = ERROR_INIT;
	_cleanup_json_ json_t *status = NULL;
	json_t *tables, *usage;
	const char *name;

	if (client_get(client, "/v1/status", &status, &error) < 0)
		return report(settings, &error);
	tables = json_object_get(json_object_get(status, "plane"), "tables");
	if (settings->output & (OUTPUT_JSON | OUTPUT_JSONL)) {
		output_json(tables);
		return EXIT_YES;
	}
	json_object_foreach (tables, name, usage) {
		add_fill(table, name, usage);
	}
	table_print(table);
	return EXIT_YES;
}

/* --- a table ------------------------------------------------------------------------------------
 */

static void take_entry(struct reading *reading, json_t *entry)
{
	if (reading->limit && reading->printed == reading->limit) {
		reading->cut = true;
		return;
	}
	reading->printed++;
	if (reading->settings->output != OUTPUT_JSONL) {
		json_array_append(reading->entries, entry);
		return;
	}
	output_json_line(entry);
}

static char *page_url(const struct arguments *arguments, const char *after)
{
	char *url = text_format("/v1/dataplane");

	url_segment(&url, arguments->table);
	if (arguments->workload)
		url_query(&url, "workload", arguments->workload);
	if (arguments->port)
		url_query(&url, "port", arguments->port);
	if (after)
		url_query(&url, "after", after);
	return url;
}

/* Page by page: a table may have a million entries, of which a filter leaves three. */
static int read_pages(struct client *client, const struct arguments *arguments,
	struct reading *reading, struct error *error)
{
	_cleanup_free_ char *after = NULL;

	do {
		_cleanup_free_ char *url = page_url(arguments, after);
		_cleanup_json_ json_t *page = NULL;
		json_t *entry;
		size_t i;
		int r = client_get(client, url, &page, error);

		if (r < 0)
			return r;
		json_array_foreach (json_object_get(page, "entries"), i, entry) {
			take_entry(reading, entry);
		}
		free(after);
		after = *field_text(page, "next") ? text_format("%s", field_text(page, "next"))
						  : NULL;
	} while (after && !reading->cut);
	return 0;
}

struct row {
	const json_t *entry;
};

static int by_number(const void *a, const void *b, void *key)
{
	double first = field_number(((const struct row *)a)->entry, key);
	double second = field_number(((const struct row *)b)->entry, key);

	return (first > second) - (first < second);
}

static void print_table(
	const struct settings *settings, const struct dataplane_view *view, const json_t *entries)
{
	_cleanup_table_ struct table *table = table_new(settings, view->columns);
	size_t count = json_array_size(entries);
	_cleanup_free_ struct row *rows = must(calloc(count + 1, sizeof(*rows)));

	for (size_t i = 0; i < count; i++)
		rows[i].entry = json_array_get(entries, i);
	if (view->sort)
		qsort_r(rows, count, sizeof(*rows), by_number, (void *)view->sort);
	for (size_t i = 0; i < count; i++)
		view->add_row(table, settings, rows[i].entry);
	table_print(table);
}

static int show_table(const struct settings *settings, const struct arguments *arguments,
	const struct dataplane_view *view, struct client *client)
{
	_cleanup_json_ json_t *entries = must(json_array());
	_cleanup_error_ struct error error = ERROR_INIT;
	struct reading reading = {
		.settings = settings, .limit = arguments->limit, .entries = entries};

	if (read_pages(client, arguments, &reading, &error) < 0)
		return report(settings, &error);
	if (settings->output == OUTPUT_JSON) {
		_cleanup_json_ json_t *whole = must(json_pack("{s:s, s:O, s:b}", "table",
			view->name, "entries", entries, "cut", (int)reading.cut));

		output_json(whole);
	} else if (settings->output != OUTPUT_JSONL && !reading.printed) {
		printf("no %s\n", view->name);
	} else if (settings->output != OUTPUT_JSONL) {
		print_table(settings, view, entries);
	}
	fflush(stdout);
	if (reading.cut)
		fprintf(stderr, "%s: these are the first %zu; --limit says how many\n",
			settings->program, reading.limit);
	return EXIT_YES;
}

static char *describe(int key, const char *text, void *input)
{
	char *list = NULL;
	FILE *stream;

	(void)input;
	if (key != ARGP_KEY_HELP_POST_DOC)
		return (char *)text;
	stream = must(open_memstream(&list, &(size_t){0}));
	fputs("Tables:\n", stream);
	for (const struct dataplane_view *view = dataplane_views; view->name; view++)
		fprintf(stream, "  %-14s %s\n", view->name, view->summary);
	fclose(stream);
	return must(list);
}

static const struct argp argp = {
	.options = options,
	.parser = parse,
	.args_doc = "[TABLE]",
	.doc = "Shows what is in a table that packets are judged by, with the names of workloads, "
	       "policies and rules; without a table, how full each is.\v",
	.help_filter = describe,
};

int inspect_dataplane_run(struct settings *settings, int argc, char **argv)
{
	struct arguments arguments = {.limit = LIMIT_DEFAULT};
	_cleanup_client_ struct client *client = NULL;
	const struct dataplane_view *view;

	settings_parse(settings, &argp, OUTPUT_TABLE | OUTPUT_WIDE | OUTPUT_JSON | OUTPUT_JSONL,
		argc, argv, &arguments);
	client = client_new(settings->socket_path);
	if (!arguments.table)
		return show_fill(settings, client);
	view = dataplane_view_find(arguments.table);
	if (!view)
		usage_error(settings, "no table '%s'", arguments.table);
	return show_table(settings, &arguments, view, client);
}
