// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A workload speaks in somebody else's name: with an address or MAC that is not its own, by ARP or
 * neighbour discovery for another, as a router or a DHCP server. The data plane has refused it. Who
 * it was, the packet does not say; interface and MAC do, as far as they were seen with an honest
 * sender before.
 */
#include "detect/detectors.h"
#include "detect/ledger.h"
#include "detect/party.h"
#include "detect/suspect.h"

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/fnv.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define HONEST_MAX 32768
#define LIARS_MAX  4096
#define MANY       10 /* it is no accident */

enum parameter {
	PACKETS,
	WINDOW,
	PARAMETERS_COUNT
};

static const struct detector_parameter parameters[PARAMETERS_COUNT + 1] = {
	{"packets", 3, 1, 1e6, "forged packets of one kind; fewer are of severity low"},
	{"window", 3600, 1, 1e6, "seconds without one after which they are counted anew"},
	{0},
};

static const struct {
	enum reason reason;
	const char *technique;
	const char *what;
} lies[] = {
	{REASON_SPOOFED_MAC, "T1557", "with a MAC that is not its own"},
	{REASON_SPOOFED_SOURCE, "T1557", "with a source address that is not its own"},
	{REASON_SPOOFED_ARP, "T1557.002", "ARP for an address that is not its own"},
	{REASON_SPOOFED_NEIGHBOUR, "T1557.002",
		"neighbour discovery for an address that is not its own"},
	{REASON_ROUTER_ADVERTISEMENT, "T1557", "announcements of itself as a router"},
	{REASON_DHCP_SERVER, "T1557.003", "answers as a DHCP server"},
};

/* Who was seen behind an interface or with a MAC. */
struct honest {
	struct ledger_entry entry;
	struct name *name;
	struct address address;
	uint64_t key;
};

struct liar {
	struct ledger_entry entry;
	struct suspect suspect;
	uint64_t packets;
};

struct detector {
	const struct detect_context *context;
	uint64_t packets;
	uint64_t window_ns;
	struct ledger honest;
	struct ledger liars;
};

static void honest_clear(void *entry)
{
	struct honest *honest = entry;

	name_release(honest->name);
}

static void liar_clear(void *entry)
{
	struct liar *liar = entry;

	suspect_clear(&liar->suspect);
}

static struct ledger_key mac_key(const uint8_t mac[static 6])
{
	struct ledger_key key = {{0, 1}};

	memcpy(key.parts, mac, 6);
	return key;
}

/* All zero: nothing is known of it. */
static struct ledger_key interface_key(const struct record *record)
{
	struct ledger_key key = {{0}};

	if (!record->interface)
		return key;
	key.parts[0] = fnv_add(FNV_BEGIN, record->interface->text, strlen(record->interface->text));
	key.parts[1] = 2;
	return key;
}

static void know(
	struct detector *detector, const struct ledger_key *key, const struct record *record)
{
	struct honest *honest = ledger_touch(&detector->honest, key);

	if (!honest || honest->name == record->source)
		return;
	name_release(honest->name);
	honest->name = name_reference(record->source);
	honest->address = record->event.source;
	honest->key = party_key(record, RECORD_SOURCE);
}

/* The interface of a connection is that of its originator if he is here, and has a MAC then. */
static void learn(struct detector *detector, const struct record *record)
{
	static const uint8_t unknown[6];
	const struct flow_event *event = &record->event;
	struct ledger_key interface = interface_key(record), mac = mac_key(event->source_mac);

	if (!party_is_workload(record, RECORD_SOURCE) || !memcmp(event->source_mac, unknown, 6) ||
		event->type == FLOW_DENIED)
		return;
	know(detector, &mac, record);
	if (interface.parts[1])
		know(detector, &interface, record);
}

static const struct honest *unmask(const struct detector *detector, const struct record *record)
{
	struct ledger_key interface = interface_key(record),
			  mac = mac_key(record->event.source_mac);
	const struct honest *honest = NULL;

	if (interface.parts[1])
		honest = ledger_find(&detector->honest, &interface);
	return honest ? honest : ledger_find(&detector->honest, &mac);
}

