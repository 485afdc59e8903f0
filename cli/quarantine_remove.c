/* SPDX-License-Identifier: GPL-2.0-or-later */
/* segctl quarantine remove: gives a workload back to its policies. */
#include "change.h"
#include "client.h"
#include "command.h"
#include "output.h"
#include "record.h"
#include "subject.h"
#include "text.h"
#include "url.h"

static void print_outcome(const struct settings *settings, const json_t *answer)
{
	_cleanup_free_ char *name = record_name(json_object_get(answer, "removed"));

	(void)settings;
	output_text(name);
	puts(" is out of quarantine");
}

int quarantine_remove_run(struct settings *settings, int argc, char **argv)
{
	_cleanup_free_ char *url = text_format("/v1/quarantine");
	struct subject subject = {.words_max = 1};
	struct argp argp = subject_argp;

	argp.doc =
		"Gives a workload back to its policies: what they allow passes at once. Exit status "
		"1: it was not in quarantine.";
	settings_parse(settings, &argp, OUTPUT_TABLE | OUTPUT_JSON, argc, argv, &subject);
	if (!subject.name)
		usage_error(settings, "say whose quarantine ends: WORKLOAD");
	url_segment(&url, subject.name);
	return change_run(settings, "DELETE", url, NULL, print_outcome);
}
