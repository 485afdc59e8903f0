// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Suddenly policy refuses far more of one source than it usually does: somebody hammers at a door,
 * or a change has locked out what should be let in. Either wants a person.
 */
#include "detect/detectors.h"
#include "detect/ledger.h"
#include "detect/party.h"
#include "detect/suspect.h"

#include "base/clock.h"

#include <errno.h>
#include <stdlib.h>

#define ENTRIES_MAX 8192
#define SMOOTHING   0.1 /* of a new window in what is usual */

enum parameter {
	PACKETS,
	WINDOW,
	TIMES_USUAL,
	PARAMETERS_COUNT
};

static const struct detector_parameter parameters[PARAMETERS_COUNT + 1] = {
	{"packets", 500, 1, 1e9, "refused packets within a window"},
	{"window", 10, 1, 3600, "seconds"},
	{"times-usual", 10, 1, 1e6, "and so many times what is usual of the source"},
	{0},
};

struct refused {
	struct ledger_entry entry;
	struct suspect suspect; /* of this window */
	uint64_t window;        /* which one it is */
	uint64_t packets;
	double usual; /* packets in a window, smoothed exponentially */
};

struct detector {
	const struct detect_context *context;
	uint64_t packets;
	uint64_t window_ns;
	double times_usual;
	struct ledger sources;
};

static void refused_clear(void *entry)
{
	struct refused *refused = entry;

	suspect_clear(&refused->suspect);
}

static void begin_window(struct refused *refused, uint64_t window)
{
	uint64_t passed = window - refused->window;

	refused->usual += SMOOTHING * ((double)refused->packets - refused->usual);
	for (; passed > 1 && refused->usual > 0.01; passed--)
		refused->usual *= 1 - SMOOTHING;
	refused->window = window;
	refused->packets = 0;
	suspect_clear(&refused->suspect);
}

static void report(
	const struct detector *detector, const struct refused *refused, const struct record *record)
{
	const struct suspect *suspect = &refused->suspect;
	struct finding finding = suspect_finding(suspect, "denial_burst", "T1498");
	char target[PARTY_TEXT_MAX], took[DURATION_TEXT_MAX];

	party_format(suspect->target, &suspect->target_address, target);
	finding_key(&finding, "burst");
	finding_sentence(&finding, "%llu packets were refused in %s, the last of them to %s",
		(unsigned long long)refused->packets,
		duration_format(suspect->last_ns - suspect->first_ns, took), target);
	finding.severity = SEVERITY_MEDIUM;
	finding_because(&finding,
		"%.0f in %.0f s are usual of it; either it floods, or a policy has locked it out",
		refused->usual, (double)detector->window_ns / (double)NS_PER_SECOND);
	finding.count = refused->packets;
	detector->context->report(&finding, record, detector->context->userdata);
}

static void denial_burst_record(struct detector *detector, const struct record *record)
{
	const struct flow_event *event = &record->event;
	struct ledger_key key;
	uint64_t window = event->time_ns / detector->window_ns;
	struct refused *refused;

	/* Deny lists and quarantine are there to refuse much. */
	if (event->type != FLOW_DENIED || event->reason == REASON_DENY_LIST ||
		event->reason == REASON_QUARANTINED || party_is_world(record, RECORD_SOURCE))
		return;
	key = (struct ledger_key){{party_key(record, RECORD_SOURCE)}};
	refused = ledger_touch(&detector->sources, &key);
	if (!refused)
		return;
	if (window > refused->window)
		begin_window(refused, window);
	refused->packets += event->packets[0];
	suspect_add(&refused->suspect, record);
	if (refused->packets >= detector->packets &&
		(double)refused->packets >= detector->times_usual * refused->usual)
		report(detector, refused, record);
}

static int denial_burst_open(
	const double *values, const struct detect_context *context, struct detector **ret)
{
	struct detector *detector = calloc(1, sizeof(*detector));

	if (!detector)
		return -ENOMEM;
	detector->context = context;
	detector->packets = (uint64_t)values[PACKETS];
	detector->window_ns = clock_from_seconds(values[WINDOW]);
	detector->times_usual = values[TIMES_USUAL];
	detector->sources = (struct ledger){
		.size = ENTRIES_MAX,
		.entry_bytes = sizeof(struct refused),
		.clear = refused_clear,
	};
	*ret = detector;
	return 0;
}

static json_t *denial_burst_describe(const struct detector *detector)
{
	const struct ledger *ledgers[] = {&detector->sources};

	return ledgers_describe(ledgers, 1, 0);
}

static void denial_burst_close(struct detector *detector)
{
	ledger_clear(&detector->sources);
	free(detector);
}

const struct detector_ops denial_burst_detector = {
	.name = "denial_burst",
	.summary = "far more refused than usual",
	.method = "packets in a window against the source's exponentially weighted average "
		  "(Roberts 1959)",
	.parameters = parameters,
	.open = denial_burst_open,
	.record = denial_burst_record,
	.describe = denial_burst_describe,
	.close = denial_burst_close,
};
