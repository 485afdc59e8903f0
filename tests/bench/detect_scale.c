/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What detection costs where it is large: detect_scale [WORKLOADS [PEERS]] feeds all detectors with
 * connections of WORKLOADS (10,000) among each other and with PEERS (a million) addresses outside,
 * each met once, some of them refused or unanswered. Prints the time of a record, the memory that
 * came with it after a tenth and at the end, how full what is bounded is, and the same of the
 * state: its size, the time to save and to load it, and whether it is the same afterwards.
 */
#include "base/cleanup.h"
#include "detect/engine.h"

#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define BEGIN_NS  (1800000000ULL * 1000000000)
#define STEP_NS   (86400ULL * 1000000000 * 10 / 2000000) /* ten days for a million peers */
#define ROLE_SIZE 5                                      /* workloads of one role */

static struct name **workloads;
static struct name *world;
static size_t workloads_count;

static double now_s(clockid_t clock)
{
	struct timespec time;

	clock_gettime(clock, &time);
	return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static double memory_mib(void)
{
	_cleanup_file_ FILE *file = fopen("/proc/self/statm", "re");
	long pages = 0;

	if (!file || fscanf(file, "%*d %ld", &pages) != 1)
		return 0;
	return (double)pages * (double)sysconf(_SC_PAGESIZE) / (1 << 20);
}

static void make_names(size_t count)
{
	workloads = calloc(count, sizeof(struct name *));
	workloads_count = count;
	for (size_t i = 0; i < count; i++)
		workloads[i] = name_new(
			NULL, json_pack("{s:o, s:s, s:{s:o}}", "workload",
				      json_sprintf("app-%zu", i), "namespace", "shop", "labels",
				      "app", json_sprintf("app-%zu", i / ROLE_SIZE)));
	world = name_new(NULL, json_pack("{s:s}", "entity", "world"));
}

static struct address address_of(uint32_t first, size_t number)
{
	uint32_t bits = htonl(first + (uint32_t)number);

	return address_from_ipv4(&bits);
}

static void fill(struct record *record, uint64_t number, bool outside)
{
	static const uint16_t ports[] = {443, 80, 5432, 6379, 53, 8080, 22, 9092};
	size_t from = (size_t)(number * 7919 % workloads_count);
	size_t to = (from * 31 + number % 8) % workloads_count;
	struct flow_event *event = &record->event;
	bool failed = number % 61 == 0;

	memset(record, 0, sizeof(*record));
	event->id = number + 1;
	event->time_ns = event->end_ns = BEGIN_NS + number * STEP_NS;
	event->start_ns = event->time_ns - 1000000;
	event->type = failed && number % 2 ? FLOW_DENIED : FLOW_END;
	event->verdict = event->type == FLOW_DENIED ? FLOW_REFUSED : FLOW_ALLOWED;
	event->reason = event->type == FLOW_DENIED ? REASON_POLICY_DENIED : REASON_POLICY_ALLOWED;
	event->protocol = IPPROTO_TCP;
	event->source_port = (uint16_t)(32768 + number % 28000);
	event->destination_port = outside ? 443 : ports[from % 8];
	event->packets[0] = failed ? 1 : 12;
	event->packets[1] = failed ? 0 : 10;
	event->bytes[0] = failed ? 60 : 2000 + number % 5000;
	event->bytes[1] = failed ? 0 : 9000;
	event->source = address_of(0x0a000000, from);
	event->destination = outside ? address_of(0x14000000, (size_t)(number * 257))
				     : address_of(0x0a000000, to);
	record->source = workloads[from];
	record->destination = outside ? world : workloads[to];
}

static void feed(struct engine *engine, uint64_t from, uint64_t to)
{
	for (uint64_t i = from; i < to; i++) {
		struct record record;

		/* Each peer outside once, and as many connections inside. */
		fill(&record, i, i % 2);
		engine_record(engine, &record);
	}
}

static void print_fill(const struct engine *engine)
{
	json_t *json = engine_describe(engine), *detector;
	const json_t *baseline = json_object_get(json, "baseline");
	size_t i;

	printf("%-16s %10s %10s %10s\n", "memory of", "entries", "room", "evicted");
	json_array_foreach (json_object_get(json, "detectors"), i, detector) {
		const json_t *state = json_object_get(detector, "state");

		printf("%-16s %10lld %10lld %10lld\n",
			json_string_value(json_object_get(detector, "name")),
			json_integer_value(json_object_get(state, "entries")),
			json_integer_value(json_object_get(state, "size")),
			json_integer_value(json_object_get(state, "evicted")));
	}
	printf("%-16s %10lld %10lld %10lld\n", "baseline",
		json_integer_value(json_object_get(baseline, "edges")),
		json_integer_value(json_object_get(baseline, "edges_size")),
		json_integer_value(json_object_get(baseline, "edges_evicted")));
	printf("%-16s %10lld %10lld %10lld\n", "alerts",
		json_integer_value(json_object_get(json_object_get(json, "alerts"), "kept")),
		json_integer_value(json_object_get(json_object_get(json, "alerts"), "size")),
		json_integer_value(json_object_get(json_object_get(json, "alerts"), "evicted")));
	json_decref(json);
}

static void load_baseline(struct engine *engine, const struct writer *writer)
{
	const char *line = writer->data, *end = writer->data + writer->length;

	while (line < end) {
		const char *newline = memchr(line, '\n', (size_t)(end - line));

		baseline_read_line(engine_baseline(engine), line, (size_t)(newline - line));
		line = newline + 1;
	}
}

static void restart(struct engine *engine, const struct engine_options *options)
{
	double start = now_s(CLOCK_MONOTONIC), saved, loaded;
	json_t *alerts = alerts_save(engine_alerts(engine)), *state = engine_save(engine);
	struct writer writer = WRITER_INIT, again = WRITER_INIT;
	char *text = json_dumps(state, JSON_COMPACT);
	struct engine *other;
	json_t *same;

	baseline_write(engine_baseline(engine), &writer);
	saved = now_s(CLOCK_MONOTONIC);
	if (engine_new(options, &other, NULL) < 0)
		exit(EXIT_FAILURE);
	alerts_load(engine_alerts(other), alerts);
	engine_load(other, state, NULL);
	load_baseline(other, &writer);
	loaded = now_s(CLOCK_MONOTONIC);
	same = alerts_save(engine_alerts(other));
	baseline_write(engine_baseline(other), &again);
	printf("state: detectors %.1f MiB, baseline %.1f MiB; saved in %.0f ms, loaded in %.0f ms; "
	       "alerts %s, baseline %s\n",
		(double)strlen(text) / (1 << 20), (double)writer.length / (1 << 20),
		(saved - start) * 1e3, (loaded - saved) * 1e3,
		json_equal(alerts, same) ? "the same" : "CHANGED",
		writer.length == again.length ? "the same" : "CHANGED");
	engine_free(other);
	free(text);
	json_decref(alerts);
	json_decref(same);
	json_decref(state);
	writer_clear(&writer);
	writer_clear(&again);
}

int main(int argc, char **argv)
{
	uint64_t records = 2 * (argc > 2 ? strtoull(argv[2], NULL, 10) : 1000000);
	struct detect_settings settings;
	const struct engine_options options = {.settings = &settings};
	double before, early, start, cpu;
	struct engine *engine;

	make_names(argc > 1 ? strtoul(argv[1], NULL, 10) : 10000);
	if (detect_settings_init(&settings) < 0 || engine_new(&options, &engine, NULL) < 0)
		return EXIT_FAILURE;
	before = memory_mib();
	start = now_s(CLOCK_PROCESS_CPUTIME_ID);
	feed(engine, 0, records / 10);
	early = memory_mib();
	feed(engine, records / 10, records);
	cpu = now_s(CLOCK_PROCESS_CPUTIME_ID) - start;
	printf("detect scale, a record       %8.2f µs (%zu workloads, %llu peers)\n",
		cpu * 1e6 / (double)records, workloads_count, (unsigned long long)records / 2);
	printf("detect scale, memory         %8.1f MiB (%.1f after a tenth of the records)\n",
		memory_mib() - before, early - before);
	print_fill(engine);
	restart(engine, &options);
	engine_free(engine);
	detect_settings_clear(&settings);
	return EXIT_SUCCESS;
}
