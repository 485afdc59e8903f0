/* SPDX-License-Identifier: GPL-2.0-or-later */
/* segctl alerts ack ID: somebody has seen it. */
#include "client.h"
#include "command.h"
#include "output.h"
#include "record.h"
#include "text.h"
#include "url.h"

struct arguments {
	const char *id;
	const char *note;
};

static const struct argp_option options[] = {
	{"note", 'n', "TEXT", 0, "What came of it, for whoever looks next", 1},
	{0},
};

static error_t parse(int key, char *argument, struct argp_state *state)
{
	struct arguments *arguments = state->input;

	if (key == 'n') {
		arguments->note = argument;
		return 0;
	}
	if (key != ARGP_KEY_ARG || arguments->id)
		return ARGP_ERR_UNKNOWN;
	arguments->id = argument;
	return 0;
}

static const struct argp argp = {
	.options = options,
	.parser = parse,
	.args_doc = "ID",
	.doc = "Says that an alert was seen: it is no longer listed by default, and what it was about "
	       "may become part of the baseline. It goes on counting.",
};

int alerts_ack_run(struct settings *settings, int argc, char **argv)
{
	_cleanup_free_ char *url = text_format("/v1/alerts"), *body = NULL;
	_cleanup_json_ json_t *wish = NULL, *answer = NULL;
	_cleanup_client_ struct client *client = NULL;
	_cleanup_error_ struct error error = ERROR_INIT;
	struct arguments arguments = {0};
	struct client_reply reply;

	settings_parse(settings, &argp, OUTPUT_TABLE | OUTPUT_JSON, argc, argv, &arguments);
	if (!arguments.id)
		usage_error(settings, "say which: ID, as segctl alerts lists it");
	url_segment(&url, arguments.id);
	url_segment(&url, "acknowledge");
	wish = must(json_pack("{s:s*}", "note", arguments.note));
	body = must(json_dumps(wish, JSON_COMPACT));
	client = client_new(settings->socket_path);
	if (client_call(client, "POST", url, body, &reply, &error) < 0)
		return report(settings, &error);
	answer = reply.body;
	if (client_reply_check(&reply, &error) < 0)
		return report(settings, &error);
	if (settings->output == OUTPUT_JSON)
		output_json(answer);
	else
		printf("alert %s is acknowledged\n", arguments.id);
	return EXIT_YES;
}
