/* SPDX-License-Identifier: GPL-2.0-or-later */
/* segctl baseline show [ROLE] and forget ROLE. */
#include "change.h"
#include "client.h"
#include "clock.h"
#include "command.h"
#include "output.h"
#include "record.h"
#include "table.h"
#include "text.h"
#include "url.h"

struct arguments {
	const char *role;
	bool all;
};

static const struct table_column roles[] = {
	{"ROLE", TABLE_SHRINK},
	{"EDGES", TABLE_RIGHT},
	{"FIRST", 0},
	{"LAST", 0},
	{"LEARNT", 0},
	{0},
};

static const struct table_column edges[] = {
	{"PEER", TABLE_SHRINK},
	{"SERVICE", 0},
	{"DAYS", TABLE_RIGHT},
	{"FIRST", 0},
	{"LAST", 0},
	{0},
};

static const struct argp_option forget_options[] = {
	{"all", 'a', NULL, 0, "What all roles learnt", 1},
	{0},
};

static error_t parse(int key, char *argument, struct argp_state *state)
{
	struct arguments *arguments = state->input;

	if (key == 'a') {
		arguments->all = true;
		return 0;
	}
	if (key != ARGP_KEY_ARG || arguments->role)
		return ARGP_ERR_UNKNOWN;
	arguments->role = argument;
	return 0;
}

static const struct argp show_argp = {
	.parser = parse,
	.args_doc = "[ROLE]",
	.doc = "Lists roles, with the time from which on what they never did is worth an alert; or what "
	       "ROLE is used to do. A role is namespace and application of a workload, by its labels.",
};

static const struct argp forget_argp = {
	.options = forget_options,
	.parser = parse,
	.args_doc = "[ROLE]",
	.doc = "Lets a role, or with --all every one, be learnt anew: its learning period begins with "
	       "its next connection.",
};

static char *role_url(const char *role)
{
	char *url = text_format("/v1/baseline");

	if (role)
		url_query(&url, "role", role);
	return url;
}

static void print_roles(const struct settings *settings, const json_t *list)
{
	_cleanup_table_ struct table *table = table_new(settings, roles);
	const json_t *role;
	size_t i;

	json_array_foreach (list, i, role) {
		bool learnt = json_is_true(json_object_get(role, "learnt"));

		table_row(table);
		table_cell_text(table, TABLE_PLAIN, field_text(role, "role"));
		table_count(table, field_number(role, "edges_count"));
		table_cell(
			table, TABLE_PLAIN, clock_format_cell(settings, field_text(role, "first")));
		table_cell(
			table, TABLE_PLAIN, clock_format_cell(settings, field_text(role, "last")));
		table_cell(table, learnt ? TABLE_GOOD : TABLE_WARNING,
			learnt ? text_format("yes")
			       : clock_format_cell(settings, field_text(role, "learnt_at")));
	}
	table_print(table);
}

static void print_edges(const struct settings *settings, const json_t *role)
{
	_cleanup_table_ struct table *table = table_new(settings, edges);
	const json_t *edge;
	size_t i;

	json_array_foreach (json_object_get(role, "edges"), i, edge) {
		table_row(table);
		table_cell_text(table, TABLE_PLAIN, field_text(edge, "peer"));
		table_cell_text(table, TABLE_PLAIN, field_text(edge, "service"));
		table_count(table, field_number(edge, "days"));
		table_cell(
			table, TABLE_PLAIN, clock_format_cell(settings, field_text(edge, "first")));
		table_cell(
			table, TABLE_PLAIN, clock_format_cell(settings, field_text(edge, "last")));
	}
	table_print(table);
}

int baseline_show_run(struct settings *settings, int argc, char **argv)
{
	_cleanup_client_ struct client *client = NULL;
	_cleanup_error_ struct error error = ERROR_INIT;
	_cleanup_json_ json_t *answer = NULL;
	_cleanup_free_ char *url = NULL;
	struct arguments arguments = {0};
	const json_t *list;

	settings_parse(settings, &show_argp, OUTPUT_TABLE | OUTPUT_WIDE | OUTPUT_JSON, argc, argv,
		&arguments);
	url = role_url(arguments.role);
	client = client_new(settings->socket_path);
	if (client_get(client, url, &answer, &error) < 0)
		return report(settings, &error);
	list = json_object_get(answer, "roles");
	if (settings->output == OUTPUT_JSON)
		output_json(answer);
	else if (!json_array_size(list))
		puts("nothing was learnt yet");
	else if (!arguments.role)
		print_roles(settings, list);
	else if (!json_array_size(json_object_get(json_array_get(list, 0), "edges")))
		puts("it calls nobody");
	else
		print_edges(settings, json_array_get(list, 0));
	return EXIT_YES;
}

static void print_forgotten(const struct settings *settings, const json_t *answer)
{
	_cleanup_free_ char *count =
		output_plural(field_number(answer, "forgotten"), "role is", "roles are");

	(void)settings;
	printf("%s learnt anew\n", count);
}

int baseline_forget_run(struct settings *settings, int argc, char **argv)
{
	_cleanup_free_ char *url = NULL;
	struct arguments arguments = {0};

	settings_parse(settings, &forget_argp, OUTPUT_TABLE | OUTPUT_JSON, argc, argv, &arguments);
	if (!arguments.role == !arguments.all)
		usage_error(settings, "say which: ROLE, or --all");
	url = role_url(arguments.role);
	return change_run(settings, "DELETE", url, NULL, print_forgotten);
}
