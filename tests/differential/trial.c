// SPDX-License-Identifier: GPL-2.0-or-later
#include "trial.h"

#include "attachments.h"
#include "base/clock.h"
#include "difference.h"
#include "round.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#define NFLOG_GROUP        4713
#define ACQUAINTING_PROBES 100
#define BASELINE_PROBES    200
#define MODEL_SECONDS      60 /* after these a model hangs: the process is ended by SIGALRM */

/* What a trial works with. */
struct bench {
	const struct trial *trial;
	struct tally *tally;
	struct network network;
	struct post post;
	sd_event *event;
	struct dataplane *plane;
	struct round *round; /* whose events come; NULL: between two */
	uint32_t probes;     /* drawn so far */
};

static void on_flow(const struct flow_event *event, void *userdata)
{
	struct bench *bench = userdata;

	/* No difference by itself, but what explains one. */
	if (event->type == FLOW_GAP)
		fprintf(stderr, "%s, seed %llu: %llu events lost\n", bench->trial->plane->name,
			(unsigned long long)bench->tally->seed, (unsigned long long)event->lost);
	if (bench->round)
		round_take_event(bench->round, event);
}

static void on_trouble(const char *message, bool repaired, void *userdata)
{
	const struct bench *bench = userdata;

	fprintf(stderr, "%s, seed %llu: %s%s\n", bench->trial->plane->name,
		(unsigned long long)bench->tally->seed, message, repaired ? " (repaired)" : "");
}

static int open_plane(struct bench *bench, struct error *error)
{
	const struct dataplane_options options = {
		.pin_directory = NETWORK_PIN_DIRECTORY,
		.adoption_ns = 0,
		.nflog_group = NFLOG_GROUP,
	};
	const struct dataplane_callbacks callbacks = {
		.flow = on_flow, .trouble = on_trouble, .userdata = bench};

	return bench->trial->plane->open(&options, &callbacks, bench->event, &bench->plane, error);
}

static int apply(struct bench *bench, const struct scenario *scenario, struct error *error)
{
	struct attachment attachments[PLACE_WORKLOADS];
	const struct dataplane_state state = {
		.ir = scenario->ir,
		.model = scenario->model,
		.attachments = attachments,
		.attachments_count = attachments_list(&bench->network, scenario, attachments),
	};
	int r = bench->trial->plane->apply(bench->plane, &state, error);

	return r < 0 ? error_context(error, r, "apply") : 0;
}

/* Without a data plane everything passes: the tests of refusals rest on that. */
static void expect_everything(struct probe *probes, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		probes[i].expected = (struct evaluation){.verdict = VERDICT_ALLOW};
		probes[i].expects_connection = false;
	}
}

static void count_probes(struct tally *tally, const struct round *round)
{
	tally->probes += round->count;
	for (size_t i = 0; i < round->count; i++) {
		const struct evaluation *expected = &round->probes[i].expected;

		tally->refused += expected->verdict == VERDICT_DENY;
		tally->audited +=
			expected->verdict == VERDICT_ALLOW &&
			(expected->egress.flags | expected->ingress.flags) & DECISION_AUDIT;
	}
}

static void print_report(
	const struct bench *bench, const struct scenario *scenario, const char *differences)
{
	printf("seed %llu, %s data plane%s, %s topology:\n%s", (unsigned long long)scenario->seed,
		bench->trial->plane->name, bench->plane ? "" : " not yet open",
		topology_name(bench->trial->topology), differences);
	scenario_print(scenario, stdout);
	fflush(stdout);
}

/* How many differences there are; they are printed. */
static int compare(const struct bench *bench, const struct scenario *scenario,
	const struct round *round, unsigned int *ret, struct error *error)
{
	_cleanup_free_ char *text = NULL;
	size_t size;
	FILE *stream = open_memstream(&text, &size);
	unsigned int count = 0;

	if (!stream)
		return error_nomem(error);
	for (size_t i = 0; i < round->count; i++)
		count += difference_print(scenario, &round->probes[i], stream);
	if (fclose(stream) != 0)
		return error_nomem(error);
	if (count && !bench->trial->quiet)
		print_report(bench, scenario, text);
	*ret = count;
	return 0;
}

