/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Any flow log through all detectors. An input that begins with '{' is read as lines of the log;
 * any other as a short notation of records, so that mutations reach the detectors' memories and not
 * only the parser: 12 bytes each, of few workloads and many addresses, over days. Whatever it is,
 * no memory grows over its bound, and what is saved is loaded as it was.
 */
#include "detect/engine.h"

#include "base/cleanup.h"
#include "flow/record.h"

#include <netinet/in.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define RECORD_BYTES 12
#define RECORDS_MAX  4096
#define BEGIN_NS     (1800000000ULL * 1000000000)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool holds)
{
	if (!holds)
		abort();
}

static struct name *make_name(uint8_t who, struct address *address)
{
	static const char *const apps[] = {"web", "api", "db", "cron", "mail", "dns", "lab", "job"};
	const uint8_t bytes[4] = {who < 16 ? 10 : who, 0, (uint8_t)(who * 7), who};

	*address = address_from_ipv4(bytes);
	if (who < 16)
		return name_new(NULL,
			json_pack("{s:s, s:s, s:{s:s}}", "workload", apps[who % 8], "namespace",
				who < 8 ? "shop" : "blog", "labels", "app", apps[who % 8]));
	return name_new(NULL, json_pack("{s:s}", "entity", who < 20 ? "host" : "world"));
}

static void make_record(
	const uint8_t bytes[static RECORD_BYTES], uint64_t *now_ns, uint64_t id, struct record *ret)
{
	static const uint16_t ports[] = {22, 53, 80, 443, 445, 2375, 3389, 5432, 6379, 40000};
	static const uint8_t protocols[] = {IPPROTO_TCP, IPPROTO_TCP, IPPROTO_UDP, IPPROTO_ICMP};
	struct record record = {0};
	struct flow_event *event = &record.event;

	/* From microseconds to days. */
	*now_ns += (uint64_t)(bytes[0] & 15) << (10 + 2 * (bytes[0] >> 4));
	event->type = (enum flow_event_type)(bytes[1] % (FLOW_GAP + 1));
	event->verdict = (enum flow_verdict)(bytes[2] % (FLOW_AUDITED + 1));
	event->reason = (enum reason)(bytes[3] % REASON_COUNT);
	event->direction = bytes[2] & 0x80 ? DIRECTION_EGRESS : DIRECTION_INGRESS;
	event->id = bytes[1] & 0x80 ? id : bytes[1];
	event->time_ns = event->end_ns = *now_ns;
	event->start_ns = *now_ns - ((uint64_t)bytes[4] << 26);
	event->protocol = protocols[bytes[5] % 4];
	event->tcp_flags = bytes[5] >> 2;
	event->source_port = 40000;
	event->destination_port = bytes[6] < 128 ? ports[bytes[6] % 10] : (uint16_t)(bytes[6] * 31);
	event->packets[0] = bytes[7];
	event->packets[1] = bytes[8];
	event->bytes[0] = (uint64_t)bytes[9] << (bytes[7] % 40);
	event->bytes[1] = (uint64_t)bytes[9] << (bytes[8] % 40);
	record.source = make_name(bytes[10], &event->source);
	record.destination = make_name(bytes[11], &event->destination);
	*ret = record;
}

static void feed_records(struct engine *engine, const uint8_t *data, size_t size)
{
	uint64_t now_ns = BEGIN_NS;

	for (size_t i = 0; i + RECORD_BYTES <= size && i / RECORD_BYTES < RECORDS_MAX;
		i += RECORD_BYTES) {
		struct record record;

		make_record(data + i, &now_ns, i + 1000, &record);
		engine_record(engine, &record);
		record_clear(&record);
	}
}

static void feed_lines(struct engine *engine, const uint8_t *data, size_t size)
{
	const char *line = (const char *)data, *end = line + size;

	while (line < end) {
		const char *newline = memchr(line, '\n', (size_t)(end - line));
		size_t length = (size_t)((newline ? newline : end) - line);
		json_t *json = json_loadb(line, length, 0, NULL);

		if (json)
			(void)engine_json(engine, json);
		json_decref(json);
		line += length + 1;
	}
}

static void check_bounds(const struct engine *engine)
{
	json_t *json = engine_describe(engine), *detector;
	size_t i;

	require(json != NULL);
	json_array_foreach (json_object_get(json, "detectors"), i, detector) {
		const json_t *state = json_object_get(detector, "state");

		require(json_is_object(state));
		require(json_integer_value(json_object_get(state, "entries")) <=
			json_integer_value(json_object_get(state, "size")));
	}
	json_decref(json);
}

static void check_state(struct engine *engine, const struct engine_options *options)
{
	json_t *alerts = alerts_save(engine_alerts(engine)), *again, *state = engine_save(engine);
	struct engine *other = NULL;

	require(engine_new(options, &other, NULL) == 0);
	require(alerts_load(engine_alerts(other), alerts) == 0);
	require(engine_load(other, state, NULL) == 0);
	again = alerts_save(engine_alerts(other));
	require(json_equal(alerts, again));
	json_decref(again);
	json_decref(alerts);
	json_decref(state);
	engine_free(other);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct detect_settings settings;
	struct engine_options options = {.settings = &settings};
	struct engine *engine = NULL;

	if (!settings.detectors)
		require(detect_settings_init(&settings) == 0);
	/* What never learnt has nothing to say about what is new. */
	settings.learning_ns = 3600ULL * 1000000000;
	require(engine_new(&options, &engine, NULL) == 0);
	if (size && data[0] == '{')
		feed_lines(engine, data, size);
	else
		feed_records(engine, data, size);
	check_bounds(engine);
	if (size % 16 == 0)
		check_state(engine, &options);
	engine_free(engine);
	return 0;
}
