/* SPDX-License-Identifier: GPL-2.0-or-later */
/* segctl policy lint: every mistake of every file, and what is legal but surely not meant. */
#include "client.h"
#include "command.h"
#include "offline.h"
#include "output.h"
#include "policies/lint.h"
#include "text.h"

enum {
	KEY_STRICT = 0x600
};

struct arguments {
	struct offline_options offline;
	bool strict;
};

static const struct argp_option options[] = {
	{"strict", KEY_STRICT, NULL, 0, "Warnings count as errors for the exit status", 1},
	{0},
};

static error_t parse(int key, char *argument, struct argp_state *state)
{
	struct arguments *arguments = state->input;

	(void)argument;
	switch (key) {
	case ARGP_KEY_INIT:
		state->child_inputs[0] = &arguments->offline;
		return 0;
	case KEY_STRICT:
		arguments->strict = true;
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static const struct argp_child children[] = {{&offline_argp, 0, NULL, 0}, {0}};
static const struct argp argp = {
	.options = options,
	.parser = parse,
	.children = children,
	.doc = "Checks policies, Pods and Namespaces in files and prints every mistake with file, "
	       "line and column; then what is legal but surely not meant, such as a selector that "
	       "matches no workload or a rule that another one shadows. With files needs neither "
	       "an agent nor root; with --agent they are held against its workloads and policies. "
	       "A comment \"# lint: ignore CODE\" silences a warning. Exit status 1: there are "
	       "errors (with --strict, or warnings).",
};

static size_t count_warnings(const struct diagnostics *diagnostics)
{
	return diagnostics->count + diagnostics->omitted - diagnostics->errors;
}

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
	return must(json_pack("{s:o, s:I, s:I, s:I}", "diagnostics", list, "errors",
		(json_int_t)diagnostics->errors, "warnings",
		(json_int_t)count_warnings(diagnostics), "omitted",
		(json_int_t)diagnostics->omitted));
}

static void summarize(const struct document_list *list, const struct diagnostics *diagnostics)
{
	_cleanup_free_ char *documents = NULL, *errors = NULL, *warnings = NULL;
	size_t warnings_count = count_warnings(diagnostics);

	documents = output_plural((double)list->count, "document", "documents");
	errors = output_plural((double)diagnostics->errors, "error", "errors");
	warnings = output_plural((double)warnings_count, "warning", "warnings");
	if (diagnostics->errors)
		printf("%s, %s\n", errors, warnings);
	else
		printf("%s, no errors, %s\n", documents, warnings_count ? warnings : "no warnings");
}

/* What is not meant can be told only of documents that are whole. list: of the files; becomes the
 * agent's where there are no files. */
static int find_unmeant(const struct settings *settings, const struct offline_options *choice,
	struct document_list *list, struct diagnostics *diagnostics, struct error *error)
{
	_cleanup_offline_ struct offline offline = {0};
	struct lint_input input = {.documents = &offline.documents, .concerned = list};
	int r;

	if (documents_copy(list, &offline.documents) < 0)
		return error_nomem(error);
	r = offline_resolve(settings, choice, &offline, error);
	if (r < 0)
		return r;
	if (!choice->sources.count && documents_copy(&offline.documents, list) < 0)
		return error_nomem(error);
	input.model = offline.model;
	input.ir = offline.ir;
	lint(&input, diagnostics);
	lint_ignore(list, diagnostics);
	diagnostics_sort(diagnostics);
	return 0;
}

static void print(const struct settings *settings, const struct document_list *list,
	const struct diagnostics *diagnostics)
{
	_cleanup_json_ json_t *json = NULL;

	if (settings->output == OUTPUT_JSON) {
		json = to_json(diagnostics);
		output_json(json);
		return;
	}
	diagnostics_print(diagnostics, stderr);
	summarize(list, diagnostics);
}

static int run(const struct settings *settings, const struct arguments *arguments)
{
	struct diagnostics diagnostics = DIAGNOSTICS_INIT;
	_cleanup_documents_ struct document_list list = {0};
	_cleanup_error_ struct error error = ERROR_INIT;
	int code = 0, status;

	if (arguments->offline.sources.count)
		code = sources_read(settings, &arguments->offline.sources, &list, &diagnostics);
	if (code == 0 &&
		find_unmeant(settings, &arguments->offline, &list, &diagnostics, &error) < 0) {
		diagnostics_print(&diagnostics, stderr);
		status = report(settings, &error);
	} else {
		print(settings, &list, &diagnostics);
		status = code < 0 || (arguments->strict && diagnostics.count) ? EXIT_NO : EXIT_YES;
	}
	diagnostics_clear(&diagnostics);
	return status;
}

int policy_lint_run(struct settings *settings, int argc, char **argv)
{
	struct arguments arguments = {.offline.settings = settings};
	int status;

	settings_parse(settings, &argp, OUTPUT_TABLE | OUTPUT_JSON, argc, argv, &arguments);
	status = run(settings, &arguments);
	sources_clear(&arguments.offline.sources);
	return status;
}
