/* SPDX-License-Identifier: GPL-2.0-or-later */
/* segctl alerts ack ID: somebody has seen it. */
#include "change.h"
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

static void print_outcome(const struct settings *settings, const json_t *answer)
{
	(void)settings;
	printf("alert %s is acknowledged\n", field_text(json_object_get(answer, "alert"), "id"));
}

int alerts_ack_run(struct settings *settings, int argc, char **argv)
{
	_cleanup_free_ char *url = text_format("/v1/alerts");
	_cleanup_json_ json_t *wish = NULL;
	struct arguments arguments = {0};

	settings_parse(settings, &argp, OUTPUT_TABLE | OUTPUT_JSON, argc, argv, &arguments);
	if (!arguments.id)
		usage_error(settings, "say which: ID, as segctl alerts lists it");
	url_segment(&url, arguments.id);
	url_segment(&url, "acknowledge");
	wish = must(json_pack("{s:s*}", "note", arguments.note));
	return change_run(settings, "POST", url, wish, print_outcome);
}
