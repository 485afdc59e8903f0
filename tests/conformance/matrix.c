/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "matrix.h"

#include "base/cleanup.h"
#include "command.h"
#include "json.h"
#include "must.h"

#include <errno.h>
#include <string.h>

struct matrix {
	json_t *probes; /* name: number */
	json_t *ends;   /* name: number */
	size_t ends_count;
	struct matrix_cell *cells; /* [probe][from][to] */
};

void matrix_free(struct matrix *matrix)
{
	if (!matrix)
		return;
	json_decref(matrix->probes);
	json_decref(matrix->ends);
	free(matrix->cells);
	free(matrix);
}

DEFINE_CLEANUP(struct matrix *, matrix_free)

const char *matrix_answer_name(enum matrix_answer answer)
{
	static const char *const names[] = {
		[ANSWER_NONE] = "no answer",
		[ANSWER_ALLOW] = "allow",
		[ANSWER_DENY] = "deny",
		[ANSWER_UNRESOLVED] = "unresolved",
		[ANSWER_MIXED] = "one thing by IPv4 and another by IPv6",
	};

	return names[answer];
}

static long number_of(const json_t *numbers, const char *name)
{
	const json_t *number = json_object_get(numbers, name);

	return number ? (long)json_integer_value(number) : -1;
}

long matrix_probe(const struct matrix *matrix, const char *probe)
{
	return number_of(matrix->probes, probe);
}

long matrix_end(const struct matrix *matrix, const char *end)
{
	return number_of(matrix->ends, end);
}

static struct matrix_cell *cell_at(const struct matrix *matrix, long probe, long from, long to)
{
	size_t row = (size_t)probe * matrix->ends_count + (size_t)from;

	return &matrix->cells[row * matrix->ends_count + (size_t)to];
}

struct matrix_cell matrix_cell(const struct matrix *matrix, long probe, long from, long to)
{
	if (probe < 0 || from < 0 || to < 0)
		return (struct matrix_cell){{ANSWER_NONE}};
	return *cell_at(matrix, probe, from, to);
}

/* Reading the answers. */

static void number_name(json_t *numbers, const char *name)
{
	if (!json_object_get(numbers, name))
		json_object_set_new(
			numbers, name, must(json_integer((json_int_t)json_object_size(numbers))));
}

static void number_ends(struct matrix *matrix, const json_t *results)
{
	const json_t *result;
	size_t i;

	json_array_foreach (results, i, result) {
		const char *from = json_string_value(json_object_get(result, "from"));
		const char *to = json_string_value(json_object_get(result, "to"));

		if (from && to) {
			number_name(matrix->ends, from);
			number_name(matrix->ends, to);
		}
	}
}

/* Pairs with both families have two results. */
static void add_answer(enum matrix_answer *answer, const char *text)
{
	enum matrix_answer added = ANSWER_MIXED;

	for (int i = ANSWER_ALLOW; i <= ANSWER_UNRESOLVED; i++)
		if (strcmp(text, matrix_answer_name((enum matrix_answer)i)) == 0)
			added = (enum matrix_answer)i;
	*answer = *answer == ANSWER_NONE || *answer == added ? added : ANSWER_MIXED;
}

static int read_result(struct matrix *matrix, long probe, const json_t *result, struct error *error)
{
	static const char *const keys[] = {
		[ASPECT_VERDICT] = "verdict",
		[ASPECT_EGRESS] = "egress",
		[ASPECT_INGRESS] = "ingress",
	};
	const char *from = json_string_value(json_object_get(result, "from"));
	const char *to = json_string_value(json_object_get(result, "to"));
	struct matrix_cell *cell;

	if (!from || !to)
		return error_set(error, -EINVAL, "segctl's matrix has a result without ends");
	cell = cell_at(matrix, probe, matrix_end(matrix, from), matrix_end(matrix, to));
	for (int aspect = 0; aspect < ASPECT_COUNT; aspect++) {
		const char *text = json_string_value(json_object_get(result, keys[aspect]));

		if (!text)
			return error_set(error, -EINVAL, "segctl's matrix has a result without %s",
				keys[aspect]);
		add_answer(&cell->answers[aspect], text);
	}
	return 0;
}

static int read_probe(struct matrix *matrix, const json_t *probe, struct error *error)
{
	const char *protocol = json_string_value(json_object_get(probe, "protocol"));
	const char *port = json_string_value(json_object_get(probe, "port"));
	const json_t *result, *results = json_object_get(probe, "results");
	_cleanup_free_ char *name = NULL;
	long number;
	size_t i;

	if (!protocol || !port || !json_is_array(results))
		return error_set(error, -EINVAL, "segctl's matrix has a malformed probe");
	must(asprintf(&name, "%s/%s", protocol, port) < 0 ? NULL : name);
	number = (long)json_object_size(matrix->probes);
	number_name(matrix->probes, name);
	if (number_of(matrix->probes, name) != number)
		return error_set(error, -EINVAL, "segctl's matrix has %s twice", name);
	json_array_foreach (results, i, result) {
		int r = read_result(matrix, number, result, error);

		if (r < 0)
			return r;
	}
	return 0;
}

static int read_answers(const json_t *output, struct matrix **ret, struct error *error)
{
	_cleanup_(matrix_freep) struct matrix *matrix = must(calloc(1, sizeof(*matrix)));
	const json_t *probe, *probes = json_object_get(output, "probes");
	size_t i;

	matrix->probes = must(json_object());
	matrix->ends = must(json_object());
	json_array_foreach (probes, i, probe)
		number_ends(matrix, json_object_get(probe, "results"));
	matrix->ends_count = json_object_size(matrix->ends);
	matrix->cells =
		must(calloc(json_array_size(probes) * matrix->ends_count * matrix->ends_count + 1,
			sizeof(*matrix->cells)));
	json_array_foreach (probes, i, probe) {
		int r = read_probe(matrix, probe, error);

		if (r < 0)
			return r;
	}
	*ret = TAKE_PTR(matrix);
	return 0;
}

/* Asking. */

static char *join_keys(const json_t *object)
{
	char *text = NULL;
	size_t size;
	FILE *stream = must(open_memstream(&text, &size));
	const char *key, *separator = "";
	json_t *value;

	json_object_foreach ((json_t *)object, key, value) {
		fprintf(stream, "%s%s", separator, key);
		separator = ",";
	}
	if (fclose(stream) != 0)
		must(NULL);
	return text;
}

int matrix_run(const char *segctl, int documents, const json_t *probes, const json_t *external,
	struct matrix **ret, struct error *error)
{
	_cleanup_free_ char *probe_list = join_keys(probes);
	_cleanup_free_ char *external_list = join_keys(external);
	_cleanup_json_ json_t *output = NULL;
	_cleanup_free_ char *answer = NULL;
	const char *arguments[] = {segctl, "policy", "matrix", "-f", "-", "-o", "json", "--probe",
		probe_list, *external_list ? "--external" : NULL, external_list, NULL};
	json_error_t problem;
	size_t size;
	int r = command_run(arguments, documents, &answer, &size, error);

	if (r < 0)
		return r;
	output = json_loadb(answer, size, 0, &problem);
	if (!output)
		return error_set(error, -EINVAL, "segctl's matrix is no JSON: %s", problem.text);
	return read_answers(output, ret, error);
}