static size_t find_lie(const struct record *record)
{
	size_t i = 0;

	while (i < ARRAY_SIZE(lies) && lies[i].reason != record->event.reason)
		i++;
	return i;
}

static void judge(struct finding *finding, const struct detector *detector, uint64_t packets)
{
	if (packets < detector->packets) {
		finding->severity = SEVERITY_LOW;
		finding_because(finding, "few; it may be an accident");
	} else if (packets < MANY * detector->packets) {
		finding->severity = SEVERITY_MEDIUM;
		finding_because(finding, "it was refused, but it was tried again and again");
	} else {
		finding->severity = SEVERITY_HIGH;
		finding_because(finding, "so many are no accident; all were refused");
	}
}

static void report(const struct detector *detector, const struct liar *liar, size_t lie,
	const struct record *record)
{
	const struct suspect *suspect = &liar->suspect;
	struct finding finding = suspect_finding(suspect, "spoofing", lies[lie].technique);
	const struct honest *honest = unmask(detector, record);
	char claimed[PARTY_TEXT_MAX];

	/* The sender that the packet names is the victim. */
	finding.target = record->source;
	finding.target_address = record->event.source;
	if (honest) {
		finding.actor = honest->name;
		finding.actor_address = honest->address;
	} else {
		finding.actor = NULL;
		finding.actor_address = (struct address){0};
	}
	/* Where the data plane cannot tell whom it named, it says who it was. */
	if (honest && party_key(record, RECORD_SOURCE) == honest->key)
		finding_has_many_targets(&finding);
	party_format(record->source, &record->event.source, claimed);
	judge(&finding, detector, liar->packets);
	finding_key(&finding, "%s", lies[lie].what);
	finding_sentence(&finding, "sent %s (last: %s) %" PRIu64 " times from interface %.20s",
		lies[lie].what, claimed, liar->packets,
		record->interface ? record->interface->text : "unknown");
	finding.count = liar->packets;
	detector->context->report(&finding, record, detector->context->userdata);
}

static void spoofing_record(struct detector *detector, const struct record *record)
{
	size_t lie = find_lie(record);
	struct ledger_key key = interface_key(record);
	struct liar *liar;

	if (record->event.type != FLOW_DENIED || lie == ARRAY_SIZE(lies)) {
		learn(detector, record);
		return;
	}
	if (!key.parts[1])
		key = mac_key(record->event.source_mac);
	key.parts[2] = lie;
	liar = ledger_touch(&detector->liars, &key);
	if (!liar)
		return;
	if (record->event.time_ns > liar->suspect.last_ns + detector->window_ns) {
		suspect_clear(&liar->suspect);
		liar->packets = 0;
	}
	liar->packets += record->event.packets[0];
	suspect_add(&liar->suspect, record);
	report(detector, liar, lie, record);
}

static int spoofing_open(
	const double *values, const struct detect_context *context, struct detector **ret)
{
	struct detector *detector = calloc(1, sizeof(*detector));

	if (!detector)
		return -ENOMEM;
	detector->context = context;
	detector->packets = (uint64_t)values[PACKETS];
	detector->window_ns = clock_from_seconds(values[WINDOW]);
	detector->honest = (struct ledger){
		.size = HONEST_MAX,
		.entry_bytes = sizeof(struct honest),
		.clear = honest_clear,
	};
	detector->liars = (struct ledger){
		.size = LIARS_MAX,
		.entry_bytes = sizeof(struct liar),
		.clear = liar_clear,
	};
	*ret = detector;
	return 0;
}

static json_t *spoofing_describe(const struct detector *detector)
{
	const struct ledger *ledgers[] = {&detector->honest, &detector->liars};

	return ledgers_describe(ledgers, ARRAY_SIZE(ledgers), 0);
}

static void spoofing_close(struct detector *detector)
{
	ledger_clear(&detector->honest);
	ledger_clear(&detector->liars);
	free(detector);
}

const struct detector_ops spoofing_detector = {
	.name = "spoofing",
	.summary = "speaks in somebody else's name: addresses, ARP, neighbour discovery",
	.method = "the data plane's own reasons of refusal; it knows each workload's addresses",
	.parameters = parameters,
	.open = spoofing_open,
	.record = spoofing_record,
	.describe = spoofing_describe,
	.close = spoofing_close,
};
