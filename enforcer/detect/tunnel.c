// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Something else travels in DNS or in ping. Questions that carry data are long, and many of them
 * come from one socket; answers that carry data are long, too, for one who asks so often. A true
 * echo reply repeats its request byte by byte, so both directions of a ping weigh the same.
 */
#include "detect/detectors.h"
#include "detect/meter.h"
#include "detect/party.h"
#include "detect/suspect.h"

#include "base/clock.h"

#include <errno.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#define CONNECTIONS_MAX 16384
#define CHANNELS_MAX    4096
#define HIGH_BYTES      1000000 /* it carries something */
#define FEW             5       /* no average of them says anything */

#define UDP_HEADER_BYTES 8
#define TCP_HEADER_BYTES 32 /* with timestamps */
#define IPV4_BYTES       20
#define IPV6_BYTES       40

enum parameter {
	QUERIES,
	QUERY_BYTES,
	ANSWER_BYTES,
	NAMES,
	NAME_BYTES,
	ECHOES,
	ECHO_DIFFERENCE,
	ECHO_RATE,
	WINDOW,
	PARAMETERS_COUNT
};

static const struct detector_parameter parameters[PARAMETERS_COUNT + 1] = {
	{"queries", 50, 10, 1e6, "DNS queries of one client to one server within the window"},
	{"query-bytes", 90, 40, 65535,
		"average size of a query that carries data; usual are 30 to 70"},
	{"answer-bytes", 300, 100, 65535,
		"the same of an answer, where all queries come from one socket"},
	{"names", 20, 5, 256,
		"different long names asked within the window, where the agent reads DNS"},
	{"name-bytes", 80, 20, 255, "length of a long name; data look random, too"},
	{"echoes", 20, 5, 1e6, "ICMP echo packets each way within the window, on average"},
	{"echo-difference", 0.1, 0.01, 10, "share by which both directions of a ping may differ"},
	{"echo-rate", 50, 1, 1e6, "pings of more than a usual size in a second"},
	{"window", 120, 1, 86400, "seconds"},
	{0},
};

struct channel {
	struct ledger_entry entry;
	struct suspect suspect;
	uint64_t since_ns; /* when its window began; connections may be older */
	uint64_t from_ns;  /* all that is counted came after that */
	uint64_t packets[2];
	uint64_t bytes[2];        /* without headers */
	uint64_t longest_packets; /* that one flow had from its originator */
	uint64_t names;           /* long ones, of flows that are over */
	uint64_t names_at_once;   /* the same of one flow */
};

struct detector {
	const struct detect_context *context;
	double values[PARAMETERS_COUNT];
	struct meter meter;
	struct ledger channels;
};

static void channel_clear(void *entry)
{
	struct channel *channel = entry;

	suspect_clear(&channel->suspect);
}

static bool is_dns(const struct flow_event *event)
{
	return event->destination_port == 53 &&
	       (event->protocol == IPPROTO_UDP || event->protocol == IPPROTO_TCP);
}

static bool is_echo(const struct flow_event *event)
{
	return (event->protocol == IPPROTO_ICMP && event->icmp_type == 8) ||
	       (event->protocol == IPPROTO_ICMPV6 && event->icmp_type == 128);
}

static uint64_t header_bytes(const struct flow_event *event)
{
	uint64_t ip = address_is_ipv4(&event->source) ? IPV4_BYTES : IPV6_BYTES;

	return ip + (event->protocol == IPPROTO_TCP ? TCP_HEADER_BYTES : UDP_HEADER_BYTES);
}

static double average(const struct channel *channel, size_t side)
{
	return channel->packets[side]
		       ? (double)channel->bytes[side] / (double)channel->packets[side]
		       : 0;
}

/* Bits in a byte, hundredths: of English about 4.1, of base32 and denser codes from 4.3 on. */
#define RANDOM_ENTROPY 430

static void add_names(
	const struct detector *detector, struct channel *channel, const struct record *record)
{
	const struct flow_dns *dns = &record->observed.dns;

	if (dns->longest_name < detector->values[NAME_BYTES] || dns->entropy < RANDOM_ENTROPY)
		return;
	if (dns->unique_names > channel->names_at_once)
		channel->names_at_once = dns->unique_names;
	if (record->event.type == FLOW_END)
		channel->names += dns->unique_names;
}

static bool carries_names(const struct detector *detector, const struct channel *channel)
{
	return (double)channel->names >= detector->values[NAMES] ||
	       (double)channel->names_at_once >= detector->values[NAMES];
}

static bool carries_dns(const struct detector *detector, const struct channel *channel)
{
	const double *values = detector->values;

	if (carries_names(detector, channel))
		return true;
	if ((double)channel->packets[0] < values[QUERIES])
		return false;
	return average(channel, 0) >= values[QUERY_BYTES] ||
	       ((double)channel->longest_packets >= values[QUERIES] &&
		       average(channel, 1) >= values[ANSWER_BYTES]);
}

