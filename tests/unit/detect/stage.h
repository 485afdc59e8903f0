/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A stage for one detector: records as data planes report them, a baseline that says what the test
 * wants, and what the detector has found.
 */
#pragma once

#include "base/cleanup.h"
#include "detect/detectors.h"
#include "detect/newness.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <ctype.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SECOND 1000000000ULL
#define BEGIN  (1800000000ULL * SECOND)

struct stage {
	const struct detector_ops *ops;
	struct detector *detector;
	struct detect_context context;
	struct newness newness;
	bool has_learnt;
	uint16_t usual_port; /* edges to it are known */
	uint64_t last_id;

	size_t found; /* reports */
	size_t kinds; /* of them that were told for the first time */
	enum severity worst;
	struct finding last; /* its names are gone */
	char actor[NAME_ID_MAX];
	char origin[NAME_ID_MAX];
	char keys[32][FINDING_KEY_MAX];
};

static inline void stage_report(
	const struct finding *finding, const struct record *record, void *userdata)
{
	struct stage *stage = userdata;
	size_t i = 0;

	assert_string_equal(finding->detector, stage->ops->name);
	assert_non_null(record);
	assert_true(*finding->key && *finding->sentence && *finding->because);
	assert_true(finding->first_ns && finding->first_ns <= finding->time_ns);
	assert_true(finding->evidence_count <= FINDING_EVIDENCE_MAX);
	while (i < stage->kinds && strcmp(stage->keys[i], finding->key) != 0)
		i++;
	if (i == stage->kinds && i < ARRAY_SIZE(stage->keys))
		snprintf(stage->keys[stage->kinds++], FINDING_KEY_MAX, "%s", finding->key);
	stage->found++;
	if (finding->severity > stage->worst)
		stage->worst = finding->severity;
	name_id(finding->actor, stage->actor);
	name_id(finding->origin, stage->origin);
	stage->last = *finding;
}

static inline bool stage_has_learnt(const struct record *record, void *userdata)
{
	const struct stage *stage = userdata;

	(void)record;
	return stage->has_learnt;
}

static inline unsigned int stage_edge_days(const struct record *record, void *userdata)
{
	const struct stage *stage = userdata;

	return stage->usual_port && record->event.destination_port == stage->usual_port ? 9 : 0;
}

static inline void stage_open(struct stage *stage, const struct detector_ops *ops)
{
	double values[16] = {0};

	memset(stage, 0, sizeof(*stage));
	stage->ops = ops;
	stage->context = (struct detect_context){
		.report = stage_report,
		.edge_days = stage_edge_days,
		.has_learnt = stage_has_learnt,
		.newness = &stage->newness,
		.userdata = stage,
	};
	assert_int_equal(newness_open(&stage->newness, &stage->context), 0);
	for (size_t i = 0; ops->parameters && ops->parameters[i].name; i++) {
		const struct detector_parameter *parameter = &ops->parameters[i];

		assert_true(parameter->value >= parameter->minimum);
		assert_true(parameter->value <= parameter->maximum);
		assert_true(i < ARRAY_SIZE(values));
		values[i] = parameter->value;
	}
	assert_int_equal(ops->open(values, &stage->context, &stage->detector), 0);
}

static inline void stage_close(struct stage *stage)
{
	stage->ops->close(stage->detector);
	newness_close(&stage->newness);
}

static inline json_int_t stage_state(const struct stage *stage, const char *member)
{
	json_t *state = stage->ops->describe(stage->detector);
	json_int_t value = json_integer_value(json_object_get(state, member));

	assert_non_null(json_object_get(state, member));
	json_decref(state);
	return value;
}

