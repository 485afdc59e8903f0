// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Somebody goes from machine to machine: within a while he turns to the administrative or
 * credential services of more machines than a workload has business with. What the workloads of his
 * role did on earlier days does not count.
 */
#include "detect/contact.h"
#include "detect/detectors.h"
#include "detect/distinct.h"
#include "detect/ledger.h"
#include "detect/newness.h"
#include "detect/party.h"
#include "detect/service.h"
#include "detect/suspect.h"

#include "base/clock.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define ENTRIES_MAX 8192

enum parameter {
	WINDOW,
	REMOTE_TARGETS,
	CONTROL_TARGETS,
	STORE_TARGETS,
	PARAMETERS_COUNT
};

static const struct detector_parameter parameters[PARAMETERS_COUNT + 1] = {
	{"window", 600, 1, 86400, "seconds within which targets are counted"},
	{"remote-targets", 4, 2, 1000, "SSH, RDP, SMB, WinRM, Kerberos, LDAP on so many targets"},
	{"control-targets", 3, 2, 1000, "Docker, kubelet, etcd, Kubernetes on so many targets"},
	{"store-targets", 10, 2, 1000, "databases and caches on so many targets"},
	{0},
};

struct spread {
	struct ledger_entry entry;
	struct distinct targets;
	struct distinct failed;
	struct suspect suspect;
	uint64_t since_ns; /* when its window began; what fails may be older */
	bool was_learnt;   /* all of it is new to the role */
};

struct detector {
	const struct detect_context *context;
	double values[PARAMETERS_COUNT];
	struct ledger spreads;
};

static void spread_clear(void *entry)
{
	struct spread *spread = entry;

	suspect_clear(&spread->suspect);
}

static unsigned int limit(const struct detector *detector, enum service_class class)
{
	switch (class) {
	case SERVICE_REMOTE:
	case SERVICE_ACCOUNT:
		return (unsigned int)detector->values[REMOTE_TARGETS];
	case SERVICE_CONTROL:
		return (unsigned int)detector->values[CONTROL_TARGETS];
	case SERVICE_STORE:
		return (unsigned int)detector->values[STORE_TARGETS];
	default:
		return 0;
	}
}

static const char *class_text(enum service_class class)
{
	return class == SERVICE_CONTROL ? "container control"
	       : class == SERVICE_STORE ? "data"
					: "remote administration";
}

static void report(const struct detector *detector, const struct spread *spread,
	enum service_class class, const struct record *record)
{
	const struct suspect *suspect = &spread->suspect;
	struct finding finding = suspect_finding(suspect, "fan_out", service_technique(record));
	unsigned int targets = distinct_count(&spread->targets);
	unsigned int failed = distinct_count(&spread->failed);
	char service[SERVICE_TEXT_MAX], took[DURATION_TEXT_MAX];

	finding_has_many_targets(&finding);
	finding_key(&finding, "%s", class_text(class));
	finding_sentence(&finding,
		"turned to %s services (last %s) of %u targets in %s; %u of them let it in",
		class_text(class), service_format(record, service), targets,
		duration_format(suspect->last_ns - suspect->first_ns, took), targets - failed);
	if (party_is_workload(record, RECORD_SOURCE) && spread->was_learnt) {
		finding.severity = SEVERITY_HIGH;
		finding_because(&finding, "workloads of its role never did that before");
	} else if (party_is_workload(record, RECORD_SOURCE) && failed * 2 >= targets) {
		finding.severity = SEVERITY_MEDIUM;
		finding_because(&finding, "most of them did not let it in");
	} else {
		finding.severity = SEVERITY_LOW;
		finding_because(&finding, "what is usual for it is not known yet");
	}
	finding.count = targets;
	detector->context->report(&finding, record, detector->context->userdata);
}

static void fan_out_record(struct detector *detector, const struct record *record)
{
	enum service_class class = service_class(record);
	enum contact contact = contact_of(record);
	uint64_t target;
	enum novelty novelty;
	struct ledger_key key;
	struct spread *spread;
	uint64_t window_ns = clock_from_seconds(detector->values[WINDOW]);

	if (!limit(detector, class) || contact == CONTACT_NONE || contact == CONTACT_ANSWERED)
		return;
	novelty = newness_of(detector->context->newness, record);
	if (novelty == NOVELTY_USUAL)
		return;
	target = party_key(record, RECORD_DESTINATION);
	key = (struct ledger_key){{party_key(record, RECORD_SOURCE),
		class == SERVICE_ACCOUNT ? SERVICE_REMOTE : class}};
	spread = ledger_touch(&detector->spreads, &key);
	if (!spread)
		return;
	if (record->event.time_ns > spread->since_ns + window_ns) {
		suspect_clear(&spread->suspect);
		spread->since_ns = record->event.time_ns;
		spread->targets = spread->failed = (struct distinct){0};
		spread->was_learnt = novelty == NOVELTY_NEW;
	}
	distinct_add(&spread->targets, target);
	suspect_go_on(&spread->suspect, record, contact == CONTACT_OPENED);
	if (contact != CONTACT_OPENED)
		distinct_add(&spread->failed, target);
	if (distinct_count(&spread->targets) >= limit(detector, class))
		report(detector, spread, class, record);
}

static int fan_out_open(
	const double *values, const struct detect_context *context, struct detector **ret)
{
	struct detector *detector = calloc(1, sizeof(*detector));

	if (!detector)
		return -ENOMEM;
	detector->context = context;
	memcpy(detector->values, values, sizeof(detector->values));
	detector->spreads = (struct ledger){
		.size = ENTRIES_MAX,
		.entry_bytes = sizeof(struct spread),
		.clear = spread_clear,
	};
	*ret = detector;
	return 0;
}

static json_t *fan_out_describe(const struct detector *detector)
{
	const struct ledger *ledgers[] = {&detector->spreads};

	return ledgers_describe(ledgers, 1, 0);
}

static void fan_out_close(struct detector *detector)
{
	ledger_clear(&detector->spreads);
	free(detector);
}

const struct detector_ops fan_out_detector = {
	.name = "fan_out",
	.summary = "administrative and credential services of many targets",
	.method = "fan-out of a host within a time window, on the services that lateral movement "
		  "uses (MITRE ATT&CK TA0008); the role's earlier days are set aside",
	.parameters = parameters,
	.open = fan_out_open,
	.record = fan_out_record,
	.describe = fan_out_describe,
	.close = fan_out_close,
};
