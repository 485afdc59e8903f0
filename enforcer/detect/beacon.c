// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Malware calls home at regular intervals, shaken a little so that it does not look regular. The
 * median absolute deviation of the intervals tells it from what people and load cause; whether it
 * is news, and whether many do the same, tells it from the clockwork that every network is full of:
 * among workloads only what the role's baseline does not have counts.
 */
#include "detect/contact.h"
#include "detect/detectors.h"
#include "detect/distinct.h"
#include "detect/ledger.h"
#include "detect/newness.h"
#include "detect/party.h"
#include "detect/suspect.h"

#include "base/clock.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#define ENTRIES_MAX 8192
#define PEERS_MAX   4096
#define INTERVALS   32
/* What is not shaken on purpose is off by less: a share of the interval, and what a busy machine
 * may add to a short one. */
#define CLOCKWORK    0.03
#define CLOCKWORK_MS 1000
#define SHARED       3 /* so many workloads call it: a service, not an accomplice */

/* A uniform distribution around the interval has half its width as median deviation; the rest is
 * what so few samples may be off. */
#define DEVIATION_OF_JITTER 0.75

enum parameter {
	COUNT,
	JITTER,
	SHORTEST,
	PARAMETERS_COUNT
};

static const struct detector_parameter parameters[PARAMETERS_COUNT + 1] = {
	{"count", 12, 6, INTERVALS, "intervals to look at, at least"},
	{"jitter", 0.2, 0.01, 0.5, "share of the interval by which it may be shaken either way"},
	{"shortest", 5, 0.01, 86400, "seconds; what comes oftener is not looked at"},
	{0},
};

struct caller {
	struct ledger_entry entry;
	struct suspect suspect;
	uint64_t last_ns;
	uint32_t intervals_ms[INTERVALS]; /* a ring */
	uint64_t count;
	uint64_t failed;
	enum novelty novelty; /* when it began */
};

/* Somebody outside, who is called. */
struct peer {
	struct ledger_entry entry;
	struct distinct callers;
};

struct detector {
	const struct detect_context *context;
	size_t count;
	double deviation;
	uint32_t shortest_ms;
	struct ledger callers;
	struct ledger peers;
};

static void caller_clear(void *entry)
{
	struct caller *caller = entry;

	suspect_clear(&caller->suspect);
}

static int compare(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return (x > y) - (x < y);
}

/* Sorts. */
static uint32_t median(uint32_t *values, size_t count)
{
	qsort(values, count, sizeof(*values), compare);
	return count % 2 ? values[count / 2] : (values[count / 2 - 1] + values[count / 2]) / 2;
}

/* Median absolute deviation by median; ret_ms the median. */
static double deviation(const struct caller *caller, uint32_t *ret_ms)
{
	size_t count = caller->count < INTERVALS ? (size_t)caller->count : INTERVALS;
	uint32_t values[INTERVALS], middle;

	memcpy(values, caller->intervals_ms, count * sizeof(*values));
	middle = median(values, count);
	for (size_t i = 0; i < count; i++)
		values[i] = values[i] > middle ? values[i] - middle : middle - values[i];
	*ret_ms = middle;
	return middle ? (double)median(values, count) / middle : 1;
}

static unsigned int count_callers(struct detector *detector, const struct record *record)
{
	struct ledger_key key = {{party_key(record, RECORD_DESTINATION), party_service(record)}};
	struct peer *peer = ledger_touch(&detector->peers, &key);

	if (!peer)
		return 0;
	distinct_add(&peer->callers, party_key(record, RECORD_SOURCE));
	return distinct_count(&peer->callers);
}

static void judge(struct finding *finding, const struct caller *caller, bool outside,
	bool on_purpose, unsigned int callers)
{
	finding->severity = SEVERITY_LOW;
	finding_because(finding, "regular calls to the outside are mostly harmless");
	if (caller->novelty == NOVELTY_NEW) {
		finding->severity = outside ? SEVERITY_HIGH : SEVERITY_MEDIUM;
		finding_because(finding, "workloads of its role never called it before");
	} else if (on_purpose && callers < SHARED) {
		finding->severity = SEVERITY_MEDIUM;
		finding_because(finding,
			"the intervals are shaken as if on purpose, and hardly anybody else calls it");
	}
}

