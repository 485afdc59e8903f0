/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "listing.h"

#include "client.h"
#include "csv.h"
#include "filter.h"
#include "output.h"
#include "record.h"
#include "stream.h"
#include "text.h"

struct arguments {
	struct filter filter;
	bool follow;
};

static const struct argp_option options[] = {
	{"follow", 'f', NULL, 0, "Go on with what happens from now, until interrupted", 0},
	{0},
};

static error_t parse(int key, char *argument, struct argp_state *state)
{
	struct arguments *arguments = state->input;

	(void)argument;
	switch (key) {
	case ARGP_KEY_INIT:
		state->child_inputs[0] = &arguments->filter;
		return 0;
	case 'f':
		arguments->follow = true;
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static const struct argp_child children[] = {{&filter_argp, 0, NULL, 0}, {0}};

static void print_jsonl(const json_t *items)
{
	const json_t *item;
	size_t i;

	json_array_foreach (items, i, item) {
		json_dumpf(item, stdout, JSON_COMPACT);
		putchar('\n');
	}
}

static void print_csv(const json_t *items)
{
	const json_t *item;
	size_t i;

	csv_print_heading();
	json_array_foreach (items, i, item) {
		csv_print_record(item);
	}
}

static void print_table(
	const struct listing *listing, const struct settings *settings, json_t *items)
{
	bool wide = settings->output == OUTPUT_WIDE;
	_cleanup_table_ struct table *table =
		table_new(settings, wide && listing->wide ? listing->wide : listing->columns);
	_cleanup_json_ json_t *folded = NULL;
	const json_t *item;
	size_t i;

	if (listing->explain && wide)
		listing->explain(settings, items);
	if (listing->fold && settings->output == OUTPUT_TABLE)
		folded = listing->fold(items);
	json_array_foreach (folded ? folded : items, i, item) {
		listing->add_row(table, settings, item);
	}
	table_print(table);
}

/* "no denied flows; 3 policies enforce 12 workloads" */
static void print_none(struct client *client, const struct listing *listing, bool filtered)
{
	_cleanup_free_ char *policies = NULL, *workloads = NULL;
	_cleanup_json_ json_t *status = NULL;

	if (filtered) {
		printf("no %s match these filters\n", listing->none);
		return;
	}
	if (client_get(client, "/v1/status", &status, NULL) < 0) {
		printf("no %s\n", listing->none);
		return;
	}
	policies = output_plural(
		field_number(status, "policies"), "policy enforces", "policies enforce");
	workloads = output_plural(field_number(status, "workloads"), "workload", "workloads");
	printf("no %s; %s %s\n", listing->none, policies, workloads);
}

static int list(
	const struct listing *listing, const struct settings *settings, const struct filter *filter)
{
	_cleanup_client_ struct client *client = client_new(settings->socket_path);
	_cleanup_error_ struct error error = ERROR_INIT;
	_cleanup_json_ json_t *answer = NULL;
	json_t *items;
	double gaps;

	if (client_get(client, filter->url, &answer, &error) < 0)
		return report(settings, &error);
	items = json_object_get(answer, listing->member);
	gaps = field_number(answer, "gaps");
	if (settings->output == OUTPUT_JSON)
		output_json(answer);
	else if (settings->output == OUTPUT_JSONL)
		print_jsonl(items);
	else if (settings->output == OUTPUT_CSV)
		print_csv(items);
	else if (json_array_size(items) == 0)
		print_none(client, listing, filter_is_set(filter));
	else
		print_table(listing, settings, items);
	if (gaps > 0 && settings->output != OUTPUT_JSON) {
		_cleanup_free_ char *text = output_plural(gaps, "gap", "gaps");

		fflush(stdout);
		fprintf(stderr, "%s: %s: records were lost because too many came at once\n",
			settings->program, text);
	}
	return EXIT_YES;
}

int listing_run(const struct listing *listing, struct settings *settings, int argc, char **argv)
{
	const struct argp argp = {
		.options = options, .parser = parse, .children = children, .doc = listing->doc};
	struct arguments arguments = {0};
	int code;

	filter_init(&arguments.filter, listing->path);
	settings_parse(settings, &argp,
		OUTPUT_TABLE | OUTPUT_WIDE | OUTPUT_JSON | OUTPUT_JSONL | OUTPUT_CSV, argc, argv,
		&arguments);
	code = arguments.follow ? stream_run(settings, &arguments.filter.url)
				: list(listing, settings, &arguments.filter);
	filter_clear(&arguments.filter);
	return code;
}
