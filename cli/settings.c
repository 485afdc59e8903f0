/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "settings.h"

#include "base/cleanup.h"
#include "text.h"

#include <errno.h>
#include <stdarg.h>
#include <string.h>
#include <sys/ioctl.h>

enum key {
	KEY_SOCKET = 0x100,
	KEY_UTC,
	KEY_NO_COLOR,
};

/* One group behind the command's own options. */
#define GROUP 100

static const struct argp_option common_options[] = {
	{NULL, 0, NULL, 0, "Options of every command:", GROUP},
	{"socket", KEY_SOCKET, "PATH", 0,
		"Socket of the agent (or SEGD_SOCKET; default " SETTINGS_SOCKET_DEFAULT ")", GROUP},
	{"utc", KEY_UTC, NULL, 0, "Times in UTC instead of local time", GROUP},
	{"no-color", KEY_NO_COLOR, NULL, 0, "No colours (or NO_COLOR in the environment)", GROUP},
	{"help", 'h', NULL, 0, "Say what this command does, and how", GROUP},
	{"version", 'V', NULL, 0, "Print the version", GROUP},
	{0},
};

static const struct argp_option output_options[] = {
	{"output", 'o', "FORMAT", 0, "How to print the answer", GROUP - 1},
	{0},
};

static const char *const output_names[] = {"table", "wide", "json", "jsonl", "yaml", "csv", "dot",
	"mermaid", "junit", "tap", "html", "ocsf", "ecs"};

struct parse {
	struct settings *settings;
	const struct argp *argp;
	void *input;
	unsigned int outputs;
	bool leading; /* stop at the first word that is no option */
	bool silent;  /* and at what is wrong, without a word */
	int word;     /* its index */
};

void settings_init(struct settings *settings)
{
	const char *environment = getenv("SEGD_SOCKET"), *columns = getenv("COLUMNS");
	const char *no_color = getenv("NO_COLOR"), *terminal = getenv("TERM");
	struct winsize size;

	*settings = (struct settings){
		.program = "segctl",
		.socket_path = environment && *environment ? environment : SETTINGS_SOCKET_DEFAULT,
		.output = OUTPUT_TABLE,
	};
	settings->color = isatty(STDOUT_FILENO) && !(no_color && *no_color) &&
			  !(terminal && strcmp(terminal, "dumb") == 0);
	if (columns && atoi(columns) > 0)
		settings->width = (size_t)atoi(columns);
	else if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0)
		settings->width = size.ws_col;
}

void usage_error(const struct settings *settings, const char *format, ...)
{
	va_list arguments;

	fflush(stdout);
	fprintf(stderr, "%s: ", settings->program);
	va_start(arguments, format);
	vfprintf(stderr, format, arguments);
	va_end(arguments);
	fprintf(stderr, "; see '%s --help'\n", settings->program);
	exit(EXIT_USAGE);
}

int report(const struct settings *settings, const struct error *error)
{
	fflush(stdout);
	fprintf(stderr, "%s: %s\n", settings->program, error_message(error));
	return error->code == -ENOTCONN ? EXIT_UNREACHABLE : EXIT_NO;
}

/* "table, json or csv" */
static char *list_outputs(unsigned int outputs)
{
	char *list = NULL;
	FILE *stream = must(open_memstream(&list, &(size_t){0}));
	bool first = true;

	for (size_t i = 0; i < ARRAY_SIZE(output_names); i++) {
		unsigned int bit = 1u << i;

		if (!(outputs & bit))
			continue;
		fprintf(stream, "%s%s",
			first                ? ""
			: outputs < bit << 1 ? " or "
					     : ", ",
			output_names[i]);
		first = false;
	}
	fclose(stream);
	return must(list);
}

static void set_output(const struct parse *parse, const char *name)
{
	struct settings *settings = parse->settings;
	_cleanup_free_ char *list = list_outputs(parse->outputs);

	for (size_t i = 0; i < ARRAY_SIZE(output_names); i++) {
		if (strcmp(name, output_names[i]) != 0 || !(parse->outputs & 1u << i))
			continue;
		settings->output = (enum output)(1u << i);
		if (settings->output == OUTPUT_WIDE)
			settings->width = 0;
		return;
	}
	usage_error(settings, "-o %s is not offered here, choose %s", name, list);
}

