// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Data leaves: a workload sends far more than it receives to somebody whom it did not know before,
 * or far more than it ever did. Inside, only what the role's baseline does not have counts: backups
 * and copies are every night's business.
 */
#include "detect/detectors.h"
#include "detect/meter.h"
#include "detect/newness.h"
#include "detect/party.h"
#include "detect/suspect.h"

#include "base/clock.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#define CONNECTIONS_MAX 16384
#define CHANNELS_MAX    8192
#define SENDERS_MAX     8192
#define HISTORY_NS      (24 * 3600ULL * NS_PER_SECOND)
#define HOUR_NS         (3600ULL * NS_PER_SECOND)
#define FADING          0.99 /* of the largest hour, with each hour */
#define CRUMB_BYTES     2000 /* what a record adds at least to be looked at */

enum parameter {
	BYTES,
	RATIO,
	WINDOW,
	TIMES_USUAL,
	PARAMETERS_COUNT
};

static const struct detector_parameter parameters[PARAMETERS_COUNT + 1] = {
	{"bytes", 100e6, 1000, 1e15, "that leave for one destination within the window"},
	{"ratio", 5, 1, 1e6, "bytes sent for each one received"},
	{"window", 3600, 1, 1e6, "seconds"},
	{"times-usual", 5, 1, 1e6, "as much as in the source's largest hour so far"},
	{0},
};

/* From somebody to somebody. */
struct channel {
	struct ledger_entry entry;
	struct suspect suspect;
	uint64_t since_ns; /* its bytes came after that; connections may be older */
	uint64_t bytes[2];
	enum novelty novelty; /* when it began */
};

/* What somebody sends to the world, hour by hour. */
struct sender {
	struct ledger_entry entry;
	uint64_t since_ns;
	uint64_t hour;
	uint64_t bytes;
	double largest; /* of earlier hours */
};

struct detector {
	const struct detect_context *context;
	double values[PARAMETERS_COUNT];
	struct meter meter;
	struct ledger channels;
	struct ledger senders;
};

static void channel_clear(void *entry)
{
	struct channel *channel = entry;

	suspect_clear(&channel->suspect);
}

static bool is_web(const struct record *record)
{
	return record->event.destination_port == 443 || record->event.destination_port == 80;
}

static void judge(struct finding *finding, const struct channel *channel,
	const struct record *record, bool unusual_hour)
{
	finding->severity = SEVERITY_MEDIUM;
	if (channel->novelty == NOVELTY_NEW) {
		if (party_is_world(record, RECORD_DESTINATION))
			finding->severity = SEVERITY_HIGH;
		finding_because(finding, "workloads of its role never sent anything there before");
	} else if (unusual_hour) {
		finding_because(finding, "far more than in any hour before");
	} else if (is_web(record)) {
		finding->severity = SEVERITY_LOW;
		finding_because(finding,
			"uploads to the web are common, and what is usual for it is not known yet");
	} else {
		finding_because(finding, "so much, one way, to the outside, and not by the web");
	}
}

static void report(const struct detector *detector, const struct channel *channel,
	const struct record *record, bool unusual_hour)
{
	const struct suspect *suspect = &channel->suspect;
	struct finding finding = suspect_finding(suspect, "exfiltration",
		party_is_world(record, RECORD_DESTINATION) ? "T1048" : "T1074.002");
	char target[PARTY_TEXT_MAX], service[SERVICE_TEXT_MAX];
	char sent[BYTES_TEXT_MAX], received[BYTES_TEXT_MAX], took[DURATION_TEXT_MAX];

	party_format(suspect->target, &suspect->target_address, target);
	service_format(record, service);
	judge(&finding, channel, record, unusual_hour);
	finding_key(&finding, "%s", target);
	finding_sentence(&finding, "sent %s to %s of %s and received %s, in %s",
		bytes_format(channel->bytes[0], sent), service, target,
		bytes_format(channel->bytes[1], received),
		duration_format(suspect->last_ns - channel->since_ns, took));
	finding.count = channel->bytes[0];
	detector->context->report(&finding, record, detector->context->userdata);
}

