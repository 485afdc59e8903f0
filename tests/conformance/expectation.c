/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "expectation.h"

#include "json.h"
#include "must.h"

#include <errno.h>
#include <string.h>

#define CELL_ALLOWED '.'
#define CELL_BLOCKED 'X'

/* What a step needs. */

static void add_key(json_t *set, const char *key)
{
	if (json_object_set_new(set, key, json_true()) < 0)
		must(NULL);
}

static void add_keys(json_t *set, const json_t *object)
{
	const char *key;
	json_t *value;

	json_object_foreach ((json_t *)object, key, value)
		add_key(set, key);
}

static bool is_pod(const char *end)
{
	return strchr(end, '/') != NULL;
}

struct assertion {
	const char *from;
	const char *to;
	char *probe;
	char cell;
};

static int read_assertion(const json_t *json, struct assertion *ret, struct error *error)
{
	const char *from, *to = NULL, *to_address = NULL, *protocol, *expected;
	struct assertion assertion;
	json_error_t problem;
	int port;

	if (json_unpack_ex((json_t *)json, &problem, 0, "{s:s, s?s, s?s, s:s, s:i, s:s}", "from",
		    &from, "to", &to, "to_ip", &to_address, "protocol", &protocol, "port", &port,
		    "expect", &expected) < 0)
		return error_set(error, -EINVAL, "an assertion: %s", problem.text);
	if (!to && !to_address)
		return error_set(error, -EINVAL, "an assertion has neither to nor to_ip");
	if (strcmp(expected, "allowed") != 0 && strcmp(expected, "blocked") != 0)
		return error_set(
			error, -EINVAL, "expect is allowed or blocked, not '%s'", expected);
	assertion = (struct assertion){
		.from = from,
		.to = to ? to : to_address,
		.cell = *expected == 'a' ? CELL_ALLOWED : CELL_BLOCKED,
	};
	must(asprintf(&assertion.probe, "%s/%d", protocol, port) < 0 ? NULL : assertion.probe);
	*ret = assertion;
	return 0;
}

static int need_assertions(
	const json_t *list, json_t *probes, json_t *external, struct error *error)
{
	const json_t *item;
	size_t i;

	json_array_foreach (list, i, item) {
		struct assertion assertion;
		int r = read_assertion(item, &assertion, error);

		if (r < 0)
			return r;
		add_key(probes, assertion.probe);
		if (!is_pod(assertion.from))
			add_key(external, assertion.from);
		if (!is_pod(assertion.to))
			add_key(external, assertion.to);
		free(assertion.probe);
	}
	return 0;
}

int expectation_needs(const json_t *step, json_t *probes, json_t *external, struct error *error)
{
	const json_t *outside = json_object_get(step, "external");
	const json_t *ips = json_object_get(outside, "ips"), *ip;
	size_t i;
	int r = need_assertions(json_object_get(step, "assertions"), probes, external, error);

	if (r < 0)
		return r;
	add_keys(probes, json_object_get(step, "expect"));
	add_keys(probes, json_object_get(outside, "from"));
	add_keys(probes, json_object_get(outside, "to"));
	json_array_foreach (ips, i, ip) {
		if (!json_is_string(ip))
			return error_set(error, -EINVAL, "external ips are strings");
		add_key(external, json_string_value(ip));
	}
	if (!json_object_size(probes))
		return error_set(error, -EINVAL, "it has no expect, external or assertions");
	return 0;
}

/* Comparing. */

struct pair {
	const char *probe;
	const char *from;
	const char *to;
};

static void compare_answer(const struct comparison *comparison, const struct pair *pair,
	const char *aspect, enum tally_kind kind, char expected, enum matrix_answer got)
{
	enum matrix_answer wanted = expected == CELL_ALLOWED ? ANSWER_ALLOW : ANSWER_DENY;

	comparison->tally->compared[kind]++;
	if (got == wanted)
		return;
	comparison->tally->different[kind]++;
	if (!*comparison->differences_left)
		return;
	(*comparison->differences_left)--;
	fprintf(comparison->report, "%s: %s %s -> %s%s: expected %s, got %s\n", comparison->place,
		pair->probe, pair->from, pair->to, aspect, matrix_answer_name(wanted),
		matrix_answer_name(got));
}

/* Rows of cells between two lists of ends. */
struct table {
	const char *probe;
	const char *aspect_name; /* "", " ingress", " egress" */
	enum matrix_aspect aspect;
	enum tally_kind kind;
	const json_t *rows;
	const json_t *from;
	const json_t *to;
};

