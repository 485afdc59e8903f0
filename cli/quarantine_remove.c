/* SPDX-License-Identifier: GPL-2.0-or-later */
/* segctl quarantine remove: gives a workload back to its policies. */
#include "client.h"
#include "command.h"
#include "output.h"
#include "record.h"
#include "subject.h"
#include "text.h"
#include "url.h"

int quarantine_remove_run(struct settings *settings, int argc, char **argv)
{
	_cleanup_free_ char *url = text_format("/v1/quarantine"), *name = NULL;
	_cleanup_client_ struct client *client = NULL;
	_cleanup_error_ struct error error = ERROR_INIT;
	_cleanup_json_ json_t *answer = NULL;
	struct subject subject = {.words_max = 1};
	struct argp argp = subject_argp;
	struct client_reply reply;

	argp.doc =
		"Gives a workload back to its policies: what they allow passes at once. Exit status "
		"1: it was not in quarantine.";
	settings_parse(settings, &argp, OUTPUT_TABLE | OUTPUT_JSON, argc, argv, &subject);
	if (!subject.name)
		usage_error(settings, "say whose quarantine ends: WORKLOAD");
	url_segment(&url, subject.name);
	client = client_new(settings->socket_path);
	if (client_call(client, "DELETE", url, NULL, &reply, &error) < 0)
		return report(settings, &error);
	answer = reply.body;
	if (client_reply_check(&reply, &error) < 0)
		return report(settings, &error);
	if (settings->output == OUTPUT_JSON) {
		output_json(answer);
		return EXIT_YES;
	}
	name = record_name(json_object_get(answer, "removed"));
	output_text(name);
	puts(" is out of quarantine");
	return EXIT_YES;
}