static bool carries_echo(const struct detector *detector, const struct channel *channel)
{
	const double *values = detector->values;
	double sent = average(channel, 0), received = average(channel, 1);
	double seconds =
		(double)(channel->suspect.last_ns - channel->from_ns) / (double)NS_PER_SECOND;

	if ((double)(channel->packets[0] + channel->packets[1]) < 2 * values[ECHOES] ||
		channel->packets[0] < FEW || channel->packets[1] < FEW)
		return false;
	if (sent > received * (1 + values[ECHO_DIFFERENCE]) ||
		received > sent * (1 + values[ECHO_DIFFERENCE]) ||
		(double)channel->packets[1] >
			(double)channel->packets[0] * (1 + values[ECHO_DIFFERENCE]))
		return true;
	return sent > 128 && (double)channel->packets[0] > values[ECHO_RATE] * (seconds + 1);
}

static void report(const struct detector *detector, const struct channel *channel,
	const struct record *record, bool dns)
{
	const struct suspect *suspect = &channel->suspect;
	struct finding finding = suspect_finding(suspect, "tunnel", dns ? "T1071.004" : "T1095");
	char target[PARTY_TEXT_MAX], took[DURATION_TEXT_MAX];

	party_format(suspect->target, &suspect->target_address, target);
	finding_key(&finding, "%s:%.140s", dns ? "dns" : "icmp", target);
	finding_sentence(&finding,
		"%" PRIu64 " %s to %s and %" PRIu64
		" back in %s, of %.0f and %.0f bytes on average, look like a tunnel",
		channel->packets[0], dns ? "DNS queries" : "pings", target, channel->packets[1],
		duration_format(suspect->last_ns - channel->from_ns, took), average(channel, 0),
		average(channel, 1));
	finding.severity = SEVERITY_MEDIUM;
	finding_because(
		&finding, dns ? "names that people use are short, and are asked for once"
			      : "a reply repeats its request, and these do not, or are too many");
	if (channel->bytes[0] + channel->bytes[1] > HIGH_BYTES) {
		finding.severity = SEVERITY_HIGH;
		finding_because(&finding, "more than a megabyte went through");
	}
	finding.count = channel->packets[0] + channel->packets[1];
	detector->context->report(&finding, record, detector->context->userdata);
}

static void add(
	struct channel *channel, const struct record *record, const struct meter_reading *reading)
{
	uint64_t header = header_bytes(&record->event);

	for (size_t side = 0; side < 2; side++) {
		uint64_t headers = reading->packets[side] * header;

		channel->packets[side] += reading->packets[side];
		if (reading->bytes[side] > headers)
			channel->bytes[side] += reading->bytes[side] - headers;
	}
	if (reading->total_packets[0] > channel->longest_packets)
		channel->longest_packets = reading->total_packets[0];
	if (reading->since_ns < channel->from_ns)
		channel->from_ns = reading->since_ns;
	suspect_go_on(&channel->suspect, record, reading->is_first);
}

static void tunnel_record(struct detector *detector, const struct record *record)
{
	const struct flow_event *event = &record->event;
	bool dns = is_dns(event);
	struct ledger_key key;
	uint64_t window_ns = clock_from_seconds(detector->values[WINDOW]);
	struct meter_reading reading;
	struct channel *channel;

	if ((!dns && !is_echo(event)) || !meter_read(&detector->meter, record, &reading))
		return;
	key = (struct ledger_key){
		{party_key(record, RECORD_SOURCE), party_key(record, RECORD_DESTINATION), dns}};
	channel = ledger_touch(&detector->channels, &key);
	if (!channel)
		return;
	if (event->time_ns > channel->since_ns + window_ns) {
		suspect_clear(&channel->suspect);
		channel->since_ns = channel->from_ns = reading.since_ns;
		memset(channel->packets, 0, sizeof(channel->packets));
		memset(channel->bytes, 0, sizeof(channel->bytes));
		channel->longest_packets = channel->names = channel->names_at_once = 0;
	}
	add(channel, record, &reading);
	add_names(detector, channel, record);
	if (dns ? carries_dns(detector, channel) : carries_echo(detector, channel))
		report(detector, channel, record, dns);
}

static int tunnel_open(
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
	*ret = detector;
	return 0;
}

static json_t *tunnel_describe(const struct detector *detector)
{
	const struct ledger *ledgers[] = {&detector->meter.connections, &detector->channels};

	return ledgers_describe(ledgers, 2, 0);
}

static void tunnel_close(struct detector *detector)
{
	meter_clear(&detector->meter);
	ledger_clear(&detector->channels);
	free(detector);
}

const struct detector_ops tunnel_detector = {
	.name = "tunnel",
	.summary = "something else travels in DNS or in ping",
	.method = "sizes and counts of a flow as in Ellens et al., \"Flow-Based Detection of DNS "
		  "Tunnels\", AIMS 2013; RFC 792: an echo reply returns the data of its request",
	.parameters = parameters,
	.open = tunnel_open,
	.record = tunnel_record,
	.describe = tunnel_describe,
	.close = tunnel_close,
};
