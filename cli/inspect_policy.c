/* SPDX-License-Identifier: GPL-2.0-or-later */
/* segctl inspect policy: whom it selects, its rules, its text. */
#include "command.h"
#include "output.h"
#include "record.h"
#include "subject.h"
#include "text.h"

static void print_subjects(const json_t *policy)
{
	const json_t *subject, *subjects = json_object_get(policy, "subjects");
	size_t i;

	json_array_foreach (subjects, i, subject) {
		output_property_take(i ? "" : "selects", record_name(subject));
	}
	if (!i)
		output_property("selects", "no workload on this node");
}

static void print_rules(const json_t *policy)
{
	const json_t *rule;
	size_t i;

	json_array_foreach (json_object_get(policy, "rules"), i, rule) {
		const char *text = field_text(rule, "text");

		output_property_take(i ? "" : "rules",
			text_format("%s, %s tier", text, field_text(rule, "tier")));
	}
}

static void print_policy(const json_t *policy)
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
	print_rules(policy);
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
		print_policy(policy);
	}
	return EXIT_YES;
}
