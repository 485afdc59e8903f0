/* SPDX-License-Identifier: GPL-2.0-or-later */
/* segctl policy get: the policies that the agent has. */
#include "client.h"
#include "command.h"
#include "object.h"
#include "output.h"
#include "record.h"
#include "text.h"

#include <string.h>

static const struct table_column columns[] = {
	{"KIND", 0},
	{"NAME", TABLE_SHRINK},
	{"WORKLOADS", TABLE_RIGHT},
	{"FROM FILE", TABLE_SHRINK},
	{0},
};

static void print_table(const struct settings *settings, const json_t *policies)
{
	_cleanup_table_ struct table *table = table_new(settings, columns);
	const json_t *policy;
	size_t i;

	json_array_foreach (policies, i, policy) {
		const json_t *source = json_object_get(policy, "source");

		table_row(table);
		table_cell_text(table, TABLE_PLAIN, field_text(policy, "kind"));
		table_cell(table, TABLE_PLAIN, record_name(policy));
		table_cell(
			table, TABLE_PLAIN, text_format("%.0f", field_number(policy, "subjects")));
		table_cell(table, TABLE_PLAIN,
			*field_text(source, "file")
				? text_format("%s:%.0f", field_text(source, "file"),
					  field_number(source, "line"))
				: text_format("-"));
	}
	table_print(table);
}

static void print_yaml(const json_t *policies)
{
	const json_t *policy;
	size_t i;

	json_array_foreach (policies, i, policy) {
		const char *text = field_text(policy, "text");
		size_t length = strlen(text);

		/* As it was written, comments included: it can be applied again. */
		printf("%s%s%s", i ? "---\n" : "", text,
			length && text[length - 1] != '\n' ? "\n" : "");
	}
}

static void keep_matching(json_t *policies, const struct object *object)
{
	for (size_t i = json_array_size(policies); i-- > 0;) {
		const json_t *policy = json_array_get(policies, i);

		if (!object_matches(object, field_text(policy, "kind"),
			    field_text(policy, "namespace"), field_text(policy, "name")))
			json_array_remove(policies, i);
	}
}

static int print_none(const struct settings *settings, const struct object *object)
{
	if (object->name) {
		fprintf(stderr, "%s: the agent has no %s '%s'%s%s\n", settings->program,
			document_kind_name(object->kind), object->name,
			object->namespace ? " in namespace " : "",
			object->namespace ? object->namespace : "");
		return EXIT_NO;
	}
	if (settings->output == OUTPUT_TABLE)
		puts(object_is_set(object)
				? "no such policies"
				: "no policies; 'segctl policy apply -f PATH' gives some");
	return EXIT_YES;
}

int policy_get_run(struct settings *settings, int argc, char **argv)
{
	_cleanup_client_ struct client *client = NULL;
	_cleanup_json_ json_t *answer = NULL;
	_cleanup_error_ struct error error = ERROR_INIT;
	_cleanup_object_ struct object object = {.settings = settings};
	struct argp argp = object_argp;
	json_t *policies;

	argp.args_doc = "[KIND [NAME]]";
	argp.doc =
		"Lists the policies that the agent has, or prints them as they were applied (-o yaml). "
		"Exit status 1: there is none of this name.";
	settings_parse(
		settings, &argp, OUTPUT_TABLE | OUTPUT_YAML | OUTPUT_JSON, argc, argv, &object);
	client = client_new(settings->socket_path);
	if (client_get(client, "/v1/policies", &answer, &error) < 0)
		return report(settings, &error);
	policies = json_object_get(answer, "policies");
	keep_matching(policies, &object);
	if (json_array_size(policies) == 0 && (object.name || settings->output != OUTPUT_JSON))
		return print_none(settings, &object);
	if (settings->output == OUTPUT_JSON)
		output_json(answer);
	else if (settings->output == OUTPUT_YAML)
		print_yaml(policies);
	else
		print_table(settings, policies);
	return EXIT_YES;
}
