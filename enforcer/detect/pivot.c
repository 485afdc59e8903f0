// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A workload is used as a stepping stone: somebody has a session with it, and soon after it turns
 * to somebody else, as it is not used to. What is unusual is what the role's baseline does not
 * have; while that is learnt, it is to work on another machine (SSH and the like), or to go
 * anywhere right after a session with a proxy's port, unless it did the same before anybody came.
 * Causes are followed backwards, from hop to hop.
 */
#include "detect/contact.h"
#include "detect/detectors.h"
#include "detect/ledger.h"
#include "detect/newness.h"
#include "detect/party.h"
#include "detect/seen.h"
#include "detect/service.h"
#include "detect/suspect.h"
#include "detect/waiting.h"

#include "base/clock.h"
#include "base/utf8.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define STONES_MAX 8192
#define EDGES_MAX  8192
#define VISITS     8 /* that are remembered of a workload: the latest */
#define HOPS_MAX   4
#define SKEW_NS    (NS_PER_SECOND / 2) /* records of two interfaces come in any order */

enum parameter {
	WINDOW,
	PROXY_WINDOW,
	PARAMETERS_COUNT
};

static const struct detector_parameter parameters[PARAMETERS_COUNT + 1] = {
	{"window", 120, 0.1, 86400,
		"seconds after a session began within which the next hop is its effect"},
	{"proxy-window", 3, 0.1, 3600, "the same for a session with a proxy's port"},
	{0},
};

/* Somebody came in. */
struct visit {
	struct name *name; /* reference */
	struct address address;
	uint64_t key;
	uint64_t service;            /* party_service() … */
	char text[SERVICE_TEXT_MAX]; /* … and in words */
	uint64_t time_ns;
	uint64_t id;
	enum service_class class;
	bool is_unusual; /* for the visitor's role */
};

struct stone {
	struct ledger_entry entry;
	struct visit visits[VISITS]; /* a ring */
	size_t count;
	struct suspect suspect; /* what it then did */
};

struct detector {
	const struct detect_context *context;
	uint64_t window_ns;
	uint64_t proxy_window_ns;
	struct ledger stones;
	struct waiting pending; /* what may be the effect of a visit */
	struct seen done;       /* edges that were there before */
	struct seen caused;     /* of these, what a visit once explained: no habit */
};

static void stone_clear(void *entry)
{
	struct stone *stone = entry;

	for (size_t i = 0; i < VISITS; i++)
		name_release(stone->visits[i].name);
	suspect_clear(&stone->suspect);
}

/* The place of a visit: that of the same visitor to the same service, else the oldest. */
static struct visit *place_of(struct stone *stone, const struct record *record)
{
	uint64_t key = party_key(record, RECORD_SOURCE), service = party_service(record);
	struct visit *visit;

	for (size_t i = 0; i < VISITS; i++)
		if (stone->visits[i].key == key && stone->visits[i].service == service)
			return &stone->visits[i];
	visit = &stone->visits[stone->count++ % VISITS];
	name_release(visit->name);
	*visit = (struct visit){.key = key, .service = service};
	service_format(record, visit->text);
	return visit;
}

static void remember_visit(
	struct detector *detector, const struct record *record, enum novelty novelty)
{
	struct ledger_key key = {{party_key(record, RECORD_DESTINATION)}};
	enum service_class class = service_class(record);
	struct stone *stone;
	struct visit *visit;

	/* Whoever pings has no session. (What else ICMP may carry is the tunnel detector's.) */
	if (record->event.protocol == IPPROTO_ICMP || record->event.protocol == IPPROTO_ICMPV6)
		return;
	/* Customers of every day lead nowhere. */
	if (novelty == NOVELTY_USUAL && class != SERVICE_REMOTE && class != SERVICE_PROXY)
		return;
	stone = ledger_touch(&detector->stones, &key);
	if (!stone)
		return;
	visit = place_of(stone, record);
	name_release(visit->name);
	visit->name = name_reference(record->source);
	visit->address = record->event.source;
	visit->time_ns = record->event.time_ns;
	visit->id = record->event.id;
	visit->class = class;
	visit->is_unusual = novelty == NOVELTY_NEW;
}

/* He was not let in. */
static void forget_visit(struct detector *detector, const struct record *record)
{
	struct ledger_key key = {{party_key(record, RECORD_DESTINATION)}};
	struct stone *stone = ledger_find(&detector->stones, &key);

	for (size_t i = 0; stone && i < VISITS; i++)
		if (stone->visits[i].id == record->event.id)
			stone->visits[i].time_ns = 0;
}

/* How much a visit says about what followed; 0: nothing. Where nothing is known to be usual,
 * whoever relays goes on at once, and whoever works on a machine takes his time. */