static void report(struct detector *detector, const struct caller *caller,
	const struct record *record, unsigned int callers)
{
	const struct suspect *suspect = &caller->suspect;
	bool outside = party_is_world(record, RECORD_DESTINATION);
	struct finding finding = suspect_finding(suspect, "beacon", "T1071");
	char target[PARTY_TEXT_MAX], service[SERVICE_TEXT_MAX], interval[DURATION_TEXT_MAX];
	uint32_t interval_ms;
	double shaken = deviation(caller, &interval_ms);

	/* Who calls somebody who is not there checks whether he is. */
	if (caller->failed * 2 > caller->count || interval_ms < detector->shortest_ms ||
		shaken > detector->deviation)
		return;
	party_format(suspect->target, &suspect->target_address, target);
	service_format(record, service);
	judge(&finding, caller, outside,
		shaken >= CLOCKWORK && shaken * interval_ms >= CLOCKWORK_MS, callers);
	finding_key(&finding, "%.20s:%.130s", service, target);
	finding_sentence(&finding,
		"called %s of %s %llu times, every %s; half of the intervals are within %.0f %% of that",
		service, target, (unsigned long long)suspect->count,
		duration_format((uint64_t)interval_ms * 1000000, interval), shaken * 100);
	detector->context->report(&finding, record, detector->context->userdata);
}

/* NTP is regular by nature, DNS by load. */
static bool is_of_interest(const struct record *record)
{
	const struct flow_event *event = &record->event;

	return event->type == FLOW_NEW && event->reason != REASON_ADOPTED &&
	       party_is_workload(record, RECORD_SOURCE) && !party_is_group(&event->destination) &&
	       (event->protocol == IPPROTO_TCP || event->protocol == IPPROTO_UDP) &&
	       event->destination_port != 53 && event->destination_port != 123;
}

static void add_call(struct caller *caller, const struct record *record)
{
	uint64_t time_ns = record->event.time_ns, interval_ms;

	if (caller->last_ns && time_ns > caller->last_ns) {
		interval_ms = (time_ns - caller->last_ns) / 1000000;
		caller->intervals_ms[caller->count++ % INTERVALS] =
			interval_ms < UINT32_MAX / 2 ? (uint32_t)interval_ms : UINT32_MAX / 2;
	}
	if (time_ns > caller->last_ns)
		caller->last_ns = time_ns;
	suspect_add(&caller->suspect, record);
}

static void count_failure(struct detector *detector, const struct record *record)
{
	struct ledger_key key = {{party_key(record, RECORD_SOURCE),
		party_key(record, RECORD_DESTINATION), party_service(record)}};
	struct caller *caller = ledger_find(&detector->callers, &key);

	if (caller)
		caller->failed++;
}

static void beacon_record(struct detector *detector, const struct record *record)
{
	struct ledger_key key;
	bool outside = party_is_world(record, RECORD_DESTINATION);
	enum novelty novelty;
	struct caller *caller;

	if (contact_of(record) == CONTACT_FAILED)
		count_failure(detector, record);
	if (!is_of_interest(record))
		return;
	novelty = newness_of(detector->context->newness, record);
	if (novelty == NOVELTY_USUAL || (!outside && novelty == NOVELTY_UNKNOWN))
		return;
	key = (struct ledger_key){{party_key(record, RECORD_SOURCE),
		party_key(record, RECORD_DESTINATION), party_service(record)}};
	caller = ledger_touch(&detector->callers, &key);
	if (!caller)
		return;
	if (!caller->suspect.count)
		caller->novelty = novelty;
	add_call(caller, record);
	if (caller->count >= detector->count)
		report(detector, caller, record, count_callers(detector, record));
	else
		count_callers(detector, record);
}

static int beacon_open(
	const double *values, const struct detect_context *context, struct detector **ret)
{
	struct detector *detector = calloc(1, sizeof(*detector));

	if (!detector)
		return -ENOMEM;
	detector->context = context;
	detector->count = (size_t)values[COUNT];
	detector->deviation = values[JITTER] * DEVIATION_OF_JITTER;
	detector->shortest_ms = (uint32_t)(values[SHORTEST] * 1000);
	detector->callers = (struct ledger){
		.size = ENTRIES_MAX,
		.entry_bytes = sizeof(struct caller),
		.clear = caller_clear,
	};
	detector->peers = (struct ledger){.size = PEERS_MAX, .entry_bytes = sizeof(struct peer)};
	*ret = detector;
	return 0;
}

static json_t *beacon_describe(const struct detector *detector)
{
	const struct ledger *ledgers[] = {&detector->callers, &detector->peers};

	return ledgers_describe(ledgers, 2, 0);
}

static void beacon_close(struct detector *detector)
{
	ledger_clear(&detector->callers);
	ledger_clear(&detector->peers);
	free(detector);
}

const struct detector_ops beacon_detector = {
	.name = "beacon",
	.summary = "regular calls, shaken a little",
	.method = "median absolute deviation of intervals (Hampel 1974), as Active "
		  "Countermeasures' RITA scores beacons, and how many others call the same",
	.parameters = parameters,
	.open = beacon_open,
	.record = beacon_record,
	.describe = beacon_describe,
	.close = beacon_close,
};
