// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Three verdicts held equal: random policies and cluster models are put into each data plane, real
 * packets are sent through real networks, and what becomes of each is compared with what the
 * reference evaluator says. A model's seed brings it back.
 */
#include "base/cleanup.h"
#include "trial.h"

#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

/* One network's connections, refusals and source ports are used by so many probes, then it is made
 * anew: no two probes of a network have the same ports. */
#define TRIAL_PROBES_MAX 60000
#define JOBS_MAX         16
#define PLANES           2
#define HISTORY_MAX      64
#define SEARCHES_MAX     4

static const struct dataplane_ops *const planes[PLANES] = {&bpf_dataplane_ops, &nft_dataplane_ops};

struct settings {
	size_t models;
	size_t probes;
	uint64_t seed;
	unsigned int jobs;
	bool planes[PLANES];
	bool topologies[TOPOLOGIES];
};

/* A trial and the process that it has. */
struct job {
	struct trial trial;
	struct tally *tally; /* shared with the process */
	pid_t pid;
};

struct sums {
	size_t passed;
	size_t failed;
	size_t skipped;
	uint64_t probes;
	uint64_t refused;
	uint64_t audited;
	unsigned int searches; /* for the shortest way to a difference */
};

static struct tally *tally_new(void)
{
	void *memory = mmap(NULL, sizeof(struct tally), PROT_READ | PROT_WRITE,
		MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (memory == MAP_FAILED) {
		perror("share memory");
		exit(EXIT_FAILURE);
	}
	return memory;
}

static _Noreturn void be_trial(const struct job *job)
{
	_cleanup_error_ struct error error = ERROR_INIT;
	int r = trial_run(&job->trial, job->tally, &error);

	if (r < 0 && !job->trial.quiet)
		printf("%s, %s, seed %llu: %s\n", job->trial.plane->name,
			topology_name(job->trial.topology), (unsigned long long)job->tally->seed,
			error_message(&error));
	fflush(stdout);
	_exit(r < 0);
}

static void job_start(struct job *job)
{
	job->tally = tally_new();
	job->tally->seed = job->trial.first_seed;
	fflush(stdout);
	job->pid = fork();
	if (job->pid < 0) {
		perror("fork");
		exit(EXIT_FAILURE);
	}
	if (!job->pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		be_trial(job);
	}
}

static void job_clear(struct job *job)
{
	munmap(job->tally, sizeof(*job->tally));
	*job = (struct job){0};
}

static void print_command(const struct trial *trial, uint64_t first, size_t models)
{
	printf("  to see it again: %s --seed %llu --models %zu --probes %zu --plane %s "
	       "--topology %s\n",
		program_invocation_name, (unsigned long long)first, models, trial->probes,
		trial->plane->name, topology_name(trial->topology));
}

/* Whether the last of so many models fails, too. */
static bool fails_again(const struct trial *trial, uint64_t first, size_t models)
{
	struct job job = {.trial = *trial};
	bool failed;
	int status;

	job.trial.first_seed = first;
	job.trial.models = models;
	job.trial.quiet = true;
	job_start(&job);
	waitpid(job.pid, &status, 0);
	failed = !job.tally->complete || job.tally->last_differed;
	job_clear(&job);
	return failed;
}

/* A model alone may agree, and differ only behind another one. */
static void search_shortest(const struct trial *trial, uint64_t seed)
{
	size_t before = 0;

	while (!fails_again(trial, seed - before, before + 1)) {
		size_t all = seed - trial->first_seed;

		if (before == all || before > HISTORY_MAX) {
			printf("  seed %llu: does not come again in shorter runs\n",
				(unsigned long long)seed);
			print_command(trial, trial->first_seed, all + 1);
			return;
		}
		before = before ? 2 * before : 1;
		if (before > all)
			before = all;
	}
	print_command(trial, seed - before, before + 1);
}

static void add_up(const struct job *job, int status, struct sums *sums)
{
	const struct tally *tally = job->tally;
	size_t failures = tally->differed < TRIAL_FAILED_MAX ? tally->differed : TRIAL_FAILED_MAX;

	sums->passed += tally->agreed;
	sums->failed += tally->differed;
	sums->probes += tally->probes;
	sums->refused += tally->refused;
	sums->audited += tally->audited;
	for (size_t i = 0; i < failures && sums->searches < SEARCHES_MAX; i++, sums->searches++)
		search_shortest(&job->trial, tally->failed[i]);
	if (tally->complete && !status)
		return;
	/* It has not come to its end: what is left is neither passed nor to be forgotten. */
	sums->failed++;
	printf("%s, %s: ended at seed %llu by %s %d\n", job->trial.plane->name,
		topology_name(job->trial.topology), (unsigned long long)tally->seed,
		WIFSIGNALED(status) ? "signal" : "exit code",
		WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
	print_command(&job->trial, tally->seed, 1);
}

static void wait_for_one(struct job *jobs, size_t count, struct sums *sums)
{
	struct job done = {0};
	int status;
	pid_t pid = wait(&status);

	for (size_t i = 0; i < count; i++)
		if (jobs[i].pid == pid) {
			done = jobs[i];
			jobs[i].pid = 0;
		}
	if (!done.pid)
		return;
	add_up(&done, status, sums);
	job_clear(&done);
}

static struct job *free_job(struct job *jobs, size_t count, struct sums *sums)
{
	for (;;) {
		for (size_t i = 0; i < count; i++)
			if (!jobs[i].pid)
				return &jobs[i];
		wait_for_one(jobs, count, sums);
	}
}

static void run_trials(const struct settings *settings, const struct dataplane_ops *plane,
	enum topology topology, struct job *jobs, struct sums *sums)
{
	size_t step = TRIAL_PROBES_MAX / settings->probes;
	const char *missing = plane->unavailable();

	if (missing) {
		printf("skipped: %s: %s\n", plane->name, missing);
		sums->skipped++;
		return;
	}
	for (size_t done = 0; done < settings->models; done += step) {
		struct job *job = free_job(jobs, settings->jobs, sums);
		size_t left = settings->models - done;

		job->trial = (struct trial){
			.plane = plane,
			.topology = topology,
			.first_seed = settings->seed + done,
			.models = left < step ? left : step,
			.probes = settings->probes,
		};
		job_start(job);
	}
}

static void run_all(const struct settings *settings, struct sums *sums)
{
	struct job jobs[JOBS_MAX] = {0};

	for (unsigned int plane = 0; plane < PLANES; plane++)
		for (unsigned int topology = 0; topology < TOPOLOGIES; topology++)
			if (settings->planes[plane] && settings->topologies[topology])
				run_trials(settings, planes[plane], (enum topology)topology, jobs,
					sums);
	for (unsigned int i = 0; i < settings->jobs; i++)
		while (jobs[i].pid)
			wait_for_one(jobs, settings->jobs, sums);
}

static _Noreturn void usage(FILE *stream, int code)
{
	fputs("usage: differential [--models N] [--probes N] [--seed S] [--jobs N]\n"
	      "                    [--plane ebpf|nft|both] [--topology bridge|routed|both]\n",
		stream);
	exit(code);
}

static uint64_t parse_number(const char *text, uint64_t minimum, uint64_t maximum)
{
	unsigned long long number;
	char *end;

	errno = 0;
	number = strtoull(text, &end, 10);
	if (errno || end == text || *end || *text == '-' || number < minimum || number > maximum) {
		fprintf(stderr, "%s: expected a number from %llu to %llu\n", text,
			(unsigned long long)minimum, (unsigned long long)maximum);
		usage(stderr, 2);
	}
	return number;
}

/* "both", or the one that is called so. */
static void parse_choice(const char *text, const char *const *names, bool *ret, size_t count)
{
	bool found = false;

	for (size_t i = 0; i < count; i++) {
		ret[i] = !strcmp(text, "both") || !strcmp(text, names[i]);
		found |= ret[i];
	}
	if (!found)
		usage(stderr, 2);
}

static void parse_options(int argc, char **argv, struct settings *settings)
{
	static const struct option options[] = {
		{"models", required_argument, NULL, 'm'},
		{"probes", required_argument, NULL, 'p'},
		{"seed", required_argument, NULL, 's'},
		{"jobs", required_argument, NULL, 'j'},
		{"plane", required_argument, NULL, 'P'},
		{"topology", required_argument, NULL, 'T'},
		{"help", no_argument, NULL, 'h'},
		{0},
	};
	static const char *const plane_names[PLANES] = {"ebpf", "nft"};
	const char *const topology_names[TOPOLOGIES] = {
		topology_name(TOPOLOGY_BRIDGE), topology_name(TOPOLOGY_ROUTED)};
	int option;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		switch (option) {
		case 'm':
			settings->models = parse_number(optarg, 1, INT_MAX);
			break;
		case 'p':
			settings->probes = parse_number(optarg, 1, 1000);
			break;
		case 's':
			settings->seed = parse_number(optarg, 0, INT64_MAX);
			break;
		case 'j':
			settings->jobs = (unsigned int)parse_number(optarg, 1, JOBS_MAX);
			break;
		case 'P':
			parse_choice(optarg, plane_names, settings->planes, PLANES);
			break;
		case 'T':
			parse_choice(optarg, topology_names, settings->topologies, TOPOLOGIES);
			break;
		default:
			usage(option == 'h' ? stdout : stderr, option == 'h' ? 0 : 2);
		}
	}
	if (optind != argc)
		usage(stderr, 2);
}

int main(int argc, char **argv)
{
	struct settings settings = {
		.models = 20,
		.probes = 40,
		.seed = 1,
		.jobs = 2,
		.planes = {true, true},
		.topologies = {true, true},
	};
	struct sums sums = {0};

	parse_options(argc, argv, &settings);
	if (geteuid() != 0) {
		printf("skipped: needs root\n0 passed, 0 failed, 1 skipped\n");
		return EXIT_SUCCESS;
	}
	run_all(&settings, &sums);
	printf("%llu probes: the evaluator allows %llu (%llu of them audited), refuses %llu\n",
		(unsigned long long)sums.probes, (unsigned long long)(sums.probes - sums.refused),
		(unsigned long long)sums.audited, (unsigned long long)sums.refused);
	printf("%zu passed, %zu failed, %zu skipped\n", sums.passed, sums.failed, sums.skipped);
	return sums.failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