static void compare_row(const struct comparison *comparison, const struct table *table,
	const char *from, const char *row)
{
	long probe = matrix_probe(comparison->matrix, table->probe);
	long source = matrix_end(comparison->matrix, from);

	for (size_t j = 0; row[j]; j++) {
		const char *to = json_string_value(json_array_get(table->to, j));
		const struct pair pair = {table->probe, from, to};
		bool itself = strcmp(from, to) == 0;
		struct matrix_cell cell;

		if (row[j] != CELL_ALLOWED && row[j] != CELL_BLOCKED)
			continue;
		cell = matrix_cell(
			comparison->matrix, probe, source, matrix_end(comparison->matrix, to));
		/* Nothing stands between a pod and itself, whatever policy says. */
		comparison->tally->self_refused += itself && row[j] == CELL_BLOCKED;
		compare_answer(comparison, &pair, table->aspect_name,
			itself ? TALLY_DIAGONAL : table->kind, itself ? CELL_ALLOWED : row[j],
			cell.answers[table->aspect]);
	}
}

static int compare_table(
	const struct comparison *comparison, const struct table *table, struct error *error)
{
	size_t rows = json_array_size(table->from), columns = json_array_size(table->to);

	if (json_array_size(table->rows) != rows)
		return error_set(error, -EINVAL, "%s%s: the table has %zu rows for %zu sources",
			table->probe, table->aspect_name, json_array_size(table->rows), rows);
	for (size_t i = 0; i < rows; i++) {
		const char *row = json_string_value(json_array_get(table->rows, i));

		if (!row || strlen(row) != columns)
			return error_set(error, -EINVAL, "%s%s: row %zu is no string of %zu cells",
				table->probe, table->aspect_name, i + 1, columns);
		compare_row(
			comparison, table, json_string_value(json_array_get(table->from, i)), row);
	}
	return 0;
}

static int compare_pods(const struct comparison *comparison, const json_t *pods,
	const json_t *expect, struct error *error)
{
	static const struct {
		const char *key;
		const char *name;
		enum matrix_aspect aspect;
	} aspects[] = {
		{"combined", "", ASPECT_VERDICT},
		{"egress", " egress", ASPECT_EGRESS},
		{"ingress", " ingress", ASPECT_INGRESS},
	};
	const char *probe;
	json_t *tables;

	json_object_foreach ((json_t *)expect, probe, tables) {
		for (size_t i = 0; i < sizeof(aspects) / sizeof(*aspects); i++) {
			const struct table table = {
				.probe = probe,
				.aspect_name = aspects[i].name,
				.aspect = aspects[i].aspect,
				.kind = comparison->doubtful ? TALLY_DOUBTFUL : TALLY_CELLS,
				.rows = json_object_get(tables, aspects[i].key),
				.from = pods,
				.to = pods,
			};
			int r = table.rows ? compare_table(comparison, &table, error) : 0;

			if (r < 0)
				return r;
		}
	}
	return 0;
}

static int compare_outside(const struct comparison *comparison, const json_t *tables,
	const json_t *from, const json_t *to, struct error *error)
{
	const char *probe;
	json_t *rows;

	json_object_foreach ((json_t *)tables, probe, rows) {
		const struct table table = {
			.probe = probe,
			.aspect_name = "",
			.aspect = ASPECT_VERDICT,
			.kind = comparison->doubtful ? TALLY_DOUBTFUL : TALLY_EXTERNAL,
			.rows = rows,
			.from = from,
			.to = to,
		};
		int r = compare_table(comparison, &table, error);

		if (r < 0)
			return error_context(error, r, "external");
	}
	return 0;
}

static int compare_assertions(
	const struct comparison *comparison, const json_t *list, struct error *error)
{
	const struct matrix *matrix = comparison->matrix;
	const json_t *item;
	size_t i;

	json_array_foreach (list, i, item) {
		struct assertion assertion;
		struct matrix_cell cell;
		struct pair pair;
		int r = read_assertion(item, &assertion, error);

		if (r < 0)
			return r;
		pair = (struct pair){assertion.probe, assertion.from, assertion.to};
		cell = matrix_cell(matrix, matrix_probe(matrix, pair.probe),
			matrix_end(matrix, pair.from), matrix_end(matrix, pair.to));
		compare_answer(comparison, &pair, "", TALLY_ASSERTIONS, assertion.cell,
			cell.answers[ASPECT_VERDICT]);
		free(assertion.probe);
	}
	return 0;
}

static bool all_strings(const json_t *list)
{
	const json_t *item;
	size_t i;

	json_array_foreach (list, i, item)
		if (!json_is_string(item))
			return false;
	return true;
}

int expectation_compare(
	const struct comparison *comparison, const json_t *step, struct error *error)
{
	const json_t *pods = json_object_get(step, "pods");
	const json_t *external = json_object_get(step, "external");
	const json_t *ips = json_object_get(external, "ips");
	int r;

	if (!all_strings(pods))
		return error_set(error, -EINVAL, "pods are strings, namespace/name");
	r = compare_pods(comparison, pods, json_object_get(step, "expect"), error);
	if (r == 0)
		r = compare_outside(
			comparison, json_object_get(external, "from"), ips, pods, error);
	if (r == 0)
		r = compare_outside(comparison, json_object_get(external, "to"), pods, ips, error);
	if (r == 0)
		r = compare_assertions(comparison, json_object_get(step, "assertions"), error);
	return r;
}