static int weight(const struct detector *detector, const struct visit *visit,
	const struct record *record, enum novelty novelty)
{
	bool works = visit->class == SERVICE_REMOTE;
	bool is_slow = works || novelty == NOVELTY_NEW;
	uint64_t now_ns = record->event.time_ns;
	uint64_t window_ns = visit->class != SERVICE_PROXY && is_slow ? detector->window_ns
								      : detector->proxy_window_ns;

	if (!visit->time_ns || visit->time_ns > now_ns + SKEW_NS ||
		now_ns > visit->time_ns + window_ns ||
		visit->key == party_key(record, RECORD_DESTINATION))
		return 0;
	if (visit->class == SERVICE_PROXY)
		return 4;
	if (novelty == NOVELTY_NEW)
		return works || visit->is_unusual ? 3 : 0;
	if (service_class(record) == SERVICE_REMOTE)
		return works ? 2 : 1;
	return works && service_class(record) != SERVICE_OTHER ? 1 : 0;
}

/* The visit that explains it best; of equals, the latest. */
static const struct visit *find_cause(const struct detector *detector, const struct stone *stone,
	const struct record *record, enum novelty novelty)
{
	const struct visit *cause = NULL;
	int best = 0;

	for (size_t i = 0; i < VISITS; i++) {
		const struct visit *visit = &stone->visits[i];
		int found = weight(detector, visit, record, novelty);

		if (found > best || (cause && found == best && visit->time_ns > cause->time_ns)) {
			best = found;
			cause = visit;
		}
	}
	return cause;
}

/* Who came to the visitor before he came here. */
static const struct visit *find_earlier(const struct detector *detector, const struct visit *visit)
{
	struct ledger_key key = {{visit->key}};
	const struct stone *stone = ledger_find(&detector->stones, &key);
	const struct visit *earlier = NULL;

	for (size_t i = 0; stone && i < VISITS; i++) {
		const struct visit *candidate = &stone->visits[i];

		if (candidate->time_ns && candidate->time_ns <= visit->time_ns + SKEW_NS &&
			candidate->time_ns + detector->window_ns >= visit->time_ns &&
			candidate != visit && (!earlier || candidate->time_ns > earlier->time_ns))
			earlier = candidate;
	}
	return earlier;
}

/* The hops before the last, nearest first. Returns how many. */
static size_t trace(const struct detector *detector, const struct visit *cause,
	const struct visit *chain[static HOPS_MAX])
{
	size_t hops = 0;

	for (; cause && hops < HOPS_MAX; cause = find_earlier(detector, cause)) {
		for (size_t i = 0; i < hops; i++)
			if (chain[i]->key == cause->key)
				return hops;
		chain[hops++] = cause;
	}
	return hops;
}

/* So much of a name that many of them are still one sentence. */
static int shown(const char *party)
{
	return (int)utf8_length(party, 60);
}

static void describe_chain(struct finding *finding, const struct record *record,
	const struct visit *const chain[], size_t hops)
{
	char path[FINDING_TEXT_MAX] = "", party[PARTY_TEXT_MAX], service[SERVICE_TEXT_MAX];
	char target[PARTY_TEXT_MAX];
	size_t length = 0;

	for (size_t i = hops; i--;) {
		party_format(chain[i]->name, &chain[i]->address, party);
		length += (size_t)snprintf(path + length, sizeof(path) - length, "%.*s -%s-> ",
			shown(party), party, chain[i]->text);
	}
	party_format(record->source, &record->event.source, party);
	party_format(record->destination, &record->event.destination, target);
	finding_sentence(finding, "was used as a stepping stone: %.*s%.*s -%s-> %.*s",
		(int)utf8_length(path, 300), path, shown(party), party,
		service_format(record, service), shown(target), target);
}

static void judge(struct finding *finding, const struct visit *const chain[], size_t hops,
	enum novelty novelty)
{
	bool from_outside = !name_workload(chain[0]->name);

	if (novelty == NOVELTY_NEW) {
		finding->severity = SEVERITY_HIGH;
		finding_because(finding, "workloads of its role never went there before");
	} else if (hops > 1) {
		finding->severity = SEVERITY_HIGH;
		finding_because(finding, "the chain has more than one hop");
	} else if (from_outside && chain[0]->class == SERVICE_REMOTE) {
		finding->severity = SEVERITY_LOW;
		finding_because(finding, "it may be what a jump host is for");
	} else {
		finding->severity = SEVERITY_MEDIUM;
		finding_because(
			finding, chain[0]->class == SERVICE_PROXY
					 ? "the session came to a proxy's port"
					 : "it works on another machine right after a session");
	}
}

