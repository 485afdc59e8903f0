/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "trial.h"

#include "base/cleanup.h"
#include "cluster.h"
#include "command.h"
#include "expectation.h"
#include "json.h"
#include "manifest.h"
#include "must.h"

#include <errno.h>
#include <fcntl.h>

#define DIFFERENCES_MAX 20 /* printed, of each case */

/* What is done with the documents of a step; place is "gen-001 step 1". */
struct visitor {
	int (*visit)(const struct visitor *visitor, const struct cluster *cluster, bool replayed,
		const char *place, const json_t *step, struct error *error);
	struct trial *trial;
	FILE *stream;
	size_t *differences_left;
};

static int visit_way(const struct visitor *visitor, const struct cluster *cluster, bool replayed,
	size_t number, const json_t *step, struct error *error)
{
	_cleanup_free_ char *place = NULL;
	int r;

	must(asprintf(&place, "%s step %zu%s", visitor->trial->test->id, number,
		     replayed ? " (replayed)" : "") < 0
			? NULL
			: place);
	r = visitor->visit(visitor, cluster, replayed, place, step, error);
	return r < 0 ? error_context(error, r, "%s", place) : 0;
}

static int replay(struct cluster *cluster, const json_t *actions, struct error *error)
{
	const json_t *action;
	size_t i;

	json_array_foreach (actions, i, action) {
		int r = cluster_apply(cluster, action, error);

		if (r < 0)
			return error_context(error, r, "action %zu", i + 1);
	}
	return 0;
}

/* replayed goes on from step to step; its namespaces are NULL where the case has no actions. */
static int visit_step(const struct visitor *visitor, const char *key, const json_t *step,
	size_t number, struct cluster *replayed, struct error *error)
{
	_cleanup_cluster_ struct cluster cluster = {0};
	int r = cluster_load_step(visitor->trial->corpus, key, step, &cluster, error);

	if (r == 0)
		r = visit_way(visitor, &cluster, false, number, step, error);
	if (r < 0 || !replayed->namespaces)
		return r;
	r = replay(replayed, json_object_get(step, "actions"), error);
	return r < 0 ? r : visit_way(visitor, replayed, true, number, step, error);
}

/* A step may name its cluster; else the case does, for all its steps. */
static int visit_steps(const struct visitor *visitor, struct error *error)
{
	const struct corpus_case *test = visitor->trial->test;
	const json_t *steps = json_object_get(test->json, "steps"), *step;
	const char *initial = json_string_value(json_object_get(test->json, "initial_cluster"));
	const char *key = json_string_value(json_object_get(test->json, "cluster"));
	_cleanup_cluster_ struct cluster replayed = {0};
	size_t i;
	int r;

	if (initial) {
		r = cluster_load(visitor->trial->corpus, initial, &replayed, error);
		if (r < 0)
			return r;
	}
	json_array_foreach (steps, i, step) {
		const char *own = json_string_value(json_object_get(step, "cluster"));

		if (!own && !key)
			return error_set(error, -EINVAL, "step %zu names no cluster", i + 1);
		r = visit_step(visitor, own ? own : key, step, i + 1, &replayed, error);
		if (r < 0)
			return r;
	}
	return 0;
}

/* The documents in a file for segctl. */
static int write_documents(
	const struct cluster *cluster, bool imply_types, int *ret, struct error *error)
{
	_cleanup_close_ int fd = command_file(error);
	_cleanup_close_ int writer = fd < 0 ? fd : fcntl(fd, F_DUPFD_CLOEXEC, 0);
	_cleanup_file_ FILE *stream = writer < 0 ? NULL : fdopen(writer, "w");
	int r;

	if (fd < 0)
		return fd;
	if (!stream)
		return error_errno(error, -errno, "open a file in memory");
	TAKE_FD(writer);
	r = manifest_write(cluster, imply_types, stream, error);
	if (r < 0)
		return r;
	*ret = TAKE_FD(fd);
	return 0;
}

static int judge(const struct visitor *visitor, const struct cluster *cluster, bool replayed,
	const char *place, const json_t *step, struct error *error)
{
	struct trial *trial = visitor->trial;
	_cleanup_json_ json_t *probes = must(json_object());
	_cleanup_json_ json_t *external = must(json_object());
	_cleanup_close_ int documents = -1;
	struct matrix *matrix;
	int r = expectation_needs(step, probes, external, error);

	if (r == 0)
		r = write_documents(cluster, replayed, &documents, error);
	if (r == 0)
		r = matrix_run(trial->segctl, documents, probes, external, &matrix, error);
	if (r < 0)
		return r;
	trial->steps++;
	r = expectation_compare(
		&(struct comparison){
			.matrix = matrix,
			.place = place,
			.doubtful =
				json_array_size(json_object_get(trial->test->json, "doubts")) > 0,
			.tally = &trial->tally,
			.report = visitor->stream,
			.differences_left = visitor->differences_left,
		},
		step, error);
	matrix_free(matrix);
	return r;
}

static int print(const struct visitor *visitor, const struct cluster *cluster, bool replayed,
	const char *place, const json_t *step, struct error *error)
{
	(void)step;
	fprintf(visitor->stream, "# %s\n", place);
	return manifest_write(cluster, replayed, visitor->stream, error);
}

void trial_run(struct trial *trial)
{
	_cleanup_error_ struct error error = ERROR_INIT;
	size_t size, left = DIFFERENCES_MAX, different;
	FILE *stream = must(open_memstream(&trial->report, &size));
	const struct visitor visitor = {judge, trial, stream, &left};
	int r = visit_steps(&visitor, &error);

	different = tally_different(&trial->tally);
	if (different > DIFFERENCES_MAX)
		fprintf(stream, "%s: and %zu more differences\n", trial->test->id,
			different - DIFFERENCES_MAX);
	if (r < 0)
		fprintf(stream, "%s: %s: %s\n", trial->test->file, trial->test->id,
			error_message(&error));
	if (r < 0 || different)
		trial->result = TRIAL_FAILED;
	else
		trial->result = tally_compared(&trial->tally) ? TRIAL_PASSED : TRIAL_SKIPPED;
	if (trial->result == TRIAL_SKIPPED)
		fprintf(stream, "skip %s: nothing in it can be compared\n", trial->test->id);
	if (fclose(stream) != 0)
		must(NULL);
}

int trial_print(const struct trial *trial, FILE *stream, struct error *error)
{
	struct trial unchanged = *trial;
	const struct visitor visitor = {print, &unchanged, stream, NULL};

	return visit_steps(&visitor, error);
}

void trial_clear(struct trial *trial)
{
	free(trial->report);
}
