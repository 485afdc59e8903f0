/* SPDX-License-Identifier: GPL-2.0-or-later */
/* segctl inspect rule: one rule of a policy, and who used it. */
#include "client.h"
#include "clock.h"
#include "command.h"
#include "output.h"
#include "record.h"
#include "subject.h"
#include "text.h"
#include "url.h"

#include <string.h>

static const struct table_column columns[] = {
	{"FROM", TABLE_SHRINK},
	{"TO", TABLE_SHRINK},
	{"PORT", 0},
	{"VERDICT", 0},
	{"CONNECTIONS", TABLE_RIGHT},
	{"PACKETS", TABLE_RIGHT},
	{"LAST", 0},
	{0},
};

/* "ingress[0]" in "SegmentPolicy shop/db ingress[0]", or "ingress" for all of that direction, among
 * them the one that stands for isolation; without a word all rules of the policy. */
static bool is_wanted(const json_t *rule, const struct subject *subject)
{
	return !subject->rest || strstr(field_text(rule, "text"), subject->rest) ||
	       strcmp(field_text(rule, "direction"), subject->rest) == 0;
}

static bool same_rule(const json_t *a, const json_t *b)
{
	static const char *const keys[] = {"kind", "namespace", "name", "text"};

	for (size_t i = 0; i < ARRAY_SIZE(keys); i++)
		if (strcmp(field_text(a, keys[i]), field_text(b, keys[i])) != 0)
			return false;
	return true;
}

/* The edges of the map whose record names this rule: an allowed connection names one of the two
 * rules that let it pass. */
static void print_use(const struct settings *settings, const json_t *map, const json_t *rule)
{
	_cleanup_table_ struct table *table = table_new(settings, columns);
	const json_t *edge;
	bool used = false;
	size_t i;

	json_array_foreach (json_object_get(map, "edges"), i, edge) {
		const char *verdict = field_text(edge, "verdict");

		if (!same_rule(json_object_get(edge, "rule"), rule))
			continue;
		used = true;
		table_row(table);
		table_cell_text(table, TABLE_PLAIN, field_text(edge, "from"));
		table_cell_text(table, TABLE_PLAIN, field_text(edge, "to"));
		table_cell(table, TABLE_PLAIN, record_port(edge));
		table_cell_text(table, record_color(verdict), verdict);
		table_count(table, field_number(edge, "connections"));
		table_count(table, field_sum(edge, "packets"));
		table_cell(
			table, TABLE_PLAIN, clock_format_cell(settings, field_text(edge, "end")));
	}
	if (used)
		table_print(table);
}

static size_t print_rules(const struct settings *settings, const struct subject *subject,
	const json_t *policy, const json_t *map)
{
	const json_t *source = json_object_get(policy, "source"), *rule;
	size_t i, printed = 0;

	json_array_foreach (json_object_get(policy, "rules"), i, rule) {
		if (!is_wanted(rule, subject))
			continue;
		if (printed++)
			putchar('\n');
		output_text(field_text(rule, "text"));
		putchar('\n');
		output_property("direction", field_text(rule, "direction"));
		output_property("verdict", field_text(rule, "verdict"));
		output_property("tier", field_text(rule, "tier"));
		if (*field_text(source, "file"))
			output_property_take(
				"at", text_format("%s:%.0f", field_text(source, "file"),
					      field_number(rule, "line")));
		output_property_take("hits", text_count(field_number(rule, "hits")));
		print_use(settings, map, rule);
	}
	return printed;
}

/* The policy's bare name, as the map's filter takes it. */
static int fetch_map(const struct settings *settings, const char *name, json_t **ret)
{
	_cleanup_client_ struct client *client = client_new(settings->socket_path);
	_cleanup_free_ char *url = text_format("/v1/map");
	_cleanup_error_ struct error error = ERROR_INIT;
	const char *slash = strrchr(name, '/');

	url_query(&url, "rule", slash ? slash + 1 : name);
	if (client_get(client, url, ret, &error) < 0)
		return report(settings, &error);
	return EXIT_YES;
}

/* Leaves only the rules that were asked for. */
static void keep_wanted(json_t *answer, const struct subject *subject)
{
	json_t *policy;
	size_t i;

	json_array_foreach (json_object_get(answer, "policies"), i, policy) {
		json_t *rules = json_object_get(policy, "rules");

		for (size_t j = json_array_size(rules); j-- > 0;)
			if (!is_wanted(json_array_get(rules, j), subject))
				json_array_remove(rules, j);
	}
}

int inspect_rule_run(struct settings *settings, int argc, char **argv)
{
	struct argp argp = subject_argp;
	struct subject subject = {.words_max = 2};
	_cleanup_json_ json_t *answer = NULL, *map = NULL;
	const json_t *policy;
	size_t i, printed = 0;
	int code;

	argp.args_doc = "[NAMESPACE/]POLICY [ingress[N]|egress[N]]";
	argp.doc =
		"Shows the rules of a policy, or one of them, and the connections that each decided.";
	settings_parse(settings, &argp, OUTPUT_TABLE | OUTPUT_JSON, argc, argv, &subject);
	code = subject_fetch(settings, &subject, "/v1/inspect/policy", &answer);
	if (code == EXIT_YES)
		code = fetch_map(settings, subject.name, &map);
	if (code != EXIT_YES)
		return code;
	keep_wanted(answer, &subject);
	if (settings->output == OUTPUT_JSON) {
		output_json(answer);
		return EXIT_YES;
	}
	json_array_foreach (json_object_get(answer, "policies"), i, policy) {
		printed += print_rules(settings, &subject, policy, map);
	}
	if (printed)
		return EXIT_YES;
	fprintf(stderr, "%s: policy %s has no rule '%s'\n", settings->program, subject.name,
		subject.rest ? subject.rest : "at all");
	return EXIT_NO;
}
