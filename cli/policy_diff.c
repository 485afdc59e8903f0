/* SPDX-License-Identifier: GPL-2.0-or-later */
/* segctl policy diff: which connections an apply would open and which it would cut. */
#include "client.h"
#include "command.h"
#include "diff_names.h"
#include "diff_sides.h"
#include "output.h"
#include "table.h"
#include "text.h"

#include <errno.h>

enum {
	KEY_BASE = 0x700,
	KEY_REPLACE,
	KEY_POSTURE,
};

static const struct argp_option options[] = {
	{"base", KEY_BASE, "PATH", 0,
		"Compare with the policies in these files instead of the agent's; may be repeated",
		1},
	{"replace", KEY_REPLACE, NULL, 0, "As if policies that the files lack were deleted", 1},
	{"posture", KEY_POSTURE, "allow|deny", 0,
		"What holds where no policy selects a workload (default allow, or as the agent has "
		"it)",
		1},
	{0},
};

static error_t parse(int key, char *argument, struct argp_state *state)
{
	struct diff_options *diff = state->input;

	switch (key) {
	case ARGP_KEY_INIT:
		state->child_inputs[0] = &diff->sources;
		return 0;
	case KEY_BASE:
		sources_add(&diff->base, argument);
		return 0;
	case KEY_REPLACE:
		diff->replace = true;
		return 0;
	case KEY_POSTURE:
		diff->posture_given = true;
		diff->posture = offline_posture(diff->settings, argument);
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static const struct argp_child children[] = {{&sources_argp, 0, NULL, 0}, {0}};
static const struct argp argp = {
	.options = options,
	.parser = parse,
	.children = children,
	.doc = "Says which connections would become allowed or refused if the files were applied: "
	       "all of them, not a sample. Compares with the running agent, or with --base. A "
	       "workload always reaches itself. Exit status 0: nothing would change, 1: something "
	       "would, 2: wrong usage or mistakes in the files, 3: no agent.",
};

static const struct {
	const char *words;
	enum table_color color;
} looks[] = {
	[OUTCOME_REFUSED] = {"refused", TABLE_BAD},
	[OUTCOME_AUDITED] = {"audited", TABLE_WARNING},
	[OUTCOME_ALLOWED] = {"allowed", TABLE_GOOD},
};

static void add_row(struct table *table, const struct settings *settings,
	const struct diff_sides *sides, const struct comparison *comparison,
	const struct comparison_row *row)
{
	const struct model *model = sides->after.model;
	const struct ir_rule *rule = &sides->after.ir->rules[row->rule];
	bool whole = settings->output == OUTPUT_WIDE;
	char text[512];

	ir_rule_format(rule, text, sizeof(text));
	table_row(table);
	table_cell_text(table, TABLE_PLAIN, looks[row->before].words);
	table_cell_text(table, looks[row->after].color, looks[row->after].words);
	table_cell(table, TABLE_PLAIN, diff_name_parties(model, comparison, row->from, whole));
	table_cell(table, TABLE_PLAIN, diff_name_parties(model, comparison, row->to, whole));
	table_cell(table, TABLE_PLAIN, diff_name_ports(row));
	table_cell(table, TABLE_PLAIN,
		rule->document ? text_format("%s (%s:%u)", text, rule->document->file, rule->line)
			       : text_format("%s", text));
}

static void print_summary(const struct comparison *comparison)
{
	const char *separator = "";

	for (int outcome = OUTCOME_COUNT - 1; outcome >= 0; outcome--) {
		_cleanup_free_ char *pairs =
			output_plural((double)comparison->pairs[outcome], "pair", "pairs");

		if (!comparison->pairs[outcome])
			continue;
		printf("%s%s with ports that become %s", separator, pairs, looks[outcome].words);
		separator = ", ";
	}
	puts(*separator ? "" : "no connection would be decided otherwise");
}

static void print_table(const struct settings *settings, const struct diff_sides *sides,
	const struct comparison *comparison)
{
	static const struct table_column columns[] = {{"BEFORE", 0}, {"AFTER", 0},
		{"FROM", TABLE_SHRINK}, {"TO", TABLE_SHRINK}, {"PORTS", TABLE_SHRINK},
		{"BECAUSE", TABLE_NOTE}, {0}};
	_cleanup_table_ struct table *table = table_new(settings, columns);

	for (size_t i = 0; i < comparison->rows_count; i++)
		add_row(table, settings, sides, comparison, &comparison->rows[i]);
	if (comparison->rows_count)
		table_print(table);
	print_summary(comparison);
}

static json_t *row_to_json(const struct diff_sides *sides, const struct comparison *comparison,
	const struct comparison_row *row)
{
	static const char *const families[] = {
		[COMPARISON_IPV4] = "ipv4", [COMPARISON_IPV6] = "ipv6"};
	const struct model *model = sides->after.model;
	const struct ir_rule *rule = &sides->after.ir->rules[row->rule];
	char text[512];
	json_t *json = must(json_pack("{s:s, s:s, s:o, s:o, s:o, s:s}", "before",
		outcome_name(row->before), "after", outcome_name(row->after), "from",
		diff_list_parties(model, comparison, row->from), "to",
		diff_list_parties(model, comparison, row->to), "ports", diff_list_ports(row),
		"rule", ir_rule_format(rule, text, sizeof(text))));

	if (row->family != COMPARISON_ALL_FAMILIES)
		json_object_set_new(json, "family", json_string(families[row->family]));
	if (rule->document) {
		json_object_set_new(json, "file", json_string(rule->document->file));
		json_object_set_new(json, "line", json_integer(rule->line));
	}
	return json;
}

static void print_json(const struct diff_sides *sides, const struct comparison *comparison)
{
	_cleanup_json_ json_t *answer = NULL;
	json_t *changes = must(json_array()), *pairs = must(json_object());

	for (size_t i = 0; i < comparison->rows_count; i++)
		json_array_append_new(
			changes, row_to_json(sides, comparison, &comparison->rows[i]));
	for (int outcome = 0; outcome < OUTCOME_COUNT; outcome++)
		json_object_set_new(pairs, outcome_name((enum outcome)outcome),
			json_integer((json_int_t)comparison->pairs[outcome]));
	answer = must(json_pack("{s:o, s:o}", "changes", changes, "pairs", pairs));
	output_json(answer);
}

static int run(const struct settings *settings, const struct diff_options *options_given)
{
	_cleanup_(diff_sides_clear) struct diff_sides sides = {0};
	_cleanup_(comparison_clear) struct comparison comparison = {0};
	_cleanup_error_ struct error error = ERROR_INIT;
	int code = diff_sides_load(options_given, &sides), r;

	if (code != EXIT_YES)
		return code;
	r = compare(sides.after.model, sides.before.ir, sides.after.ir, &comparison);
	if (r < 0) {
		error_errno(&error, r, "compare the policies");
		report(settings, &error);
		return EXIT_USAGE;
	}
	if (settings->output == OUTPUT_JSON)
		print_json(&sides, &comparison);
	else
		print_table(settings, &sides, &comparison);
	return comparison.rows_count ? EXIT_NO : EXIT_YES;
}

int policy_diff_run(struct settings *settings, int argc, char **argv)
{
	struct diff_options diff = {.settings = settings};
	int code;

	settings_parse(
		settings, &argp, OUTPUT_TABLE | OUTPUT_WIDE | OUTPUT_JSON, argc, argv, &diff);
	code = run(settings, &diff);
	sources_clear(&diff.sources);
	sources_clear(&diff.base);
	return code;
}
