/* SPDX-License-Identifier: GPL-2.0-or-later */
/* segctl policy lint: every mistake of every file, with its place. */
#include "client.h"
#include "command.h"
#include "output.h"
#include "sources.h"
#include "text.h"

static json_t *to_json(const struct diagnostics *diagnostics)
{
	json_t *list = must(json_array());

	for (size_t i = 0; i < diagnostics->count; i++) {
		const struct diagnostic *item = &diagnostics->items[i];

		json_array_append_new(list,
			json_pack("{s:s, s:s, s:s, s:i, s:i, s:s}", "severity",
				item->severity == DIAGNOSTIC_ERROR ? "error" : "warning", "code",
				item->code, "file", item->location.file ? item->location.file : "",
				"line", (int)item->location.line, "column",
				(int)item->location.column, "message", item->message));
	}
	return must(json_pack("{s:o, s:I, s:I}", "diagnostics", list, "errors",
		(json_int_t)diagnostics->errors, "omitted", (json_int_t)diagnostics->omitted));
}

static void summarize(const struct document_list *list, const struct diagnostics *diagnostics)
{
	_cleanup_free_ char *documents = NULL, *errors = NULL, *warnings = NULL;
	size_t warnings_count = diagnostics->count + diagnostics->omitted - diagnostics->errors;

	documents = output_plural((double)list->count, "document", "documents");
	errors = output_plural((double)diagnostics->errors, "error", "errors");
	warnings = output_plural((double)warnings_count, "warning", "warnings");
	if (diagnostics->errors)
		printf("%s, %s\n", errors, warnings);
	else
		printf("%s, no errors, %s\n", documents, warnings_count ? warnings : "no warnings");
}

int policy_lint_run(struct settings *settings, int argc, char **argv)
{
	struct diagnostics diagnostics = DIAGNOSTICS_INIT;
	_cleanup_documents_ struct document_list list = {0};
	_cleanup_sources_ struct sources sources = {0};
	struct argp argp = sources_argp;
	int code;

	argp.doc =
		"Checks policies, Pods and Namespaces in files and prints every mistake with file, line "
		"and column. Needs neither an agent nor root. Exit status 1: there are errors "
		"(warnings alone are none).";
	settings_parse(settings, &argp, OUTPUT_TABLE | OUTPUT_JSON, argc, argv, &sources);
	code = sources_read(settings, &sources, &list, &diagnostics);
	if (settings->output == OUTPUT_JSON) {
		_cleanup_json_ json_t *json = to_json(&diagnostics);

		output_json(json);
	} else {
		diagnostics_print(&diagnostics, stderr);
		summarize(&list, &diagnostics);
	}
	diagnostics_clear(&diagnostics);
	return code < 0 ? EXIT_NO : EXIT_YES;
}
