// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * How many flow events a second one core resolves, records, maps and writes to a flow log.
 *
 *   flow_events [EVENTS]     prints one line for each mix of events
 */
#include "base/cleanup.h"
#include "flow/pipeline.h"
#include "observe/dns_names.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#define EVENTS_DEFAULT 2000000
#define BATCH          4096 /* events between two turns of the event loop */
#define ENDPOINTS      1000
#define REMOTES        10000
#define TOLD           8 /* remotes that each workload has a name for */

struct mix {
	const char *name;
	void (*make)(uint64_t number, struct flow_event *event);
};

static json_t *resolve_endpoint(const struct address *address, void *userdata)
{
	unsigned int host = (unsigned int)(address->bytes[14] << 8 | address->bytes[15]);

	(void)userdata;
	if (address->bytes[12] != 10)
		return json_pack("{s:s}", "entity", "world");
	return json_pack("{s:o, s:s, s:{s:s, s:s, s:s}}", "workload", json_sprintf("web-%u", host),
		"namespace", "shop", "labels", "app", "web", "env", "prod", "tier", "frontend");
}

static json_t *resolve_rule(uint32_t id, void *userdata)
{
	(void)userdata;
	return json_pack("{s:s, s:s, s:s, s:s, s:i, s:s}", "tier", "application", "kind",
		"SegmentPolicy", "namespace", "shop", "name", "db-from-api", "index", (int)id,
		"text", "SegmentPolicy shop/db-from-api ingress[0]");
}

static const char *resolve_interface(uint32_t ifindex, void *userdata)
{
	(void)ifindex;
	(void)userdata;
	return "veth3f2a91c";
}

static struct address ipv4(uint32_t number)
{
	uint32_t be = htonl(number);

	return address_from_ipv4(&be);
}

static void make_packet(uint64_t number, struct flow_event *event)
{
	*event = (struct flow_event){
		.time_ns = 1800000000000000000ULL + number * 1000,
		.id = number,
		.reason = REASON_POLICY_ALLOWED,
		.direction = DIRECTION_INGRESS,
		.rule = 1 + (uint32_t)(number % 250),
		.source = ipv4(0x0a000000 + (uint32_t)(number % ENDPOINTS)),
		.destination = ipv4(0x0a000000 + (uint32_t)(number / 7 % ENDPOINTS)),
		.source_port = (uint16_t)(32768 + number % 28000),
		.destination_port = 5432,
		.ethertype = 0x0800,
		.protocol = IPPROTO_TCP,
		.tcp_flags = 0x12,
		.source_mac = {2, 66, 10, 0, 0, 2},
		.destination_mac = {2, 66, 10, 0, 0, 3},
		.ifindex = 7 + (uint32_t)(number % ENDPOINTS),
		.packets = {number % 100 + 1, number % 90},
		.bytes = {number % 100000 + 60, number % 90000},
	};
	event->start_ns = event->time_ns - 500000;
	event->end_ns = event->time_ns;
}

/* Connections between workloads: their beginning, later their end. */
static void make_connection(uint64_t number, struct flow_event *event)
{
	make_packet(number / 2, event);
	event->type = number % 2 ? FLOW_END : FLOW_NEW;
}

static void make_denied(uint64_t number, uint64_t remote, struct flow_event *event)
{
	make_packet(number, event);
	event->type = FLOW_DENIED;
	event->verdict = FLOW_REFUSED;
	event->reason = REASON_POLICY_DENIED;
	event->destination = ipv4(0xc6120000 + (uint32_t)(remote % REMOTES));
}

/* Each workload tries again and again what it may not reach: ten places of the world. */
static void make_refusal(uint64_t number, struct flow_event *event)
{
	make_denied(number, number % ENDPOINTS * 10 + number / ENDPOINTS % 10, event);
}

/* The worst case: never the same twice, so that all tables are full and each event evicts. */
static void make_scan(uint64_t number, struct flow_event *event)
{
	make_denied(number, number / 3, event);
	event->destination_port = (uint16_t)(number / 7);
}

/* Connections to places of the world that the workload looked up. */
static void make_named(uint64_t number, struct flow_event *event)
{
	make_connection(number, event);
	event->destination = ipv4(0xc6120000 + (uint32_t)(number / 2 % ENDPOINTS * TOLD +
							  number / 2 / ENDPOINTS % TOLD));
}

