// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Somebody guesses passwords: many sessions on a service that asks for one, each over after a few
 * kilobytes. A session in which the client says nothing is a health check; one that goes on, or
 * carries more, got in. Where the role has opened such sessions on earlier days, it takes many
 * more.
 */
#include "detect/detectors.h"
#include "detect/ledger.h"
#include "detect/newness.h"
#include "detect/party.h"
#include "detect/seen.h"
#include "detect/service.h"
#include "detect/suspect.h"

#include "base/clock.h"

#include <errno.h>
#include <inttypes.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>

#define ENTRIES_MAX  8192
#define SESSIONS_MAX 65536
#define USUAL_TIMES  10 /* as many for one whose role does that */
#define HIGH_TIMES   5

/* IP, TCP and its timestamps. */
#define HEADER_BYTES_IPV4 52
#define HEADER_BYTES_IPV6 72

enum parameter {
	SESSIONS,
	STORE_SESSIONS,
	WINDOW,
	SHORT_BYTES,
	STORE_BYTES,
	PARAMETERS_COUNT
};

static const struct detector_parameter parameters[PARAMETERS_COUNT + 1] = {
	{"sessions", 10, 2, 1e6, "short sessions on one service of one target within the window"},
	{"store-sessions", 40, 2, 1e6, "the same on a database, which some open for each question"},
	{"window", 120, 1, 86400, "seconds"},
	{"short-bytes", 10000, 100, 1e9,
		"payload of either side, at most, in a session without success"},
	{"store-bytes", 500, 50, 1e9, "the same from a database: an error, and no answer"},
	{0},
};

struct guesser {
	struct ledger_entry entry;
	struct suspect suspect;
	uint64_t since_ns; /* when the first of them was over: it may be older than the window */
};

struct detector {
	const struct detect_context *context;
	double values[PARAMETERS_COUNT];
	struct seen counted; /* sessions, by id */
	struct ledger guessers;
};

static void guesser_clear(void *entry)
{
	struct guesser *guesser = entry;

	suspect_clear(&guesser->suspect);
}

static double payload(const struct flow_event *event, size_t side)
{
	uint64_t header = address_is_ipv4(&event->source) ? HEADER_BYTES_IPV4 : HEADER_BYTES_IPV6;

	return (double)event->bytes[side] - (double)(event->packets[side] * header);
}

static bool is_over(const struct flow_event *event)
{
	return event->type == FLOW_END ||
	       (event->type == FLOW_UPDATE && event->tcp_flags & (TH_FIN | TH_RST));
}

static bool is_short_session(const struct detector *detector, const struct record *record)
{
	const struct flow_event *event = &record->event;
	bool store = service_class(record) == SERVICE_STORE;
	double sent = payload(event, 0), received = payload(event, 1);

	/* SYN options are more than a header's: 16 bytes say that somebody spoke. */
	return is_over(event) && event->reason != REASON_REVOKED && sent >= 16 && received >= 16 &&
	       sent <= detector->values[SHORT_BYTES] &&
	       received <= detector->values[store ? STORE_BYTES : SHORT_BYTES];
}

static bool is_enough(const struct detector *detector, const struct guesser *guesser,
	const struct record *record, enum novelty novelty)
{
	bool store = service_class(record) == SERVICE_STORE;
	double limit = detector->values[store ? STORE_SESSIONS : SESSIONS];

	if (novelty == NOVELTY_USUAL)
		limit *= USUAL_TIMES;
	return (double)guesser->suspect.count >= limit;
}

static void report(const struct detector *detector, const struct guesser *guesser,
	const struct record *record, enum novelty novelty)
{
	const struct suspect *suspect = &guesser->suspect;
	struct finding finding = suspect_finding(suspect, "brute_force", "T1110");
	char target[PARTY_TEXT_MAX], service[SERVICE_TEXT_MAX], took[DURATION_TEXT_MAX];

	party_format(suspect->target, &suspect->target_address, target);
	service_format(record, service);
	finding_key(&finding, "%.20s:%.130s", service, target);
	finding_sentence(&finding, "opened %" PRIu64 " short sessions with %s of %s in %s",
		suspect->count, service, target,
		duration_format(suspect->last_ns - suspect->first_ns, took));
	finding.severity = SEVERITY_MEDIUM;
	finding_because(&finding, "the service asks for a password, and none of them went on");
	if (novelty == NOVELTY_NEW) {
		finding.severity = SEVERITY_HIGH;
		finding_because(&finding, "and workloads of its role never turned to it before");
	} else if ((double)suspect->count >= HIGH_TIMES * detector->values[SESSIONS]) {
		finding.severity = SEVERITY_HIGH;
		finding_because(&finding, "so many are no mistyped password");
	}
	if (party_is_world(record, RECORD_SOURCE)) {
		finding.severity = SEVERITY_LOW;
		finding_because(&finding, "it comes from outside, where that never ends");
	}
	detector->context->report(&finding, record, detector->context->userdata);
}

static void brute_force_record(struct detector *detector, const struct record *record)
{
	struct ledger_key key;
	uint64_t window_ns = clock_from_seconds(detector->values[WINDOW]);
	enum novelty novelty;
	struct guesser *guesser;

	if (!service_authenticates(record))
		return;
	novelty = newness_of(detector->context->newness, record);
	if (!is_short_session(detector, record) || seen_add(&detector->counted, record->event.id))
		return;
	key = (struct ledger_key){{party_key(record, RECORD_SOURCE),
		party_key(record, RECORD_DESTINATION), party_service(record)}};
	guesser = ledger_touch(&detector->guessers, &key);
	if (!guesser)
		return;
	if (record->event.time_ns > guesser->since_ns + window_ns) {
		suspect_clear(&guesser->suspect);
		guesser->since_ns = record->event.time_ns;
	}
	suspect_add(&guesser->suspect, record);
	if (is_enough(detector, guesser, record, novelty))
		report(detector, guesser, record, novelty);
}

static void brute_force_close(struct detector *detector)
{
	ledger_clear(&detector->guessers);
	seen_close(&detector->counted);
	free(detector);
}

static int brute_force_open(
	const double *values, const struct detect_context *context, struct detector **ret)
{
	struct detector *detector = calloc(1, sizeof(*detector));

	if (!detector)
		return -ENOMEM;
	detector->context = context;
	memcpy(detector->values, values, sizeof(detector->values));
	detector->guessers = (struct ledger){
		.size = ENTRIES_MAX,
		.entry_bytes = sizeof(struct guesser),
		.clear = guesser_clear,
	};
	if (seen_open(&detector->counted, SESSIONS_MAX) < 0) {
		brute_force_close(detector);
		return -ENOMEM;
	}
	*ret = detector;
	return 0;
}

static json_t *brute_force_describe(const struct detector *detector)
{
	const struct ledger *ledgers[] = {&detector->guessers};

	return ledgers_describe(ledgers, 1, detector->counted.forgotten);
}

const struct detector_ops brute_force_detector = {
	.name = "brute_force",
	.summary = "many short sessions on a service that authenticates",
	.method = "count of short sessions in a window, by payload size as in Hellemons et al., "
		  "\"SSHCure: A Flow-Based SSH Intrusion Detection System\", AIMS 2012",
	.parameters = parameters,
	.open = brute_force_open,
	.record = brute_force_record,
	.describe = brute_force_describe,
	.close = brute_force_close,
};
