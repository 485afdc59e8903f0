/* SPDX-License-Identifier: GPL-2.0-or-later */
/* segctl policy apply: files to the agent, all of them or none. */
#include "bundle.h"
#include "client.h"
#include "clock.h"
#include "command.h"
#include "output.h"
#include "policy_confirm.h"
#include "record.h"
#include "sources.h"
#include "text.h"
#include "url.h"

#include <ctype.h>
#include <string.h>
#include <unistd.h>

enum {
	KEY_DRY_RUN = 0x600,
	KEY_CONFIRM
};

struct arguments {
	struct sources sources;
	bool dry_run;
	const char *confirm_text;
	unsigned int confirm; /* seconds; 0: for good */
};

#define CONFIRM_SECONDS_MAX 86400UL

static const struct argp_option options[] = {
	{"dry-run", KEY_DRY_RUN, NULL, 0, "Let the agent check, but change nothing", 0},
	{"confirm", KEY_CONFIRM, "TIME", 0,
		"Roll back unless segctl policy confirm comes in time (60s, 5m, 1h)", 0},
	{0},
};

static error_t parse(int key, char *argument, struct argp_state *state)
{
	struct arguments *arguments = state->input;

	switch (key) {
	case ARGP_KEY_INIT:
		state->child_inputs[0] = &arguments->sources;
		return 0;
	case KEY_DRY_RUN:
		arguments->dry_run = true;
		return 0;
	case KEY_CONFIRM:
		arguments->confirm_text = argument;
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static const struct argp_child children[] = {{&sources_argp, 0, NULL, 0}, {0}};
static const struct argp argp = {
	.options = options,
	.parser = parse,
	.children = children,
	.doc = "Gives the policies in the files to the agent. All files are checked first; with any "
	       "mistake in any of them nothing changes. When it returns, the next packet obeys.",
};

static enum table_color change_color(const char *change)
{
	return *change == 'u' ? TABLE_PLAIN : TABLE_GOOD;
}

/* "segmentpolicy shop/db-from-api created" */
static void print_change(const struct settings *settings, const json_t *applied)
{
	const char *change = field_text(applied, "change");
	bool color = settings->color && change_color(change) == TABLE_GOOD;
	_cleanup_free_ char *name = record_name(applied);

	for (const char *kind = field_text(applied, "kind"); *kind; kind++)
		putchar(tolower((unsigned char)*kind));
	printf(" %s %s%s%s\n", name, color ? "\033[32m" : "", change, color ? "\033[0m" : "");
}

static void print_summary(const json_t *answer)
{
	_cleanup_free_ char *took = clock_duration(field_number(answer, "milliseconds") / 1000);
	_cleanup_free_ char *workloads =
		output_plural(field_number(answer, "workloads"), "workload", "workloads");

	printf("generation %.0f enforced on %s in %s\n", field_number(answer, "generation"),
		workloads, took);
}

static void print_diagnostics(const json_t *answer)
{
	const json_t *item;
	size_t i;

	json_array_foreach (json_object_get(answer, "diagnostics"), i, item) {
		fprintf(stderr, "%s:%.0f:%.0f: %s: %s [%s]\n", field_text(item, "file"),
			field_number(item, "line"), field_number(item, "column"),
			field_text(item, "severity"), field_text(item, "message"),
			field_text(item, "code"));
	}
}

static int refused(
	const struct settings *settings, const struct client_reply *reply, struct error *error)
{
	print_diagnostics(reply->body);
	/* Where more than the request is wrong, the agent says what holds now. */
	if (reply->status < 500)
		error_context(error, error->code, "nothing was applied");
	return report(settings, error);
}

/* On a terminal whoever applied is asked; elsewhere a second call has to come. */
static int await_decision(
	const struct settings *settings, struct client *client, const json_t *answer)
{
	double seconds = field_number(json_object_get(answer, "confirm"), "seconds_left");

	if (isatty(STDIN_FILENO) && isatty(STDOUT_FILENO))
		return policy_confirm_ask(settings, client, seconds);
	printf("to be rolled back in %.0f s unless you say: segctl policy confirm\n", seconds);
	return EXIT_YES;
}

static int apply(const struct settings *settings, const struct document_list *list,
	const struct arguments *arguments)
{
	_cleanup_client_ struct client *client = client_new(settings->socket_path);
	_cleanup_free_ char *body = bundle_encode(list);
	_cleanup_free_ char *url =
		text_format("/v1/policies?files=1&dry_run=%d", arguments->dry_run);
	_cleanup_error_ struct error error = ERROR_INIT;
	_cleanup_json_ json_t *answer = NULL;
	struct client_reply reply;
	const json_t *applied;
	size_t i;

	if (arguments->confirm) {
		_cleanup_free_ char *seconds = text_format("%u", arguments->confirm);

		url_query(&url, "confirm", seconds);
	}
	if (client_call(client, "POST", url, body, &reply, &error) < 0)
		return report(settings, &error);
	answer = reply.body;
	if (client_reply_check(&reply, &error) < 0)
		return refused(settings, &reply, &error);
	print_diagnostics(answer);
	if (settings->output == OUTPUT_JSON) {
		output_json(answer);
		return EXIT_YES;
	}
	json_array_foreach (json_object_get(answer, "applied"), i, applied) {
		print_change(settings, applied);
	}
	if (arguments->dry_run) {
		puts("dry run: nothing was changed");
		return EXIT_YES;
	}
	print_summary(answer);
	return arguments->confirm ? await_decision(settings, client, answer) : EXIT_YES;
}

int policy_apply_run(struct settings *settings, int argc, char **argv)
{
	_cleanup_documents_ struct document_list list = {0};
	struct arguments arguments = {0};
	int code;

	settings_parse(settings, &argp, OUTPUT_TABLE | OUTPUT_JSON, argc, argv, &arguments);
	if (arguments.confirm_text)
		arguments.confirm = (unsigned int)clock_parse_duration(
			arguments.confirm_text, CONFIRM_SECONDS_MAX);
	if (arguments.confirm_text && !arguments.confirm)
		usage_error(settings, "--confirm: '%s' is no time from 1s to 24h",
			arguments.confirm_text);
	code = sources_load(settings, &arguments.sources, "nothing was applied", &list);
	if (code == EXIT_YES)
		code = apply(settings, &list, &arguments);
	sources_clear(&arguments.sources);
	return code;
}
