// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Somebody looks for services: more of his first contacts fail than those of anybody who knows
 * where he is going. What failed may be policy's doing or the target's; a contact with a service
 * that has answered before and is away now says nothing. Sources that stay below the mark are
 * looked at together, for each target and for each service that they try (scan_group.h).
 */
#include "detect/attempts.h"
#include "detect/detectors.h"
#include "detect/distinct.h"
#include "detect/party.h"
#include "detect/scan_group.h"
#include "detect/suspect.h"
#include "detect/walk.h"

#include "base/cleanup.h"
#include "base/clock.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SOURCES_MAX    8192
#define REMEMBERED_MAX 262144
#define SLOW_NS        (30ULL * 60 * NS_PER_SECOND)
#define REPEATED_MAX   64 /* who failed more often than that hardly tries the same again */
#define HIGH_TIMES     4  /* as far above the threshold it is no mistake any more */

enum parameter {
	BENIGN_FAILURES,
	SCANNER_FAILURES,
	FALSE_ALARM,
	CREDIT,
	HALF_LIFE_HOURS,
	PARAMETERS_COUNT
};

static const struct detector_parameter parameters[PARAMETERS_COUNT + 1] = {
	{"benign-failures", 0.25, 0.01, 0.6,
		"share of a benign workload's first contacts that fail"},
	{"scanner-failures", 0.8, 0.61, 0.99, "share of a scanner's first contacts that fail"},
	{"false-alarm", 0.0002, 1e-9, 0.1, "chance to accuse a benign workload"},
	{"credit", 1.75, 0, 100, "answered first contacts that speak for a workload, at most"},
	{"half-life", 12, 0.1, 1000, "hours after which a failure counts half"},
	{0},
};

struct source {
	struct ledger_entry entry;
	struct walk walk;
	struct distinct targets;
	struct distinct services;
	struct distinct failed; /* target and service, all that walk counts */
	struct distinct before; /* of them those from before a restart */
	struct suspect suspect;
	uint64_t refused;
};

struct detector {
	const struct detect_context *context;
	struct walk_limits limits;
	struct attempts attempts;
	struct ledger sources;
	struct scan_groups groups;
};

static void source_clear(void *entry)
{
	struct source *source = entry;

	suspect_clear(&source->suspect);
}

static struct source *source_touch(struct detector *detector, uint64_t key)
{
	return ledger_touch(&detector->sources, &(struct ledger_key){{key}});
}

/* What was counted is told with the next accusation only. */
static void forget_episode(struct source *source)
{
	suspect_clear(&source->suspect);
	source->targets = source->services = source->failed = source->before = (struct distinct){0};
	source->refused = 0;
}

static void on_answered(const struct attempt *attempt, void *userdata)
{
	struct detector *detector = userdata;
	struct source *source = source_touch(detector, attempt->source);

	if (!source)
		return;
	walk_succeed(&source->walk, &detector->limits, attempt->time_ns);
	if (walk_is_low(&source->walk))
		forget_episode(source);
	scan_groups_answered(&detector->groups, attempt);
}

/* key and sentence by the scan's shape. */
static void describe_shape(
	struct finding *finding, const struct source *source, const struct record *record)
{
	unsigned int targets = distinct_count(&source->targets);
	unsigned int services = distinct_count(&source->services);
	char target[PARTY_TEXT_MAX], service[SERVICE_TEXT_MAX], took[DURATION_TEXT_MAX];
	const struct suspect *suspect = &source->suspect;

	party_format(suspect->target, &suspect->target_address, target);
	service_format(record, service);
	duration_format(suspect->last_ns - suspect->first_ns, took);
	if (targets <= 1) {
		finding_key(finding, "vertical:%s", target);
		finding_sentence(finding,
			"tried %u services of %s in %s; %" PRIu64 " first contacts failed, %" PRIu64
			" of them by policy",
			services, target, took, suspect->count, source->refused);
		return;
	}
	finding_has_many_targets(finding);
	if (services <= 1)
		finding_key(finding, "horizontal:%s", service);
	else
		finding_key(finding, "block");
	finding_sentence(finding,
		"tried %s%s on %u targets in %s; %" PRIu64 " first contacts failed, %" PRIu64
		" of them by policy",
		services <= 1 ? service : "many services", services <= 1 ? "" : " at once", targets,
		took, suspect->count, source->refused);
}

static void report(
	struct detector *detector, const struct source *source, const struct record *record)
{
	const struct suspect *suspect = &source->suspect;
	bool is_ping = party_service(record) >> 16 == 1 || party_service(record) >> 16 == 58;
	bool is_slow = suspect->last_ns - suspect->first_ns > SLOW_NS;
	struct finding finding = suspect_finding(suspect, "scan",
		is_ping && distinct_count(&source->services) <= 1 ? "T1018" : "T1046");

	describe_shape(&finding, source, record);
	finding.severity = SEVERITY_MEDIUM;
	if (source->walk.value > HIGH_TIMES * detector->limits.threshold)
		finding.severity = SEVERITY_HIGH;
	/* From the outside everything that has an address is scanned all day. */
	if (party_is_world(record, RECORD_SOURCE))
		finding.severity = SEVERITY_LOW;
	finding_because(&finding, "%s%s",
		finding.severity == SEVERITY_LOW ? "it comes from outside"
		: finding.severity == SEVERITY_HIGH
			? "far more contacts failed than any mistake explains"
			: "a workload that knows its peers has few failures among its first contacts",
		is_slow ? "; slow, as one who does not want to be seen" : "");
	detector->context->report(&finding, record, detector->context->userdata);
}

