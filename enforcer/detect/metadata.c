// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A workload asks the cloud who it is (and gets credentials for the answer), or the Kubernetes API
 * what there is, though it never did. Some workloads do that for a living: once they are learnt
 * they are quiet. That it turns there is told at once; whether it was answered, when that is known.
 */
#include "detect/contact.h"
#include "detect/detectors.h"
#include "detect/ledger.h"
#include "detect/newness.h"
#include "detect/party.h"
#include "detect/suspect.h"
#include "detect/waiting.h"

#include "base/clock.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#define ENTRIES_MAX 4096
#define ADDRESSES   8
#define QUIET_NS    (3600 * NS_PER_SECOND) /* after which it begins anew */

#define KUBERNETES_API 6443

static const char *const address_texts[ADDRESSES] = {
	"169.254.169.254", /* AWS, Azure, Google, OpenStack, DigitalOcean, Oracle */
	"169.254.170.2",   /* AWS ECS tasks' credentials */
	"169.254.170.23",  /* AWS EKS pod identity */
	"fd00:ec2::254",   /* AWS */
	"fd00:ec2::23",    /* AWS EKS pod identity */
	"fd20:ce::254",    /* Google */
	"168.63.129.16",   /* Azure's wire server */
	"100.100.100.200", /* Alibaba */
};

struct asker {
	struct ledger_entry entry;
	struct suspect suspect;
	enum novelty novelty; /* when it began */
	bool was_refused;     /* the last time */
	bool was_answered;    /* once */
};

struct detector {
	const struct detect_context *context;
	struct address addresses[ADDRESSES];
	struct ledger askers;
	struct waiting pending; /* nobody has turned it away yet */
};

static void asker_clear(void *entry)
{
	struct asker *asker = entry;

	suspect_clear(&asker->suspect);
}

static bool is_metadata(const struct detector *detector, const struct record *record)
{
	for (size_t i = 0; i < ADDRESSES; i++)
		if (address_equal(&detector->addresses[i], &record->event.destination))
			return true;
	return false;
}

static bool is_kubernetes(const struct record *record)
{
	return record->event.protocol == IPPROTO_TCP &&
	       record->event.destination_port == KUBERNETES_API;
}

static void report(const struct detector *detector, const struct asker *asker,
	const struct record *record, bool metadata)
{
	const struct suspect *suspect = &asker->suspect;
	struct finding finding =
		suspect_finding(suspect, "metadata", metadata ? "T1552.005" : "T1613");
	char target[PARTY_TEXT_MAX];

	party_format(suspect->target, &suspect->target_address, target);
	finding_key(&finding, metadata ? "cloud" : "kubernetes");
	finding_sentence(&finding, "%s %s at %s",
		asker->was_answered  ? "reached"
		: asker->was_refused ? "tried to reach"
				     : "turned to",
		metadata ? "the cloud's instance metadata, which hands out credentials,"
			 : "the Kubernetes API",
		target);
	finding.severity = SEVERITY_MEDIUM;
	if (asker->novelty == NOVELTY_NEW) {
		finding.severity =
			metadata && asker->was_answered ? SEVERITY_HIGH : SEVERITY_MEDIUM;
		finding_because(&finding, "workloads of its role never did that before");
	} else if (asker->was_refused) {
		finding_because(&finding, "policy does not let it, so it has no business there");
	} else {
		finding.severity = SEVERITY_LOW;
		finding_because(&finding, "what is usual for it is not known yet");
	}
	detector->context->report(&finding, record, detector->context->userdata);
}

static struct ledger_key key_of(const struct record *record, bool metadata)
{
	return (struct ledger_key){{party_key(record, RECORD_SOURCE), metadata}};
}

static void turned(
	struct detector *detector, const struct record *record, enum contact contact, bool metadata)
{
	enum novelty novelty = newness_of(detector->context->newness, record);
	struct ledger_key key = key_of(record, metadata);
	struct asker *asker;

	/* Of the API we know the port alone: while learning, that is not enough. */
	if (novelty == NOVELTY_USUAL ||
		(!metadata && novelty == NOVELTY_UNKNOWN && contact == CONTACT_OPENED))
		return;
	asker = ledger_touch(&detector->askers, &key);
	if (!asker)
		return;
	if (record->event.time_ns > asker->suspect.last_ns + QUIET_NS) {
		suspect_clear(&asker->suspect);
		asker->novelty = novelty;
		asker->was_answered = false;
	}
	asker->was_refused = contact == CONTACT_REFUSED;
	suspect_add(&asker->suspect, record);
	if (contact == CONTACT_OPENED)
		waiting_add(&detector->pending, record);
	report(detector, asker, record, metadata);
}

static void answered(struct detector *detector, const struct record *record)
{
	bool metadata = is_metadata(detector, record);
	struct ledger_key key = key_of(record, metadata);
	struct asker *asker = ledger_find(&detector->askers, &key);

	if (!asker)
		return;
	asker->was_answered = true;
	suspect_update(&asker->suspect, record);
	report(detector, asker, record, metadata);
}

static void metadata_record(struct detector *detector, const struct record *record)
{
	const struct record *silent;
	enum contact contact;
	bool metadata;

	while ((silent = waiting_due(&detector->pending, record->event.time_ns))) {
		answered(detector, silent);
		waiting_pop(&detector->pending);
	}
	if (!party_is_workload(record, RECORD_SOURCE))
		return;
	metadata = is_metadata(detector, record);
	if (!metadata && !is_kubernetes(record))
		return;
	contact = contact_of(record);
	switch (contact) {
	case CONTACT_OPENED:
	case CONTACT_REFUSED:
		turned(detector, record, contact, metadata);
		break;
	case CONTACT_FAILED:
		waiting_forget(&detector->pending, record->event.id);
		break;
	case CONTACT_ANSWERED:
		if (waiting_forget(&detector->pending, record->event.id))
			answered(detector, record);
		break;
	case CONTACT_NONE:
		break;
	}
}

static int metadata_open(
	const double *values, const struct detect_context *context, struct detector **ret)
{
	struct detector *detector = calloc(1, sizeof(*detector));

	(void)values;
	if (!detector)
		return -ENOMEM;
	detector->context = context;
	for (size_t i = 0; i < ADDRESSES; i++)
		address_parse(address_texts[i], &detector->addresses[i]);
	detector->askers = (struct ledger){
		.size = ENTRIES_MAX,
		.entry_bytes = sizeof(struct asker),
		.clear = asker_clear,
	};
	*ret = detector;
	return 0;
}

static json_t *metadata_describe(const struct detector *detector)
{
	const struct ledger *ledgers[] = {&detector->askers};

	return ledgers_describe(ledgers, 1, detector->pending.evicted);
}

static void metadata_close(struct detector *detector)
{
	waiting_clear(&detector->pending);
	ledger_clear(&detector->askers);
	free(detector);
}

const struct detector_ops metadata_detector = {
	.name = "metadata",
	.summary = "cloud metadata or the Kubernetes API, by who never did",
	.method = "the addresses that clouds document, against the role's baseline (MITRE ATT&CK "
		  "T1552.005, T1613)",
	.open = metadata_open,
	.record = metadata_record,
	.describe = metadata_describe,
	.close = metadata_close,
};
