/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "listing.h"

#include "client.h"
#include "empty.h"
#include "filter.h"
#include "lines.h"
#include "listing_log.h"
#include "output.h"
#include "record.h"
#include "stream.h"
#include "text.h"

enum {
	KEY_SUGGEST = 0x700,
};

struct arguments {
	const struct listing *listing;
	struct filter filter;
	struct log_files files;
	bool follow;
	bool suggest;
};

#define READ_HELP "Flow logs (files, a directory, -) instead of the agent"

static const struct argp_option options[] = {
	{"follow", 'f', NULL, 0, "Go on with what happens from now, until interrupted", 0},
	{"read", 'r', "PATH", 0, READ_HELP, 0},
	{0},
};

static const struct argp_option options_suggest[] = {
	{"follow", 'f', NULL, 0, "Go on with what happens from now, until interrupted", 0},
	{"read", 'r', "PATH", 0, READ_HELP, 0},
	{"suggest", KEY_SUGGEST, NULL, 0, "Print policies that would allow exactly this", 0},
	{0},
};

static error_t parse(int key, char *argument, struct argp_state *state)
{
	struct arguments *arguments = state->input;

	switch (key) {
	case ARGP_KEY_INIT:
		state->child_inputs[0] = &arguments->filter;
		return 0;
	case 'f':
		arguments->follow = true;
		return 0;
	case 'r':
		log_files_add(&arguments->files, argument);
		return 0;
	case KEY_SUGGEST:
		arguments->suggest = true;
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static void print_lines(const struct settings *settings, const json_t *items)
{
	const json_t *item;
	size_t i;

	lines_begin(settings);
	json_array_foreach (items, i, item) {
		lines_print(settings, item);
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

/* Gaps that stand among the records are in the table already. */
static void warn_of_gaps(const struct settings *settings, double gaps)
{
	_cleanup_free_ char *text = output_plural(gaps, "gap", "gaps");

	fflush(stdout);
	fprintf(stderr, "%s: %s: records were lost because too many came at once\n",
		settings->program, text);
}

/* client: NULL where the answer is not an agent's. */
static void print_answer(
	const struct arguments *arguments, struct client *client, const json_t *answer)
{
	const struct settings *settings = arguments->filter.settings;
	const struct listing *listing = arguments->listing;
	json_t *items = json_object_get(answer, listing->member);
	double gaps = field_number(answer, "gaps");

	if (settings->output == OUTPUT_JSON)
		output_json(answer);
	else if (settings->output & LINES_OUTPUTS)
		print_lines(settings, items);
	else if (json_array_size(items) == 0)
		empty_print(client, &arguments->filter, listing->none);
	else
		print_table(listing, settings, items);
	if (gaps > 0 && settings->output != OUTPUT_JSON)
		warn_of_gaps(settings, gaps);
}

void listing_print(const struct listing *listing, const struct filter *filter, const json_t *answer)
{
	const struct arguments arguments = {.listing = listing, .filter = *filter};

	print_answer(&arguments, NULL, answer);
}

static int suggest(const struct arguments *arguments, struct client *client, const json_t *answer)
{
	const json_t *items = json_object_get(answer, arguments->listing->member);

	if (json_array_size(items) == 0) {
		fputs("# ", stdout); /* it may be piped to an apply */
		empty_print(client, &arguments->filter, arguments->listing->none);
		return EXIT_NO;
	}
	return arguments->listing->suggest(arguments->filter.settings, items);
}

static int ask_agent(const struct arguments *arguments)
{
	const struct settings *settings = arguments->filter.settings;
	_cleanup_client_ struct client *client = client_new(settings->socket_path);
	_cleanup_error_ struct error error = ERROR_INIT;
	_cleanup_json_ json_t *answer = NULL;

	if (client_get(client, arguments->filter.url, &answer, &error) < 0)
		return report(settings, &error);
	if (arguments->suggest)
		return suggest(arguments, client, answer);
	print_answer(arguments, client, answer);
	return EXIT_YES;
}

static int read_logs(struct arguments *arguments)
{
	const struct settings *settings = arguments->filter.settings;
	const struct listing *listing = arguments->listing;
	_cleanup_json_ json_t *answer = NULL;
	int code;

	if (listing->verdict)
		filter_add(&arguments->filter, "verdict", listing->verdict);
	if (settings->output & LINES_OUTPUTS && !arguments->filter.limit && !listing->gather) {
		lines_begin(settings);
		return log_files_print(settings, &arguments->files, &arguments->filter);
	}
	code = log_files_collect(settings, &arguments->files, &arguments->filter, &answer);
	if (listing->gather)
		json_object_set_new(
			answer, listing->member, listing->gather(json_object_get(answer, "flows")));
	if (arguments->suggest) {
		int suggested = suggest(arguments, NULL, answer);

		/* What could not be read might have asked for more. */
		return code == EXIT_YES ? suggested : code;
	}
	print_answer(arguments, NULL, answer);
	return code;
}

static void check(const struct arguments *arguments)
{
	const struct settings *settings = arguments->filter.settings;

	if (arguments->follow && arguments->files.count)
		usage_error(settings, "--follow is of the agent, --read of files");
	if (arguments->filter.asks_agent && arguments->files.count)
		usage_error(settings, "--alert is of the agent, --read of files");
	/* The agent does not list single refusals. */
	if (arguments->listing->gather && arguments->filter.of_one && !arguments->follow &&
		!arguments->files.count)
		usage_error(settings, "--id is of one refusal, the agent lists sums of them: give "
				      "--follow or --read, too");
	if (arguments->follow && arguments->suggest)
		usage_error(settings, "--suggest is about what happened, not with --follow");
	if (arguments->suggest && settings->output != OUTPUT_TABLE)
		usage_error(settings, "--suggest prints YAML, leave out -o");
}

int listing_run(const struct listing *listing, struct settings *settings, int argc, char **argv)
{
	const struct argp_child children[] = {{listing->filters, 0, NULL, 0}, {0}};
	const struct argp argp = {.options = listing->suggest ? options_suggest : options,
		.parser = parse,
		.children = children,
		.doc = listing->doc};
	struct arguments arguments = {.listing = listing};
	int code;

	filter_init(&arguments.filter, settings, listing->path);
	settings_parse(settings, &argp, OUTPUT_TABLE | OUTPUT_WIDE | OUTPUT_JSON | LINES_OUTPUTS,
		argc, argv, &arguments);
	check(&arguments);
	if (arguments.follow)
		code = stream_run(settings, &arguments.filter.url);
	else if (arguments.files.count)
		code = read_logs(&arguments);
	else
		code = ask_agent(&arguments);
	log_files_clear(&arguments.files);
	filter_clear(&arguments.filter);
	return code;
}