/* "web": shop/web; "9.9.9.9" and "fd00::1": outside; "web7": shop/web7 of role web. */
static inline struct name *stage_name(const char *who, struct address *address)
{
	uint8_t bytes[4] = {10, 77, 0, 0};
	char role[32];
	size_t length = strcspn(who, "0123456789");
	uint32_t hash = 0;

	if (isdigit((unsigned char)*who) || strchr(who, ':')) {
		assert_int_equal(address_parse(who, address), 0);
		return name_new(NULL, json_pack("{s:s}", "entity", "world"));
	}
	for (const char *c = who; *c; c++)
		hash = hash * 31 + (uint8_t)*c;
	bytes[1] = (uint8_t)(hash >> 16);
	bytes[2] = (uint8_t)(hash >> 8);
	bytes[3] = (uint8_t)(hash & 127);
	*address = address_from_ipv4(bytes);
	snprintf(role, sizeof(role), "%.*s", (int)length, who);
	return name_new(NULL, json_pack("{s:s, s:s, s:{s:s}}", "workload", who, "namespace", "shop",
				      "labels", "app", role));
}

/* To be changed, and given to stage_play(). TCP; the first packet alone. */
static inline struct record stage_record(struct stage *stage, double second, const char *from,
	const char *to, uint16_t port, enum flow_event_type type)
{
	struct record record = {.event = {
					.type = type,
					.id = ++stage->last_id,
					.protocol = IPPROTO_TCP,
					.ethertype = 0x0800,
					.source_port = 40000,
					.destination_port = port,
					.tcp_flags = TH_SYN,
					.packets = {1, 0},
					.bytes = {60, 0},
					.reason = REASON_POLICY_ALLOWED,
				}};

	record.event.time_ns = BEGIN + (uint64_t)(second * (double)SECOND);
	record.event.start_ns = record.event.end_ns = record.event.time_ns;
	if (type == FLOW_DENIED) {
		record.event.verdict = FLOW_REFUSED;
		record.event.reason = REASON_POLICY_DENIED;
	}
	record.source = stage_name(from, &record.event.source);
	record.destination = stage_name(to, &record.event.destination);
	return record;
}

/* Takes the record. */
static inline void stage_play(struct stage *stage, struct record record)
{
	stage->ops->record(stage->detector, &record);
	record_clear(&record);
}

/* The latest connection goes on, or ends. */
static inline struct record stage_later(struct stage *stage, double second, double started,
	const char *from, const char *to, uint16_t port, enum flow_event_type type,
	const uint64_t packets[2], const uint64_t bytes[2])
{
	struct record record = stage_record(stage, second, from, to, port, type);

	record.event.id = --stage->last_id;
	record.event.start_ns = BEGIN + (uint64_t)(started * (double)SECOND);
	memcpy(record.event.packets, packets, sizeof(record.event.packets));
	memcpy(record.event.bytes, bytes, sizeof(record.event.bytes));
	return record;
}

static inline void stage_open_to(
	struct stage *stage, double second, const char *from, const char *to, uint16_t port)
{
	stage_play(stage, stage_record(stage, second, from, to, port, FLOW_NEW));
}

/* A connection attempt that is reset. */
static inline void stage_reset(
	struct stage *stage, double second, const char *from, const char *to, uint16_t port)
{
	stage_open_to(stage, second, from, to, port);
	stage_play(stage, stage_later(stage, second + 1, second, from, to, port, FLOW_END,
				  (uint64_t[]){1, 1}, (uint64_t[]){60, 40}));
}

/* One that nobody answers. */
static inline void stage_unanswered(
	struct stage *stage, double second, const char *from, const char *to, uint16_t port)
{
	stage_open_to(stage, second, from, to, port);
	stage_play(stage, stage_later(stage, second + 2, second, from, to, port, FLOW_UPDATE,
				  (uint64_t[]){2, 0}, (uint64_t[]){120, 0}));
}

/* One that goes well, and carries so much. */
static inline void stage_session(struct stage *stage, double second, double lasts, const char *from,
	const char *to, uint16_t port, uint64_t sent, uint64_t received)
{
	struct record record;

	stage_open_to(stage, second, from, to, port);
	record = stage_later(stage, second + lasts, second, from, to, port, FLOW_END,
		(uint64_t[]){8, 7}, (uint64_t[]){8 * 52 + sent, 7 * 52 + received});
	record.event.tcp_flags = TH_SYN | TH_ACK | TH_FIN;
	stage_play(stage, record);
}

static inline void stage_denied(
	struct stage *stage, double second, const char *from, const char *to, uint16_t port)
{
	stage_play(stage, stage_record(stage, second, from, to, port, FLOW_DENIED));
}
