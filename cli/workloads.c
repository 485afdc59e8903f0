/* SPDX-License-Identifier: GPL-2.0-or-later */
/* segctl workloads: who runs on this node. */
#include "client.h"
#include "clock.h"
#include "command.h"
#include "output.h"
#include "record.h"
#include "text.h"

#include <string.h>

static const struct argp_option options[] = {
	{"namespace", 'n', "NAME", 0, "Only this namespace", 1},
	{0},
};

static error_t parse(int key, char *argument, struct argp_state *state)
{
	const char **namespace = state->input;

	if (key != 'n')
		return ARGP_ERR_UNKNOWN;
	*namespace = argument;
	return 0;
}

static const struct argp argp = {
	.options = options,
	.parser = parse,
	.doc = "Lists the containers and network namespaces that the agent knows on this node, and the "
	       "policies that bind them.",
};

static const struct table_column columns[] = {
	{"WORKLOAD", TABLE_SHRINK},
	{"ENFORCED", 0},
	{"ADDRESSES", TABLE_SHRINK},
	{"LABELS", TABLE_SHRINK},
	{0},
};

static const struct table_column wide_columns[] = {
	{"WORKLOAD", 0},
	{"ENFORCED", 0},
	{"ADDRESSES", 0},
	{"INGRESS", 0},
	{"EGRESS", 0},
	{"SOURCE", 0},
	{"ID", 0},
	{"IMAGE", 0},
	{"INTERFACES", 0},
	{"STARTED", 0},
	{"LABELS", 0},
	{0},
};

/* "a, b" of one member of each interface. */
static char *of_interfaces(const json_t *workload, const char *member)
{
	const json_t *interfaces = json_object_get(workload, "interfaces"), *interface, *value;
	_cleanup_json_ json_t *all = must(json_array());
	size_t i;

	json_array_foreach (interfaces, i, interface) {
		value = json_object_get(interface, member);
		if (json_is_array(value))
			json_array_extend(all, (json_t *)value);
		else if (json_is_string(value))
			json_array_append(all, (json_t *)value);
	}
	return record_list(all);
}

static void add_row(struct table *table, const struct settings *settings, const json_t *workload)
{
	const json_t *policies = json_object_get(workload, "policies");
	bool enforced = json_is_true(json_object_get(workload, "enforced"));
	bool quarantined = json_is_object(json_object_get(workload, "quarantine"));

	table_row(table);
	table_cell(table, TABLE_PLAIN, record_name(workload));
	table_cell_text(table,
		!enforced     ? TABLE_WARNING
		: quarantined ? TABLE_BAD
			      : TABLE_GOOD,
		!enforced     ? "no"
		: quarantined ? "quarantined"
			      : "yes");
	table_cell(table, TABLE_PLAIN, of_interfaces(workload, "addresses"));
	if (settings->output == OUTPUT_WIDE) {
		table_cell_text(table, TABLE_PLAIN, field_text(policies, "ingress"));
		table_cell_text(table, TABLE_PLAIN, field_text(policies, "egress"));
		table_cell_text(table, TABLE_PLAIN, field_text(workload, "source"));
		table_cell(table, TABLE_PLAIN, text_format("%.12s", field_text(workload, "id")));
		table_cell_text(table, TABLE_PLAIN, field_text(workload, "image"));
		table_cell(table, TABLE_PLAIN, of_interfaces(workload, "name"));
		table_cell(table, TABLE_PLAIN,
			clock_format_cell(settings, field_text(workload, "started")));
	}
	table_cell(table, TABLE_PLAIN, record_labels(json_object_get(workload, "labels")));
}

/* Drops the workloads of other namespaces from the answer. */
static void keep_namespace(json_t *answer, const char *namespace)
{
	json_t *workloads = json_object_get(answer, "workloads");

	for (size_t i = json_array_size(workloads); namespace && i-- > 0;)
		if (strcmp(field_text(json_array_get(workloads, i), "namespace"), namespace) != 0)
			json_array_remove(workloads, i);
}

int workloads_run(struct settings *settings, int argc, char **argv)
{
	_cleanup_client_ struct client *client = NULL;
	_cleanup_json_ json_t *answer = NULL;
	_cleanup_table_ struct table *table = NULL;
	_cleanup_error_ struct error error = ERROR_INIT;
	const json_t *workloads, *workload;
	const char *namespace = NULL;
	size_t i;

	settings_parse(
		settings, &argp, OUTPUT_TABLE | OUTPUT_WIDE | OUTPUT_JSON, argc, argv, &namespace);
	client = client_new(settings->socket_path);
	if (client_get(client, "/v1/workloads", &answer, &error) < 0)
		return report(settings, &error);
	keep_namespace(answer, namespace);
	workloads = json_object_get(answer, "workloads");
	if (settings->output == OUTPUT_JSON) {
		output_json(answer);
		return EXIT_YES;
	}
	if (json_array_size(workloads) == 0) {
		puts(namespace ? "no workloads in this namespace"
			       : "no workloads; 'segctl status' says where the agent looks for them");
		return EXIT_YES;
	}
	table = table_new(settings, settings->output == OUTPUT_WIDE ? wide_columns : columns);
	json_array_foreach (workloads, i, workload) {
		add_row(table, settings, workload);
	}
	table_print(table);
	return EXIT_YES;
}
