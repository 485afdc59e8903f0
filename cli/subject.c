/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "subject.h"

#include "text.h"
#include "url.h"

static error_t parse(int key, char *argument, struct argp_state *state)
{
	struct subject *subject = state->input;

	if (key != ARGP_KEY_ARG || (subject->name && (subject->rest || subject->words_max < 2)))
		return ARGP_ERR_UNKNOWN;
	if (subject->name)
		subject->rest = argument;
	else
		subject->name = argument;
	return 0;
}

const struct argp subject_argp = {.parser = parse, .args_doc = "[NAMESPACE/]NAME"};

int subject_fetch(const struct settings *settings, const struct subject *subject, const char *path,
	json_t **ret)
{
	_cleanup_client_ struct client *client = client_new(settings->socket_path);
	_cleanup_free_ char *url = text_format("%s", path);
	_cleanup_error_ struct error error = ERROR_INIT;

	if (!subject->name)
		usage_error(settings, "say which: [NAMESPACE/]NAME");
	url_segment(&url, subject->name);
	if (client_get(client, url, ret, &error) < 0)
		return report(settings, &error);
	return EXIT_YES;
}
