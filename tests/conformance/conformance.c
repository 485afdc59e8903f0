/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Puts every case of a corpus of network policies to `segctl policy matrix` and reports where the
 * answers differ. README.md describes the corpus. Exit codes: 0 all equal, 1 differences, 2 no
 * usable corpus or wrong usage.
 */
#include "corpus.h"
#include "must.h"
#include "trial.h"

#include "base/cleanup.h"

#include <argp.h>
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

#define WORKERS_MAX 64

struct arguments {
	const char *segctl;
	const char *directory;
	const char *wanted; /* id of a case; NULL: all */
	bool print;
};

static const struct argp_option options[] = {
	{"case", 'c', "ID", 0, "Only the case of this id", 0},
	{"print", 'p', NULL, 0, "Print the documents that segctl would be given, and stop", 0},
	{0},
};

static error_t parse(int key, char *argument, struct argp_state *state)
{
	struct arguments *arguments = state->input;

	switch (key) {
	case 'c':
		arguments->wanted = argument;
		return 0;
	case 'p':
		arguments->print = true;
		return 0;
	case ARGP_KEY_ARG:
		if (state->arg_num > 1)
			return ARGP_ERR_UNKNOWN;
		*(state->arg_num ? &arguments->directory : &arguments->segctl) = argument;
		return 0;
	case ARGP_KEY_END:
		if (state->arg_num < 2)
			argp_usage(state);
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static const struct argp argp = {
	.options = options,
	.parser = parse,
	.args_doc = "SEGCTL CORPUS-DIRECTORY",
	.doc = "Puts the cases of a corpus to `SEGCTL policy matrix` and reports differences.",
};

struct trials {
	struct trial *items;
	size_t count;
	atomic_size_t next; /* to be run */
};

static void trials_clear(struct trials *trials)
{
	for (size_t i = 0; i < trials->count; i++)
		trial_clear(&trials->items[i]);
	free(trials->items);
}

static void choose(
	const struct corpus *corpus, const struct arguments *arguments, struct trials *trials)
{
	trials->items = must(calloc(corpus->cases_count, sizeof(*trials->items)));
	for (size_t i = 0; i < corpus->cases_count; i++) {
		const struct corpus_case *test = &corpus->cases[i];

		if (arguments->wanted && strcmp(test->id, arguments->wanted) != 0)
			continue;
		trials->items[trials->count++] =
			(struct trial){.corpus = corpus, .test = test, .segctl = arguments->segctl};
	}
}

static void *work(void *userdata)
{
	struct trials *trials = userdata;
	size_t i;

	while ((i = atomic_fetch_add(&trials->next, 1)) < trials->count)
		trial_run(&trials->items[i]);
	return NULL;
}

/* Cases are independent and most of the time is segctl's own: one worker for each processor. */
static void run_all(struct trials *trials)
{
	long processors = sysconf(_SC_NPROCESSORS_ONLN);
	pthread_t workers[WORKERS_MAX];
	long count = 0;

	while (count < processors - 1 && count < WORKERS_MAX &&
		pthread_create(&workers[count], NULL, work, trials) == 0)
		count++;
	work(trials);
	while (count)
		pthread_join(workers[--count], NULL);
}

static int print_all(const struct trials *trials, struct error *error)
{
	int r = 0;

	for (size_t i = 0; i < trials->count && r == 0; i++)
		r = trial_print(&trials->items[i], stdout, error);
	return r;
}

static void print_tally(const struct tally *tally, size_t steps)
{
	static const char *const names[] = {
		[TALLY_CELLS] = "pod to pod",
		[TALLY_DOUBTFUL] = "cases with doubts",
		[TALLY_DIAGONAL] = "a pod to itself",
		[TALLY_EXTERNAL] = "addresses outside",
		[TALLY_ASSERTIONS] = "single flows",
	};

	printf("%zu matrices\n", steps);
	for (int kind = 0; kind < TALLY_COUNT; kind++)
		printf("%-18s %9zu compared %6zu differ\n", names[kind], tally->compared[kind],
			tally->different[kind]);
	printf("(a pod always reaches itself; the corpus refuses that in %zu cells)\n",
		tally->self_refused);
}

/* True: no case failed. */
static bool report(const struct trials *trials)
{
	size_t results[TRIAL_RESULT_COUNT] = {0}, steps = 0;
	struct tally sum = {0};

	for (size_t i = 0; i < trials->count; i++) {
		const struct trial *trial = &trials->items[i];

		fputs(trial->report, stdout);
		results[trial->result]++;
		steps += trial->steps;
		tally_add(&sum, &trial->tally);
	}
	print_tally(&sum, steps);
	printf("%zu passed, %zu failed, %zu skipped\n", results[TRIAL_PASSED],
		results[TRIAL_FAILED], results[TRIAL_SKIPPED]);
	return results[TRIAL_FAILED] == 0;
}

int main(int argc, char **argv)
{
	_cleanup_(corpus_clear) struct corpus corpus = {0};
	_cleanup_(trials_clear) struct trials trials = {0};
	_cleanup_error_ struct error error = ERROR_INIT;
	struct arguments arguments = {0};
	int r;

	argp_parse(&argp, argc, argv, 0, NULL, &arguments);
	r = corpus_load(arguments.directory, &corpus, &error);
	if (r == 0)
		choose(&corpus, &arguments, &trials);
	if (r == 0 && !trials.count)
		r = error_set(&error, -ENOENT, "%s has no case '%s'", arguments.directory,
			arguments.wanted);
	if (r == 0 && arguments.print)
		r = print_all(&trials, &error);
	if (r < 0) {
		fprintf(stderr, "conformance: %s\n", error_message(&error));
		return 2;
	}
	if (arguments.print)
		return 0;
	run_all(&trials);
	return report(&trials) ? 0 : 1;
}