static void report(const struct detector *detector, const struct stone *stone,
	const struct record *record, const struct visit *cause, enum novelty novelty)
{
	const struct visit *chain[HOPS_MAX];
	size_t hops = trace(detector, cause, chain);
	bool relayed = cause->class != SERVICE_REMOTE;
	struct finding finding = suspect_finding(
		&stone->suspect, "pivot", relayed ? "T1090.001" : service_technique(record));
	char target[PARTY_TEXT_MAX];

	party_format(record->destination, &record->event.destination, target);
	finding.origin = chain[hops - 1]->name;
	finding.origin_address = chain[hops - 1]->address;
	judge(&finding, chain, hops, novelty);
	describe_chain(&finding, record, chain, hops);
	finding_key(&finding, "to %s", target);
	for (size_t i = 0; i < hops && finding.evidence_count < FINDING_EVIDENCE_MAX; i++)
		finding.evidence[finding.evidence_count++] = chain[i]->id;
	detector->context->report(&finding, record, detector->context->userdata);
}

static void look_back(struct detector *detector, const struct record *record)
{
	struct ledger_key key = {{party_key(record, RECORD_SOURCE)}};
	struct stone *stone = ledger_find(&detector->stones, &key);
	enum novelty novelty;
	const struct visit *cause;

	if (!stone)
		return;
	novelty = newness_of(detector->context->newness, record);
	cause = find_cause(detector, stone, record, novelty);
	if (!cause)
		return;
	/* What it did long ago is another story. */
	if (record->event.time_ns > stone->suspect.last_ns + detector->window_ns)
		suspect_clear(&stone->suspect);
	suspect_add(&stone->suspect, record);
	seen_add(&detector->caused, party_edge(record));
	report(detector, stone, record, cause, novelty);
}

/* By then it would be known that a visitor was turned away. */
static void judge_pending(struct detector *detector, uint64_t now_ns)
{
	const struct record *record;

	while ((record = waiting_due(&detector->pending, now_ns))) {
		look_back(detector, record);
		waiting_pop(&detector->pending);
	}
}

static void suspect_stone(
	struct detector *detector, const struct record *record, enum novelty novelty)
{
	struct ledger_key key = {{party_key(record, RECORD_SOURCE)}};
	const struct stone *stone = ledger_find(&detector->stones, &key);
	uint64_t edge = newness_edge(detector->context->newness, record);
	bool is_habit = seen_add(&detector->done, edge) && !seen_has(&detector->caused, edge);

	if (!stone || novelty == NOVELTY_USUAL || (novelty == NOVELTY_UNKNOWN && is_habit))
		return;
	if (find_cause(detector, stone, record, novelty))
		waiting_add(&detector->pending, record);
}

static void pivot_record(struct detector *detector, const struct record *record)
{
	enum contact contact = contact_of(record);
	enum novelty novelty;

	judge_pending(detector, record->event.time_ns);
	if (contact == CONTACT_FAILED)
		forget_visit(detector, record);
	if (contact != CONTACT_OPENED && contact != CONTACT_REFUSED)
		return;
	novelty = newness_of(detector->context->newness, record);
	if (party_is_workload(record, RECORD_SOURCE))
		suspect_stone(detector, record, novelty);
	if (contact == CONTACT_OPENED && party_is_workload(record, RECORD_DESTINATION))
		remember_visit(detector, record, novelty);
}

static void pivot_close(struct detector *detector)
{
	waiting_clear(&detector->pending);
	seen_close(&detector->done);
	seen_close(&detector->caused);
	ledger_clear(&detector->stones);
	free(detector);
}

static int pivot_open(
	const double *values, const struct detect_context *context, struct detector **ret)
{
	struct detector *detector = calloc(1, sizeof(*detector));
	int r;

	if (!detector)
		return -ENOMEM;
	r = seen_open(&detector->done, EDGES_MAX);
	if (!r)
		r = seen_open(&detector->caused, EDGES_MAX);
	if (r < 0) {
		pivot_close(detector);
		return r;
	}
	detector->context = context;
	detector->window_ns = clock_from_seconds(values[WINDOW]);
	detector->proxy_window_ns = clock_from_seconds(values[PROXY_WINDOW]);
	detector->stones = (struct ledger){
		.size = STONES_MAX,
		.entry_bytes = sizeof(struct stone),
		.clear = stone_clear,
	};
	*ret = detector;
	return 0;
}

static json_t *pivot_describe(const struct detector *detector)
{
	const struct ledger *ledgers[] = {&detector->stones};

	return ledgers_describe(ledgers, 1, detector->pending.evicted);
}

const struct detector_ops pivot_detector = {
	.name = "pivot",
	.summary = "a session in, then an unusual one out: a stepping stone",
	.method =
		"causal paths of sessions within time windows, after Ho et al., \"Hopper: Modeling "
		"and Detecting Lateral Movement\", USENIX Security 2021",
	.parameters = parameters,
	.open = pivot_open,
	.record = pivot_record,
	.describe = pivot_describe,
	.close = pivot_close,
};