/* On the data plane, or without one if it is not open. */
static int try_model(struct bench *bench, struct scenario *scenario, size_t wanted,
	unsigned int *ret, struct error *error)
{
	_cleanup_free_ struct probe *probes = calloc(wanted, sizeof(*probes));
	struct round round = {
		.post = &bench->post,
		.event = bench->event,
		.ops = bench->trial->plane,
		.plane = bench->plane,
		.probes = probes,
	};
	int r = 0;

	if (!probes)
		return error_nomem(error);
	round.count = probes_draw(scenario, bench->probes, probes, wanted);
	bench->probes += (uint32_t)round.count;
	if (bench->plane)
		r = apply(bench, scenario, error);
	else
		expect_everything(probes, round.count);
	if (r < 0)
		return r;
	bench->round = &round;
	r = round_run(&round, error);
	bench->round = NULL;
	if (r < 0)
		return r;
	if (bench->plane)
		count_probes(bench->tally, &round);
	return compare(bench, scenario, &round, ret, error);
}

static int try_seed(
	struct bench *bench, uint64_t seed, size_t wanted, unsigned int *ret, struct error *error)
{
	_cleanup_(scenario_freep) struct scenario *scenario = NULL;
	int r;

	alarm(MODEL_SECONDS);
	bench->tally->seed = seed;
	r = scenario_new(seed, &scenario, error);
	return r ? r : try_model(bench, scenario, wanted, ret, error);
}

/* Links come up and neighbours are found in their own time: what the first packets meet is not
 * looked at. */
static int acquaint(struct bench *bench, struct error *error)
{
	_cleanup_(scenario_freep) struct scenario *scenario = NULL;
	struct probe probes[ACQUAINTING_PROBES] = {0};
	struct round round = {.post = &bench->post, .probes = probes};
	int r = scenario_new(bench->trial->first_seed, &scenario, error);

	if (r < 0)
		return r;
	round.count = probes_draw(scenario, bench->probes, probes, ACQUAINTING_PROBES);
	bench->probes += (uint32_t)round.count;
	expect_everything(probes, round.count);
	return round_run(&round, error);
}

static int try_baseline(struct bench *bench, struct error *error)
{
	unsigned int differences;
	int r = acquaint(bench, error);

	if (!r)
		r = try_seed(bench, bench->trial->first_seed, BASELINE_PROBES, &differences, error);
	if (!r && differences)
		r = error_set(error, -EIO, "without a data plane %u probes fail", differences);
	return r;
}

static int try_models(struct bench *bench, struct error *error)
{
	struct tally *tally = bench->tally;
	unsigned int differences;
	int r = 0;

	for (size_t i = 0; !r && i < bench->trial->models; i++) {
		r = try_seed(bench, bench->trial->first_seed + i, bench->trial->probes,
			&differences, error);
		if (r < 0)
			break;
		tally->last_differed = differences > 0;
		if (!differences) {
			tally->agreed++;
			continue;
		}
		if (tally->differed < TRIAL_FAILED_MAX)
			tally->failed[tally->differed] = tally->seed;
		tally->differed++;
	}
	alarm(0);
	return r;
}

static void bench_clear(struct bench *bench)
{
	if (bench->plane)
		bench->trial->plane->close(bench->plane, true);
	sd_event_unref(bench->event);
	post_close(&bench->post);
	network_clear(&bench->network);
}

int trial_run(const struct trial *trial, struct tally *tally, struct error *error)
{
	_cleanup_(bench_clear) struct bench bench = {
		.trial = trial, .tally = tally, .network = NETWORK_INIT, .post = POST_INIT};
	int r = network_build(trial->topology, &bench.network, error);

	if (!r)
		r = post_open(&bench.network, &bench.post, error);
	if (r < 0)
		return r;
	r = sd_event_new(&bench.event);
	if (r < 0)
		return error_errno(error, r, "make an event loop");
	r = try_baseline(&bench, error);
	if (!r)
		r = open_plane(&bench, error);
	if (!r)
		r = try_models(&bench, error);
	tally->complete = !r;
	return r;
}