static error_t parse_common(int key, char *argument, struct argp_state *state)
{
	struct parse *parse = state->input;
	struct settings *settings = parse->settings;

	switch (key) {
	case ARGP_KEY_INIT:
		state->child_inputs[0] = parse->input;
		if (parse->outputs)
			state->child_inputs[1] = parse;
		/* getopt's own line says what is wrong; without this argp adds a second one. */
		state->err_stream = NULL;
		return 0;
	case ARGP_KEY_ARG:
		if (!parse->leading)
			return ARGP_ERR_UNKNOWN;
		parse->word = state->next - 1;
		state->next = state->argc;
		return 0;
	case KEY_SOCKET:
		settings->socket_path = argument;
		return 0;
	case KEY_UTC:
		settings->utc = true;
		return 0;
	case KEY_NO_COLOR:
		settings->color = false;
		return 0;
	case 'h':
		argp_state_help(state, stdout, ARGP_HELP_STD_HELP);
		return 0;
	case 'V':
		printf("segctl %s\n", SEGD_VERSION);
		exit(EXIT_YES);
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static error_t parse_output(int key, char *argument, struct argp_state *state)
{
	if (key != 'o')
		return ARGP_ERR_UNKNOWN;
	set_output(state->input, argument);
	return 0;
}

/* Puts the formats that this command offers into the help of -o, and drops argp's footnote. */
static char *filter_help(int key, const char *text, void *input)
{
	const struct parse *parse = input;
	_cleanup_free_ char *list = NULL;

	if (key == ARGP_KEY_HELP_DUP_ARGS_NOTE)
		return NULL;
	if (key != 'o' || !parse)
		return (char *)text;
	list = list_outputs(parse->outputs);
	return text_format("%s: %s", text, list);
}

static int parse_words(struct parse *parse, int argc, char **argv)
{
	static const struct argp output_argp = {
		.options = output_options,
		.parser = parse_output,
		.help_filter = filter_help,
	};
	const struct argp_child children[] = {
		{parse->argp, 0, NULL, 0}, {parse->outputs ? &output_argp : NULL, 0, NULL, 0}, {0}};
	const struct argp argp = {
		.options = common_options,
		.parser = parse_common,
		.children = children,
		.help_filter = filter_help,
	};
	unsigned int flags = ARGP_NO_HELP | (parse->leading ? ARGP_IN_ORDER : 0u) |
			     (parse->silent ? ARGP_SILENT : 0u);
	int next = argc;

	parse->settings->program = argv[0];
	parse->word = argc;
	if (argp_parse(&argp, argc, argv, flags, &next, parse) != 0 && !parse->silent)
		exit(EXIT_USAGE);
	return next;
}

void settings_parse(struct settings *settings, const struct argp *argp, unsigned int outputs,
	int argc, char **argv, void *input)
{
	struct parse parse = {
		.settings = settings, .argp = argp, .input = input, .outputs = outputs};
	int next;

	if (outputs)
		settings->output = (enum output)(outputs & -outputs);
	next = parse_words(&parse, argc, argv);
	if (next < argc)
		usage_error(settings, "unexpected argument '%s'", argv[next]);
}

int settings_parse_leading(
	struct settings *settings, const struct argp *argp, int argc, char **argv)
{
	struct parse parse = {.settings = settings, .argp = argp, .leading = true};

	parse_words(&parse, argc, argv);
	return parse.word;
}

int settings_find_word(const struct settings *settings, int argc, char **argv)
{
	static const struct argp no_argp = {0};
	struct settings ignored = *settings;
	struct parse parse = {
		.settings = &ignored, .argp = &no_argp, .leading = true, .silent = true};

	parse_words(&parse, argc, argv);
	return parse.word;
}
