/* SPDX-License-Identifier: GPL-2.0-or-later */
/* segctl policy apply: files to the agent, all of them or none. */
#include "bundle.h"
#include "client.h"
#include "clock.h"
#include "command.h"
#include "output.h"
#include "record.h"
#include "sources.h"
#include "text.h"
#include "url.h"

#include <ctype.h>

enum {
	KEY_DRY_RUN = 0x600
};

struct arguments {
	struct sources sources;
	bool dry_run;
};

static const struct argp_option options[] = {
	{"dry-run", KEY_DRY_RUN, NULL, 0, "Let the agent check, but change nothing", 0},
	{0},
};

static error_t parse(int key, char *argument, struct argp_state *state)
{
	struct arguments *arguments = state->input;

	(void)argument;
	switch (key) {
	case ARGP_KEY_INIT:
		state->child_inputs[0] = &arguments->sources;
		return 0;
	case KEY_DRY_RUN:
		arguments->dry_run = true;
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

static int refused(const struct settings *settings, const struct bundle *bundle,
	const struct client_reply *reply, struct error *error)
{
	bundle_print_diagnostics(bundle, json_object_get(reply->body, "diagnostics"));
	error_context(error, error->code, "nothing was applied");
	return report(settings, error);
}

static int apply(const struct settings *settings, const struct document_list *list, bool dry_run)
{
	_cleanup_client_ struct client *client = client_new(settings->socket_path);
	_cleanup_bundle_ struct bundle bundle = {0};
	_cleanup_free_ char *url = text_format("/v1/policies?dry_run=%d", dry_run);
	_cleanup_error_ struct error error = ERROR_INIT;
	_cleanup_json_ json_t *answer = NULL;
	struct client_reply reply;
	const json_t *applied;
	size_t i;

	bundle_new(list, &bundle);
	url_query(&url, "file", bundle.file);
	if (client_call(client, "POST", url, bundle.text, &reply, &error) < 0)
		return report(settings, &error);
	answer = reply.body;
	if (client_reply_check(&reply, &error) < 0)
		return refused(settings, &bundle, &reply, &error);
	bundle_print_diagnostics(&bundle, json_object_get(answer, "diagnostics"));
	if (settings->output == OUTPUT_JSON) {
		output_json(answer);
		return EXIT_YES;
	}
	json_array_foreach (json_object_get(answer, "applied"), i, applied) {
		print_change(settings, applied);
	}
	if (dry_run)
		puts("dry run: nothing was changed");
	else
		print_summary(answer);
	return EXIT_YES;
}

int policy_apply_run(struct settings *settings, int argc, char **argv)
{
	_cleanup_documents_ struct document_list list = {0};
	struct arguments arguments = {0};
	int code;

	settings_parse(settings, &argp, OUTPUT_TABLE | OUTPUT_JSON, argc, argv, &arguments);
	code = sources_load(settings, &arguments.sources, "nothing was applied", &list);
	if (code == EXIT_YES)
		code = apply(settings, &list, arguments.dry_run);
	sources_clear(&arguments.sources);
	return code;
}