/* What fails for the first time since a restart may have failed before it. */
static void count_failure(
	const struct detector *detector, struct source *source, const struct attempt *attempt)
{
	uint64_t what = party_join(attempt->target, attempt->service);

	if (distinct_has(&source->before, what))
		return;
	walk_fail(&source->walk, &detector->limits, attempt->time_ns);
	distinct_add(&source->failed, what);
}

static void on_failed(const struct attempt *attempt, const struct record *record, void *userdata)
{
	struct detector *detector = userdata;
	struct source *source;

	if (attempt->is_known && !attempt->was_refused)
		return;
	source = source_touch(detector, attempt->source);
	if (!source)
		return;
	if (attempt->was_answered)
		source->walk.value += detector->limits.down;
	count_failure(detector, source, attempt);
	distinct_add(&source->targets, attempt->target);
	distinct_add(&source->services, attempt->service);
	suspect_add(&source->suspect, record);
	source->refused += attempt->was_refused;
	if (walk_accuses(&source->walk, &detector->limits))
		report(detector, source, record);
	else
		scan_groups_failed(&detector->groups, attempt, record);
}

static int scan_open(
	const double *values, const struct detect_context *context, struct detector **ret)
{
	struct detector *detector = calloc(1, sizeof(*detector));
	int r;

	if (!detector)
		return -ENOMEM;
	detector->context = context;
	detector->limits = walk_limits(values[BENIGN_FAILURES], values[SCANNER_FAILURES],
		values[FALSE_ALARM], values[CREDIT], values[HALF_LIFE_HOURS]);
	detector->sources = (struct ledger){
		.size = SOURCES_MAX,
		.entry_bytes = sizeof(struct source),
		.clear = source_clear,
	};
	detector->attempts.answered = on_answered;
	detector->attempts.failed = on_failed;
	detector->attempts.userdata = detector;
	r = attempts_open(&detector->attempts, REMEMBERED_MAX);
	if (!r)
		r = scan_groups_open(&detector->groups, &detector->limits, context);
	if (r < 0) {
		attempts_close(&detector->attempts);
		free(detector);
		return r;
	}
	*ret = detector;
	return 0;
}

static void scan_record(struct detector *detector, const struct record *record)
{
	attempts_record(&detector->attempts, record);
}

static json_t *scan_describe(const struct detector *detector)
{
	const struct ledger *ledgers[] = {
		&detector->sources, &detector->attempts.pending, &detector->groups.ledger};

	return ledgers_describe(ledgers, ARRAY_SIZE(ledgers),
		detector->attempts.tried.forgotten + detector->attempts.services.forgotten +
			detector->groups.tried.forgotten);
}

/* Who failed how often, and where: a slow scan must not be helped by a restart, and who tries the
 * same again and again must not be accused because of one. */
static json_t *scan_save(const struct detector *detector)
{
	json_t *sources = json_array();
	const struct ledger_entry *entry;

	for (entry = detector->sources.by_age; sources && entry; entry = entry->next) {
		const struct source *source = (const struct source *)entry;
		char key[17], failed[DISTINCT_TEXT_MAX];

		if (walk_is_low(&source->walk))
			continue;
		snprintf(key, sizeof(key), "%016" PRIx64, entry->key.parts[0]);
		json_array_append_new(sources, json_pack("[s, f, I, s]", key, source->walk.value,
						       (json_int_t)source->walk.time_ns,
						       distinct_format(&source->failed, failed)));
	}
	return json_pack("{s:o?}", "sources", sources);
}

static int load_source(struct detector *detector, const json_t *saved)
{
	/* Earlier versions did not keep it. */
	const char *failed_text = json_string_value(json_array_get(saved, 3));
	struct distinct failed = {0};
	const char *key;
	json_int_t time_ns;
	double value;
	struct source *source;

	if (json_unpack((json_t *)saved, "[s, F, I]", &key, &value, &time_ns) < 0 || time_ns < 0 ||
		(failed_text && distinct_parse(failed_text, &failed) < 0))
		return -EBADMSG;
	source = source_touch(detector, strtoull(key, NULL, 16));
	if (!source)
		return -ENOMEM;
	source->walk = (struct walk){value, (uint64_t)time_ns};
	source->failed = failed;
	if (distinct_count(&failed) <= REPEATED_MAX)
		source->before = failed;
	return 0;
}

static int scan_load(struct detector *detector, const json_t *state)
{
	const json_t *sources = json_object_get(state, "sources");
	json_t *saved;
	size_t i;
	int r = json_is_array(sources) ? 0 : -EBADMSG;

	json_array_foreach (sources, i, saved) {
		r = load_source(detector, saved);
		if (r < 0)
			break;
	}
	if (r < 0)
		ledger_clear(&detector->sources);
	return r;
}

static void scan_close(struct detector *detector)
{
	scan_groups_close(&detector->groups);
	attempts_close(&detector->attempts);
	ledger_clear(&detector->sources);
	free(detector);
}

const struct detector_ops scan_detector = {
	.name = "scan",
	.summary = "looks for services: first contacts that fail",
	.method = "Jung, Paxson, Berger, Balakrishnan, \"Fast Portscan Detection Using Sequential "
		  "Hypothesis Testing\", IEEE S&P 2004",
	.parameters = parameters,
	.open = scan_open,
	.record = scan_record,
	.describe = scan_describe,
	.save = scan_save,
	.load = scan_load,
	.close = scan_close,
};