/* Whether this hour is unlike all others of a sender with a history. */
static bool count_hour(struct detector *detector, const struct record *record, uint64_t bytes)
{
	struct ledger_key key = {{party_key(record, RECORD_SOURCE)}};
	uint64_t now_ns = record->event.time_ns, hour = now_ns / HOUR_NS;
	struct sender *sender;

	if (!party_is_world(record, RECORD_DESTINATION))
		return false;
	sender = ledger_touch(&detector->senders, &key);
	if (!sender)
		return false;
	if (!sender->since_ns)
		sender->since_ns = now_ns;
	if (hour > sender->hour) {
		if ((double)sender->bytes > sender->largest)
			sender->largest = (double)sender->bytes;
		sender->largest *= FADING;
		sender->hour = hour;
		sender->bytes = 0;
	}
	sender->bytes += bytes;
	return now_ns > sender->since_ns + HISTORY_NS &&
	       (double)sender->bytes > detector->values[BYTES] &&
	       (double)sender->bytes > detector->values[TIMES_USUAL] * sender->largest;
}

static struct channel *channel_of(struct detector *detector, const struct record *record,
	const struct meter_reading *reading, enum novelty novelty)
{
	struct ledger_key key = {{party_key(record, RECORD_SOURCE),
		party_key(record, RECORD_DESTINATION), party_service(record)}};
	struct channel *channel = ledger_touch(&detector->channels, &key);
	uint64_t window_ns = clock_from_seconds(detector->values[WINDOW]);

	if (!channel)
		return NULL;
	if (record->event.time_ns > channel->since_ns + window_ns) {
		suspect_clear(&channel->suspect);
		channel->since_ns = reading->since_ns;
		channel->bytes[0] = channel->bytes[1] = 0;
		channel->novelty = novelty;
	}
	return channel;
}

static bool is_one_way(const struct detector *detector, const struct channel *channel)
{
	double sent = (double)channel->bytes[0], received = (double)channel->bytes[1];

	return sent >= detector->values[BYTES] && sent >= detector->values[RATIO] * received;
}

static void exfiltration_record(struct detector *detector, const struct record *record)
{
	struct meter_reading reading;
	enum novelty novelty;
	struct channel *channel;
	bool outside = party_is_world(record, RECORD_DESTINATION), unusual_hour;

	if (!party_is_workload(record, RECORD_SOURCE) ||
		!meter_read(&detector->meter, record, &reading) || reading.bytes[0] < CRUMB_BYTES)
		return;
	novelty = newness_of(detector->context->newness, record);
	unusual_hour = count_hour(detector, record, reading.bytes[0]);
	if (!outside && novelty != NOVELTY_NEW)
		return;
	channel = channel_of(detector, record, &reading, novelty);
	if (!channel)
		return;
	suspect_go_on(&channel->suspect, record, reading.is_first);
	channel->bytes[0] += reading.bytes[0];
	channel->bytes[1] += reading.bytes[1];
	if (is_one_way(detector, channel) && (novelty != NOVELTY_USUAL || unusual_hour))
		report(detector, channel, record, unusual_hour);
}

static int exfiltration_open(
	const double *values, const struct detect_context *context, struct detector **ret)
{
	struct detector *detector = calloc(1, sizeof(*detector));

	if (!detector)
		return -ENOMEM;
	detector->context = context;
	memcpy(detector->values, values, sizeof(detector->values));
	detector->meter = meter_init(CONNECTIONS_MAX);
	detector->channels = (struct ledger){
		.size = CHANNELS_MAX,
		.entry_bytes = sizeof(struct channel),
		.clear = channel_clear,
	};
	detector->senders =
		(struct ledger){.size = SENDERS_MAX, .entry_bytes = sizeof(struct sender)};
	*ret = detector;
	return 0;
}

static json_t *exfiltration_describe(const struct detector *detector)
{
	const struct ledger *ledgers[] = {
		&detector->meter.connections, &detector->channels, &detector->senders};

	return ledgers_describe(ledgers, 3, 0);
}

static void exfiltration_close(struct detector *detector)
{
	meter_clear(&detector->meter);
	ledger_clear(&detector->channels);
	ledger_clear(&detector->senders);
	free(detector);
}

const struct detector_ops exfiltration_detector = {
	.name = "exfiltration",
	.summary = "much data leaves, to where it never did",
	.method = "ratio of bytes sent to received for each destination, and volume against the "
		  "source's own largest hour (producer-consumer ratio, Bullard 2013)",
	.parameters = parameters,
	.open = exfiltration_open,
	.record = exfiltration_record,
	.describe = exfiltration_describe,
	.close = exfiltration_close,
};
