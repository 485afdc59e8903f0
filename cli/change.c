/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "change.h"

#include "client.h"
#include "output.h"
#include "text.h"

int change_run(const struct settings *settings, const char *method, const char *url,
	const json_t *wish, void (*print)(const struct settings *settings, const json_t *answer))
{
	_cleanup_client_ struct client *client = client_new(settings->socket_path);
	_cleanup_free_ char *body = wish ? must(json_dumps(wish, JSON_COMPACT)) : NULL;
	_cleanup_error_ struct error error = ERROR_INIT;
	_cleanup_json_ json_t *answer = NULL;
	struct client_reply reply;

	if (client_call(client, method, url, body, &reply, &error) < 0)
		return report(settings, &error);
	answer = reply.body;
	if (client_reply_check(&reply, &error) < 0)
		return report(settings, &error);
	if (settings->output == OUTPUT_JSON)
		output_json(answer);
	else
		print(settings, answer);
	return EXIT_YES;
}
