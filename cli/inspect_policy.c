/* SPDX-License-Identifier: GPL-2.0-or-later */
/* segctl inspect policy: whom it selects, its rules, its text. */
#include "command.h"
#include "output.h"
#include "record.h"
#include "subject.h"
#include "table.h"
#include "text.h"

static void print_subjects(const json_t *policy)
{
	const json_t *subject, *subjects = json_object_get(policy, "subjects");
	size_t i;

	json_array_foreach (subjects, i, subject) {
		bool host = *field_text(subject, "entity");

		output_property_take(i ? "" : "selects",
			host ? text_format("the node itself") : record_name(subject));
	}
	if (!i)
		output_property("selects", "no workload on this node");
}

static const struct table_column rule_columns[] = {
	{"RULE", TABLE_SHRINK},
	{"VERDICT", 0},
	{"TIER", 0},
	{"LINE", TABLE_RIGHT},
	{"HITS", TABLE_RIGHT},
	{0},
};

/* Without the policy's name, which stands above. */
static char *name_of(const json_t *rule)
{
	const json_t *index = json_object_get(rule, "index");
	const char *direction = field_text(rule, "direction");

	if (!json_is_integer(index))
		return text_format("%s: no rule allows", direction);
	return text_format("%s[%d]", direction, (int)json_integer_value(index));
}

static void print_rules(const struct settings *settings, const json_t *policy)
{
	const json_t *rule, *rules = json_object_get(policy, "rules");
	_cleanup_table_ struct table *table = table_new(settings, rule_columns);
	size_t i;

	if (json_array_size(rules) == 0)
		return;
	json_array_foreach (rules, i, rule) {
		const char *verdict = field_text(rule, "verdict");

		table_row(table);
		table_cell(table, TABLE_PLAIN, name_of(rule));
		table_cell_text(table, record_color(verdict), verdict);
		table_cell_text(table, TABLE_PLAIN, field_text(rule, "tier"));
		table_count(table, field_number(rule, "line"));
		table_count(table, field_number(rule, "hits"));
	}
	output_heading(settings, "Rules");
	table_print(table);
}

static void print_policy(const struct settings *settings, const json_t *policy)
{
	const json_t *source = json_object_get(policy, "source");
	_cleanup_free_ char *name = record_name(policy);
	const char *text = field_text(policy, "text");

	printf("%s ", field_text(policy, "kind"));
	output_text(name);
	putchar('\n');
	if (*field_text(source, "file"))
		output_property_take("from file", text_format("%s:%.0f", field_text(source, "file"),
							  field_number(source, "line")));
	print_subjects(policy);
	print_rules(settings, policy);
	if (*text)
		printf("\n%s", text);
}

int inspect_policy_run(struct settings *settings, int argc, char **argv)
{
	struct argp argp = subject_argp;
	struct subject subject = {.words_max = 1};
	_cleanup_json_ json_t *answer = NULL;
	const json_t *policy;
	size_t i;
	int code;

	argp.doc =
		"Says which workloads a policy selects, which rules it has, and how it was written. "
		"Policies of different kinds may share a name: all of them are shown.";
	settings_parse(settings, &argp, OUTPUT_TABLE | OUTPUT_JSON, argc, argv, &subject);
	code = subject_fetch(settings, &subject, "/v1/inspect/policy", &answer);
	if (code != EXIT_YES)
		return code;
	if (settings->output == OUTPUT_JSON) {
		output_json(answer);
		return EXIT_YES;
	}
	json_array_foreach (json_object_get(answer, "policies"), i, policy) {
		if (i)
			putchar('\n');
		print_policy(settings, policy);
	}
	return EXIT_YES;
}