static struct name *named(const struct name *workload, const struct address *address,
	struct name *end, uint64_t start_ns, void *userdata)
{
	return dns_names_apply(userdata, workload, address, end, start_ns);
}

/* As if each workload had asked for its places just before. */
static void tell_names(struct flow_pipeline *pipeline, struct dns_names *names)
{
	for (uint32_t i = 0; i < ENDPOINTS * TOLD; i++) {
		const struct address who = ipv4(0x0a000000 + i / TOLD);
		const struct address place = ipv4(0xc6120000 + i);
		struct name *workload = flow_pipeline_endpoint(pipeline, &who);
		char text[32];

		snprintf(text, sizeof(text), "service-%u.example.org", i);
		dns_names_learn(names, workload, &place, text, 1800000000000000000ULL, 300);
		name_release(workload);
	}
}

static double cpu_seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static json_int_t counter(const json_t *description, const char *object, const char *key)
{
	return json_integer_value(json_object_get(json_object_get(description, object), key));
}

static void report(
	struct flow_pipeline *pipeline, const struct mix *mix, uint64_t events, double seconds)
{
	json_t *description = flow_describe(pipeline);
	struct rusage usage;

	getrusage(RUSAGE_SELF, &usage);
	printf("flow events, %-11s %9.0f a second of CPU time (%.2f us each), %lld lost by the log, "
	       "%ld MiB RSS at most\n",
		mix->name, (double)events / seconds, seconds / (double)events * 1e6,
		(long long)counter(description, "log", "lost"), usage.ru_maxrss / 1024);
	json_decref(description);
}

static int measure(const struct mix *mix, const char *directory, uint64_t events)
{
	struct flow_resolver resolver = {.endpoint = resolve_endpoint,
		.rule = resolve_rule,
		.interface = resolve_interface,
		.named = named};
	struct flow_options options = {
		.node = "bench", .log_directory = directory, .log_total_bytes = 256ULL << 20};
	_cleanup_error_ struct error error = ERROR_INIT;
	struct flow_pipeline *pipeline;
	struct flow_event event;
	struct dns_names *names;
	sd_event *loop;
	double start;

	if (dns_names_new(&names) < 0 || sd_event_new(&loop) < 0)
		return -ENOMEM;
	resolver.userdata = names;
	if (flow_pipeline_new(&options, &resolver, loop, &pipeline, &error) < 0) {
		fprintf(stderr, "flow_events: %s\n", error_message(&error));
		sd_event_unref(loop);
		return error.code;
	}
	tell_names(pipeline, names);
	start = cpu_seconds();
	for (uint64_t i = 0; i < events; i++) {
		mix->make(i, &event);
		flow_pipeline_event(pipeline, &event);
		if (i % BATCH == 0)
			sd_event_run(loop, 0);
	}
	flow_pipeline_flush(pipeline, NULL);
	report(pipeline, mix, events, cpu_seconds() - start);
	dns_names_free(names);
	flow_pipeline_free(pipeline);
	sd_event_unref(loop);
	return 0;
}

static void remove_directory(const char *directory)
{
	_cleanup_free_ char *command = NULL;

	if (asprintf(&command, "rm -rf '%s'", directory) > 0 && system(command) != 0)
		fprintf(stderr, "flow_events: cannot remove %s\n", directory);
}

int main(int argc, char **argv)
{
	static const struct mix mixes[] = {
		{"connections", make_connection},
		{"named", make_named},
		{"refusals", make_refusal},
		{"scan", make_scan},
	};
	uint64_t events = argc > 1 ? strtoull(argv[1], NULL, 10) : EVENTS_DEFAULT;
	char directory[] = "/tmp/flow-events-XXXXXX";
	int result = 0;

	if (!mkdtemp(directory)) {
		perror("flow_events: make a directory");
		return EXIT_FAILURE;
	}
	for (size_t i = 0; i < ARRAY_SIZE(mixes) && !result; i++)
		result = measure(&mixes[i], directory, events);
	remove_directory(directory);
	return result ? EXIT_FAILURE : EXIT_SUCCESS;
}
