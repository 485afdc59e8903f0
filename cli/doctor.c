/* SPDX-License-Identifier: GPL-2.0-or-later */
/* segctl doctor: what this node can do, what is wrong with it, and what to do about that. */
#include "client.h"
#include "command.h"
#include "output.h"
#include "record.h"
#include "text.h"

#include <errno.h>
#include <string.h>

static const struct argp_option options[] = {
	{"all", 'a', NULL, 0,
		"What is well, too: what the kernel can do, and what is attached where", 1},
	{0},
};

static error_t parse(int key, char *argument, struct argp_state *state)
{
	bool *all = state->input;

	(void)argument;
	if (key != 'a')
		return ARGP_ERR_UNKNOWN;
	*all = true;
	return 0;
}

static const struct argp argp = {
	.options = options,
	.parser = parse,
	.doc = "Has the agent look at its node: what the kernel can do, what is attached where and who "
	       "else is there, what the data plane in use cannot see, which workloads are not "
	       "enforced, and what to do about each. Exit code 0: neither a warning nor an error; 1: "
	       "there is one; 3: no agent answers ('segd --doctor' reports without one).",
};

static enum table_color level_color(const char *level)
{
	if (strcmp(level, "ok") == 0)
		return TABLE_GOOD;
	if (strcmp(level, "warning") == 0)
		return TABLE_WARNING;
	return strcmp(level, "error") == 0 ? TABLE_BAD : TABLE_PLAIN;
}

/* Sentences, not cells: a table would tear them apart. */
static void print_finding(const struct settings *settings, const json_t *finding)
{
	static const char *const colors[] = {[TABLE_PLAIN] = "",
		[TABLE_GOOD] = "\033[32m",
		[TABLE_WARNING] = "\033[33m",
		[TABLE_BAD] = "\033[31m"};
	const char *level = field_text(finding, "level"), *advice = field_text(finding, "advice");
	const char *color = settings->color ? colors[level_color(level)] : "";

	printf("  %s%-8s%s ", color, level, *color ? "\033[0m" : "");
	output_text(field_text(finding, "what"));
	putchar('\n');
	if (!*advice)
		return;
	printf("           %s ", output_arrow());
	output_text(advice);
	putchar('\n');
}

static void print_findings(const struct settings *settings, const json_t *report, bool all)
{
	const char *area = "";
	const json_t *finding;
	size_t i;

	json_array_foreach (json_object_get(report, "findings"), i, finding) {
		if (!all && strcmp(field_text(finding, "level"), "ok") == 0)
			continue;
		if (strcmp(area, field_text(finding, "area")) != 0) {
			area = field_text(finding, "area");
			output_heading(settings, area);
		}
		print_finding(settings, finding);
	}
}

static void print_sum(const json_t *report, bool all)
{
	const json_t *counts = json_object_get(report, "counts");
	_cleanup_free_ char *errors =
		output_plural(field_number(counts, "error"), "error", "errors");
	_cleanup_free_ char *warnings =
		output_plural(field_number(counts, "warning"), "warning", "warnings");
	_cleanup_free_ char *notes = output_plural(field_number(counts, "note"), "note", "notes");

	printf("\n%s, %s, %s; %.0f checks are fine%s\n", errors, warnings, notes,
		field_number(counts, "ok"), all ? "" : " (--all shows them)");
}

/* The one thing that the agent cannot see. */
static bool same_version(const struct settings *settings, const json_t *report)
{
	const char *version = field_text(report, "version");

	if (strcmp(version, SEGD_VERSION) == 0)
		return true;
	fflush(stdout);
	fprintf(stderr,
		"%s: warning: segd is version %s and segctl " SEGD_VERSION
		"; install both from one build, then systemctl restart segd\n",
		settings->program, version);
	return false;
}

int doctor_run(struct settings *settings, int argc, char **argv)
{
	_cleanup_client_ struct client *client = NULL;
	_cleanup_error_ struct error error = ERROR_INIT;
	_cleanup_json_ json_t *report_of_agent = NULL;
	bool all = false, healthy;
	int code;

	settings_parse(settings, &argp, OUTPUT_TABLE | OUTPUT_JSON, argc, argv, &all);
	client = client_new(settings->socket_path);
	code = client_get(client, "/v1/doctor", &report_of_agent, &error);
	if (code == -ENOTCONN)
		error_set(&error, code, "%s; 'segd --doctor' looks at the node without an agent",
			error_message(&error));
	if (code < 0)
		return report(settings, &error);
	if (settings->output == OUTPUT_JSON) {
		output_json(report_of_agent);
	} else {
		print_findings(settings, report_of_agent, all);
		print_sum(report_of_agent, all);
	}
	healthy = json_is_true(json_object_get(report_of_agent, "healthy"));
	return same_version(settings, report_of_agent) && healthy ? EXIT_YES : EXIT_NO;
}
