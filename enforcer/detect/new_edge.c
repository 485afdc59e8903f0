// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Somebody does what no workload of his role has done while the baseline was learnt, and is let in,
 * or is refused by policy. Where nobody answers there is no edge; many of that kind are scan's
 * business. Roles are labels, so a new replica, another node or another address is nothing new.
 */
#include "detect/contact.h"
#include "detect/detectors.h"
#include "detect/distinct.h"
#include "detect/ledger.h"
#include "detect/newness.h"
#include "detect/party.h"
#include "detect/seen.h"
#include "detect/service.h"
#include "detect/suspect.h"
#include "detect/waiting.h"

#include "base/clock.h"

#include <errno.h>
#include <stdlib.h>

#define ENTRIES_MAX 8192
#define EDGES_MAX   65536

enum parameter {
	SEVERAL,
	WINDOW,
	PARAMETERS_COUNT
};

static const struct detector_parameter parameters[PARAMETERS_COUNT + 1] = {
	{"several", 4, 2, 1000,
		"so many new edges of a workload are more than a change of its code"},
	{"window", 600, 1, 86400, "seconds within which they are counted"},
	{0},
};

struct novice {
	struct ledger_entry entry;
	struct distinct edges;
	struct suspect suspect;
	uint64_t since_ns; /* when its window began; what is refused may be older */
};

struct detector {
	const struct detect_context *context;
	unsigned int several;
	uint64_t window_ns;
	struct seen told;       /* role, peer, service */
	struct waiting pending; /* nobody has turned it away yet */
	struct ledger novices;
};

static void novice_clear(void *entry)
{
	struct novice *novice = entry;

	suspect_clear(&novice->suspect);
}

/* Severity and why. */
static void judge(struct finding *finding, const struct detector *detector,
	const struct novice *novice, const struct record *record)
{
	enum service_class class = service_class(record);

	finding->severity = SEVERITY_LOW;
	finding_because(finding, "new, but nothing else speaks against it");
	if (class == SERVICE_REMOTE || class == SERVICE_ACCOUNT || class == SERVICE_CONTROL) {
		finding->severity = SEVERITY_MEDIUM;
		finding_because(finding, "new, and to a service that gives power over others");
	}
	if (distinct_count(&novice->edges) >= detector->several) {
		finding->severity = SEVERITY_MEDIUM;
		finding_because(finding, "several new edges in a short time");
	}
}

static void report(
	const struct detector *detector, const struct novice *novice, const struct record *record)
{
	bool outside = party_is_world(record, RECORD_DESTINATION);
	struct finding finding = suspect_finding(
		&novice->suspect, "new_edge", outside ? "T1071" : service_technique(record));
	char target[PARTY_TEXT_MAX], service[SERVICE_TEXT_MAX];

	judge(&finding, detector, novice, record);
	party_format(record->destination, &record->event.destination, target);
	service_format(record, service);
	finding_key(&finding, "%s", outside ? "to the world" : "inside");
	finding_sentence(&finding, "%s %s of %s, as none of its role did before%s",
		record->event.type == FLOW_DENIED ? "tried" : "reached", service, target,
		distinct_count(&novice->edges) > 1 ? "; not the only new one" : "");
	detector->context->report(&finding, record, detector->context->userdata);
}

static void tell(struct detector *detector, const struct record *record)
{
	struct ledger_key key = {
		{party_key(record, RECORD_SOURCE), party_is_world(record, RECORD_DESTINATION)}};
	uint64_t edge = party_edge(record);
	struct novice *novice;

	if (seen_add(&detector->told, edge))
		return;
	novice = ledger_touch(&detector->novices, &key);
	if (!novice)
		return;
	if (record->event.time_ns > novice->since_ns + detector->window_ns) {
		suspect_clear(&novice->suspect);
		novice->since_ns = record->event.time_ns;
		novice->edges = (struct distinct){0};
	}
	distinct_add(&novice->edges, edge);
	suspect_add(&novice->suspect, record);
	report(detector, novice, record);
}

static bool is_new(struct detector *detector, const struct record *record)
{
	return party_is_workload(record, RECORD_SOURCE) &&
	       newness_of(detector->context->newness, record) == NOVELTY_NEW &&
	       !seen_has(&detector->told, newness_edge(detector->context->newness, record));
}

static void new_edge_record(struct detector *detector, const struct record *record)
{
	const struct record *answered;

	while ((answered = waiting_due(&detector->pending, record->event.time_ns))) {
		tell(detector, answered);
		waiting_pop(&detector->pending);
	}
	switch (contact_of(record)) {
	case CONTACT_OPENED:
		if (is_new(detector, record))
			waiting_add(&detector->pending, record);
		break;
	case CONTACT_REFUSED:
		if (is_new(detector, record))
			tell(detector, record);
		break;
	case CONTACT_FAILED:
		waiting_forget(&detector->pending, record->event.id);
		break;
	default:
		break;
	}
}

static void new_edge_close(struct detector *detector)
{
	waiting_clear(&detector->pending);
	ledger_clear(&detector->novices);
	seen_close(&detector->told);
	free(detector);
}

static int new_edge_open(
	const double *values, const struct detect_context *context, struct detector **ret)
{
	struct detector *detector = calloc(1, sizeof(*detector));

	if (!detector)
		return -ENOMEM;
	detector->context = context;
	detector->several = (unsigned int)values[SEVERAL];
	detector->window_ns = clock_from_seconds(values[WINDOW]);
	detector->novices = (struct ledger){
		.size = ENTRIES_MAX,
		.entry_bytes = sizeof(struct novice),
		.clear = novice_clear,
	};
	if (seen_open(&detector->told, EDGES_MAX) < 0) {
		new_edge_close(detector);
		return -ENOMEM;
	}
	*ret = detector;
	return 0;
}

static json_t *new_edge_describe(const struct detector *detector)
{
	const struct ledger *ledgers[] = {&detector->novices};

	return ledgers_describe(ledgers, 1, detector->pending.evicted + detector->told.forgotten);
}

const struct detector_ops new_edge_detector = {
	.name = "new_edge",
	.summary = "an edge that the role's baseline does not have",
	.method = "comparison with the learnt baseline of edges between roles; rarity of paths as "
		  "in Ho et al., \"Hopper: Modeling and Detecting Lateral Movement\", USENIX "
		  "Security 2021",
	.parameters = parameters,
	.open = new_edge_open,
	.record = new_edge_record,
	.describe = new_edge_describe,
	.close = new_edge_close,
};
