/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Detectors for tests of the engine, in the place of the real table. "touch" reports each new
 * connection to port 1 as a scan; "enter" each to port 22 as a way in, "pivot" each to port 23 as
 * what comes of it, with the origin 9.9.9.N where the port of the source is N; "novel" each edge
 * that is new once the role has learnt.
 */
#pragma once

#include "base/cleanup.h"
#include "detect/detector.h"

#include <ctype.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#define SECOND      1000000000ULL
#define BEGIN       (1800000000ULL * SECOND) /* when the records of tests begin */
#define CLIENT_PORT 40000

struct detector {
	const struct detect_context *context;
	double least;
	uint64_t seen;
};

static const struct detector_parameter parameters[] = {
	{"least", 1, 1, 100, "connections before it is told"},
	{0},
};

static int open_detector(
	const double *values, const struct detect_context *context, struct detector **ret)
{
	struct detector *detector = calloc(1, sizeof(*detector));

	if (!detector)
		return -ENOMEM;
	detector->context = context;
	detector->least = values ? values[0] : 1;
	*ret = detector;
	return 0;
}

static void report(struct detector *detector, const struct record *record, const char *name,
	const char *technique, enum severity severity)
{
	struct finding finding = {
		.detector = name,
		.technique = technique,
		.severity = severity,
		.time_ns = record->event.time_ns,
		.first_ns = record->event.time_ns,
		.actor = record->source,
		.actor_address = record->event.source,
		.target = record->destination,
		.target_address = record->event.destination,
		.evidence = {record->event.id},
		.evidence_count = 1,
		.count = 1,
	};

	if (record->event.source_port != CLIENT_PORT)
		finding.origin_address =
			address_from_ipv4((uint8_t[]){9, 9, 9, (uint8_t)record->event.source_port});
	snprintf(finding.key, sizeof(finding.key), "to:%s", name);
	snprintf(finding.sentence, sizeof(finding.sentence), "%s did it", name);
	snprintf(finding.because, sizeof(finding.because), "a test says so");
	detector->context->report(&finding, record, detector->context->userdata);
}

static void touch(struct detector *detector, const struct record *record)
{
	if (record->event.type == FLOW_NEW && record->event.destination_port == 1 &&
		(double)++detector->seen >= detector->least)
		report(detector, record, "touch", "T1046",
			detector->seen > 5 ? SEVERITY_HIGH : SEVERITY_MEDIUM);
}

static void enter(struct detector *detector, const struct record *record)
{
	if (record->event.type == FLOW_NEW && record->event.destination_port == 22)
		report(detector, record, "enter", "T1021.004", SEVERITY_MEDIUM);
}

static void pivot(struct detector *detector, const struct record *record)
{
	if (record->event.type == FLOW_NEW && record->event.destination_port == 23)
		report(detector, record, "pivot", "T1021", SEVERITY_HIGH);
}

static void novel(struct detector *detector, const struct record *record)
{
	const struct detect_context *context = detector->context;

	if (context->has_learnt(record, context->userdata) &&
		!context->edge_days(record, context->userdata))
		report(detector, record, "novel", "T1210", SEVERITY_LOW);
}

static json_t *describe(const struct detector *detector)
{
	return json_pack("{s:I, s:i, s:i}", "entries", (json_int_t)detector->seen, "size", 100,
		"evicted", 0);
}

static json_t *save(const struct detector *detector)
{
	return json_pack("{s:I}", "seen", (json_int_t)detector->seen);
}

static int load(struct detector *detector, const json_t *state)
{
	const json_t *seen = json_object_get(state, "seen");

	if (!json_is_integer(seen))
		return -EBADMSG;
	detector->seen = (uint64_t)json_integer_value(seen);
	return 0;
}

static void close_detector(struct detector *detector)
{
	free(detector);
}

#define OPS(function, table)                                                                   \
	{                                                                                      \
		.name = #function, .summary = "a test", .method = "none", .parameters = table, \
		.open = open_detector, .record = function, .describe = describe, .save = save, \
		.load = load, .close = close_detector,                                         \
	}

static const struct detector_ops touch_ops = OPS(touch, parameters);
static const struct detector_ops enter_ops = OPS(enter, NULL);
static const struct detector_ops pivot_ops = OPS(pivot, NULL);
static const struct detector_ops novel_ops = OPS(novel, NULL);

const struct detector_ops *const detectors[] = {
	&touch_ops,
	&enter_ops,
	&pivot_ops,
	&novel_ops,
	NULL,
};

static struct name *make_name(const char *who, struct address *address)
{
	uint8_t bytes[4] = {10, 0, (uint8_t)strlen(who), 0};

	if (isdigit((unsigned char)*who)) {
		address_parse(who, address);
		return name_new(NULL, json_pack("{s:s}", "entity", "world"));
	}
	for (const char *c = who; *c; c++)
		bytes[3] = (uint8_t)(bytes[3] * 31 + (uint8_t)*c);
	*address = address_from_ipv4(bytes);
	return name_new(NULL, json_pack("{s:s, s:s, s:{s:s}}", "workload", who, "namespace", "shop",
				      "labels", "app", who));
}

/* A connection of shop/FROM to shop/TO, in that second; "9.9.9.9" is an address outside. Owned by
 * the caller. */
static inline struct record fake_record(
	double second, const char *from, const char *to, uint16_t port, enum flow_event_type type)
{
	static uint64_t id;
	struct record record = {0};
	struct flow_event *event = &record.event;

	event->type = type;
	event->id = ++id;
	/* Nanoseconds that no flow log keeps. */
	event->time_ns = event->end_ns = BEGIN + (uint64_t)(second * (double)SECOND) + 7;
	event->start_ns = event->time_ns;
	event->protocol = IPPROTO_TCP;
	event->source_port = CLIENT_PORT;
	event->destination_port = port;
	event->packets[0] = type == FLOW_NEW ? 1 : 5;
	event->packets[1] = type == FLOW_NEW ? 0 : 4;
	event->rule = 9;
	event->ifindex = 3;
	record.source = make_name(from, &event->source);
	record.destination = make_name(to, &event->destination);
	return record;
}
