/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The programs against the reference evaluator: random documents and models are compiled, put into
 * the maps by the data plane itself, and random packets, each the first of its connection, go
 * through BPF_PROG_TEST_RUN at the hooks on their way. Verdict, rule, direction, audit, log and
 * reason must be what the evaluator says. CASES=n (100000) packets in all, SEED=n (1) to begin
 * with; each model's seed brings it back.
 */
#include "base/cleanup.h"
#include "dataplane/bpf/plane.h"
#include "tests/differential/attachments.h"
#include "tests/differential/probe.h"
#include "world.h"

#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define CASES_DEFAULT   100000
#define CASES_PER_MODEL 250
#define DIFFERENCES_MAX 20 /* printed */
#define IPV4_BYTES      4
#define ETHERNET_BYTES  14
#define SCTP_INIT_BYTES 20

struct sums {
	size_t cases;
	size_t refused;
	size_t audited;
	size_t hooks[ABI_DIRECTIONS];
	size_t models;
	size_t differing; /* models */
	size_t differences;
};

struct bench {
	struct network network;
	sd_event *event;
	struct dataplane *plane;
	const struct scenario *scenario;
	struct sums sums;
};

/* A packet, what it should meet, and where. */
struct trip {
	const struct probe *probe;
	struct frame_description description;
	struct frame frame;
	int64_t subjects[ABI_DIRECTIONS]; /* by whose policy; -1: nobody's */
};

__attribute__((format(printf, 3, 4))) static void differ(
	struct bench *bench, const struct trip *trip, const char *format, ...)
{
	va_list arguments;

	if (bench->sums.differences++ >= DIFFERENCES_MAX)
		return;
	printf("seed %llu: ", (unsigned long long)bench->scenario->seed);
	probe_print(trip->probe, stdout);
	fputs(": ", stdout);
	va_start(arguments, format);
	vprintf(format, arguments);
	va_end(arguments);
	putchar('\n');
}

/* --- what is sent --- */

/* Those that stand for nobody's own machine would be refused for what they are. */
static bool is_ordinary(const struct address *address)
{
	const uint8_t *bytes = address->bytes;

	if (address_is_ipv4(address))
		return bytes[12] && bytes[12] != 127 && bytes[12] < 224;
	return bytes[0] >> 5 == 1 || bytes[0] >> 1 == 0xfc >> 1;
}

static bool has_owner(const struct ir *ir, const struct address *address)
{
	for (size_t i = 0; i < ir->addresses_count; i++)
		if (address_equal(&ir->addresses[i].address, address))
			return true;
	return false;
}

/* The first or last address of a prefix that policies name, or the one beside it. */
static struct address draw_edge(struct dice *dice, const struct ir *ir)
{
	const struct prefix *prefix =
		&ir->prefixes[dice_below(dice, (unsigned int)ir->prefixes_count)].prefix;
	struct address address = prefix->address;
	bool last = dice_one_in(dice, 2), beside = dice_one_in(dice, 2);

	for (unsigned int bit = prefix->length; last && bit < 128; bit++)
		address.bytes[bit / 8] |= (uint8_t)(0x80 >> bit % 8);
	for (size_t i = sizeof(address.bytes); beside && i-- > 0;) {
		address.bytes[i] = (uint8_t)(address.bytes[i] + (last ? 1 : -1));
		beside = address.bytes[i] == (last ? 0 : 0xff);
	}
	return address;
}

static struct address draw_any(struct dice *dice, bool ipv4)
{
	struct address address = {0};
	size_t start = ipv4 ? sizeof(address.bytes) - IPV4_BYTES : 0;

	if (ipv4)
		address.bytes[10] = address.bytes[11] = 0xff;
	for (size_t i = start; i < sizeof(address.bytes); i++)
		address.bytes[i] = (uint8_t)dice_roll(dice);
	return address;
}

/* Whoever lives outside may have any address; what is asked changes with it. */
static void move_outsider(struct scenario *scenario, struct probe *probe)
{
	struct address *address =
		probe->from == PLACE_OUTSIDE ? &probe->query.source : &probe->query.destination;
	bool ipv4 = address_is_ipv4(address);
	struct address drawn;

	if (probe->from != PLACE_OUTSIDE && probe->to != PLACE_OUTSIDE)
		return;
	drawn = dice_one_in(&scenario->dice, 4) ? draw_any(&scenario->dice, ipv4)
						: draw_edge(&scenario->dice, scenario->ir);
	if (address_is_ipv4(&drawn) != ipv4 || !is_ordinary(&drawn) ||
		has_owner(scenario->ir, &drawn))
		return;
	*address = drawn;
	probe->expected = evaluate(scenario->ir, &probe->query);
}

/* Headers that policy does not look at. */
static void draw_headers(struct dice *dice, struct frame_description *d)
{
	static const uint8_t others[] = {IPPROTO_ESP, IPPROTO_GRE, IPPROTO_UDPLITE, 253};
	static const uint8_t init[SCTP_INIT_BYTES] = {
		1, 0, 0, SCTP_INIT_BYTES, 0, 0, 0, 1, 0, 1, 0, 0, 0, 1, 0, 1, 0, 0, 0, 1};

	if (address_is_ipv4(&d->source.address) && dice_one_in(dice, 4))
		d->ipv4_options = (uint8_t)(4 * dice_below(dice, 11));
	if (!address_is_ipv4(&d->source.address) && dice_one_in(dice, 4)) {
		bool hop_by_hop = dice_one_in(dice, 2);

		d->extensions[0] = (hop_by_hop ? IPPROTO_HOPOPTS : IPPROTO_DSTOPTS) + 1;
		if (hop_by_hop && dice_one_in(dice, 2))
			d->extensions[1] = IPPROTO_DSTOPTS + 1;
	}
	d->hop_limit = (uint8_t)(1 + dice_below(dice, 255));
	if (d->protocol == PROBE_OTHER_PROTOCOL) {
		d->protocol = others[dice_below(dice, ARRAY_SIZE(others))];
		d->body = "no transport of ours";
		d->body_size = 20;
	} else if (d->protocol == IPPROTO_SCTP) {
		d->body = init;
		d->body_size = sizeof(init);
	}
}

static struct end end_at(
	const struct bench *bench, unsigned int place, const struct address *address)
{
	struct end end = {.address = *address, .mac = {2, 0, 0, 0, 0, 1}};

	if (place >= PLACE_WORKLOADS || bench->scenario->subjects[place] < 0)
		return end;
	memcpy(end.mac, bench->network.interfaces[place]->mac, sizeof(end.mac));
	end.ifindex = bench->network.interfaces[place]->peer;
	return end;
}

static struct trip trip_plan(const struct bench *bench, struct dice *dice, struct probe *probe)
{
	const struct flow_query *query = &probe->query;
	bool icmp = query->protocol == IPPROTO_ICMP || query->protocol == IPPROTO_ICMPV6;
	struct trip trip = {.probe = probe, .subjects = {-1, -1}};
	struct frame_description *d = &trip.description;

	*d = (struct frame_description){
		.source = end_at(bench, probe->from, &query->source),
		.destination = end_at(bench, probe->to, &query->destination),
		.protocol = query->protocol,
		.tcp_flags = TCP_SYN,
	};
	if (icmp) {
		d->icmp_type = (uint8_t)(query->port >> 8);
		d->icmp_code = (uint8_t)query->port;
		d->icmp_identifier = probe->source_port;
	} else if (query->protocol != PROBE_OTHER_PROTOCOL) {
		d->source_port = probe->source_port;
		d->destination_port = query->port;
	}
	draw_headers(dice, d);
	if (probe->from != probe->to) {
		if (d->source.ifindex)
			trip.subjects[ABI_EGRESS] = bench->scenario->subjects[probe->from];
		if (d->destination.ifindex)
			trip.subjects[ABI_INGRESS] = bench->scenario->subjects[probe->to];
	}
	trip.frame = frame_build(d);
	return trip;
}

/* --- what became of it --- */

static const struct decision *decision_of(const struct trip *trip, enum direction direction)
{
	return direction == DIRECTION_EGRESS ? &trip->probe->expected.egress
					     : &trip->probe->expected.ingress;
}

/* The id of the rule that decides in a direction; 0: nobody is its subject there. */
static uint32_t rule_of(
	const struct bench *bench, const struct trip *trip, enum direction direction)
{
	const struct ir *ir = bench->scenario->ir;

	return trip->subjects[direction] < 0 ? 0 : ir->rules[decision_of(trip, direction)->rule].id;
}

static void check_refusal(struct bench *bench, const struct trip *trip, enum abi_direction hook)
{
	const struct frame_description *d = &trip->description;
	const struct decision *decision = decision_of(trip, trip->probe->expected.direction);
	bool ipv4 = address_is_ipv4(&d->source.address);
	struct abi_denial_key key = {
		.ifindex = hook == ABI_EGRESS ? d->source.ifindex : d->destination.ifindex,
		.rule = rule_of(bench, trip, trip->probe->expected.direction),
		.port = trip->probe->query.port,
		.ethertype = ipv4 ? 0x0800 : 0x86dd,
		.protocol = d->protocol,
		.reason = REASON_POLICY_DENIED,
		.hook = (uint8_t)hook,
		.direction = (uint8_t)trip->probe->expected.direction,
	};
	int denials = bench->plane->objects.maps.denials;
	struct abi_denial denial;

	memcpy(key.source, d->source.address.bytes, sizeof(key.source));
	memcpy(key.destination, d->destination.address.bytes, sizeof(key.destination));
	if (bpf_map_lookup_elem(denials, &key, &denial) < 0) {
		differ(bench, trip, "refused, but not by rule %#x of %s as policy", key.rule,
			direction_name(trip->probe->expected.direction));
		return;
	}
	bpf_map_delete_elem(denials, &key);
	objects_denial_gone(&bench->plane->objects, key.ifindex);
	if (denial.packets != 1 || denial.bytes != trip->frame.size - ETHERNET_BYTES)
		differ(bench, trip, "one packet of %zu bytes, counted as %llu of %llu",
			trip->frame.size - ETHERNET_BYTES, (unsigned long long)denial.packets,
			(unsigned long long)denial.bytes);
	if (denial.decision_flags != decision->flags)
		differ(bench, trip, "decided with flags %#x, expected %#x", denial.decision_flags,
			decision->flags);
}

static uint8_t expected_flags(const struct trip *trip)
{
	const struct evaluation *expected = &trip->probe->expected;
	unsigned int both = expected->egress.flags | expected->ingress.flags;
	uint8_t flags = 0;

	if (both & DECISION_LOG)
		flags |= ABI_CONNECTION_LOG;
	if (both & DECISION_AUDIT)
		flags |= ABI_CONNECTION_AUDITED;
	if (expected->egress.flags & DECISION_AUDIT)
		flags |= ABI_CONNECTION_AUDITED_EGRESS;
	return flags;
}

static void check_connection(struct bench *bench, const struct trip *trip)
{
	const uint8_t decided =
		ABI_CONNECTION_LOG | ABI_CONNECTION_AUDITED | ABI_CONNECTION_AUDITED_EGRESS;
	struct abi_connection_key key = frame_connection_key(&trip->description);
	int connections = bench->plane->objects.maps.connections;
	struct abi_connection connection;

	if (bpf_map_lookup_elem(connections, &key, &connection) < 0) {
		differ(bench, trip, "passed, but no connection is known");
		return;
	}
	bpf_map_delete_elem(connections, &key);
	/* As the agent does with what it reclaims. */
	__atomic_fetch_sub(&objects_share(&bench->plane->objects, connection.owner)->connections, 1,
		__ATOMIC_RELAXED);
	for (int direction = 0; direction < ABI_DIRECTIONS; direction++) {
		uint32_t wanted = rule_of(bench, trip, (enum direction)direction);

		if (connection.rule[direction] != wanted)
			differ(bench, trip, "%s by rule %#x, expected %#x",
				direction_name((enum direction)direction),
				connection.rule[direction], wanted);
	}
	if ((connection.flags & decided) != expected_flags(trip))
		differ(bench, trip, "flags %#x, expected %#x", connection.flags & decided,
			expected_flags(trip));
	if (connection.packets[ABI_ORIGINATOR] != 1 || connection.packets[ABI_RESPONDER])
		differ(bench, trip, "one packet, counted as %llu and %llu",
			(unsigned long long)connection.packets[ABI_ORIGINATOR],
			(unsigned long long)connection.packets[ABI_RESPONDER]);
}

/* --- on its way --- */

static bool passes_hook(struct bench *bench, const struct trip *trip, enum abi_direction hook)
{
	struct __sk_buff context = {
		.ifindex = hook == ABI_EGRESS ? trip->description.source.ifindex
					      : trip->description.destination.ifindex,
	};
	LIBBPF_OPTS(bpf_test_run_opts, options, .data_in = trip->frame.bytes,
		.data_size_in = (uint32_t)trip->frame.size, .ctx_in = &context,
		.ctx_size_in = sizeof(context), .repeat = 1);
	int r = bpf_prog_test_run_opts(bench->plane->objects.programs[hook], &options);

	if (r < 0)
		differ(bench, trip, "BPF_PROG_TEST_RUN: %s", strerror(-r));
	else if (options.retval != WORLD_PASS && options.retval != WORLD_REFUSE &&
		 options.retval != WORLD_ANSWER)
		differ(bench, trip, "the program returned %u", options.retval);
	bench->sums.hooks[hook]++;
	return r == 0 && options.retval == WORLD_PASS;
}

static void travel(struct bench *bench, const struct trip *trip)
{
	bool refused = trip->probe->expected.verdict == VERDICT_DENY;
	enum abi_direction first = trip->description.source.ifindex ? ABI_EGRESS : ABI_INGRESS;

	bench->sums.cases++;
	bench->sums.refused += refused;
	bench->sums.audited += !refused && expected_flags(trip) & ABI_CONNECTION_AUDITED;
	if (passes_hook(bench, trip, first) == refused) {
		differ(bench, trip,
			refused ? "passed, but the evaluator refuses it"
				: "refused, but the evaluator allows it");
		return;
	}
	if (refused) {
		check_refusal(bench, trip, first);
		return;
	}
	if (first == ABI_EGRESS && trip->subjects[ABI_INGRESS] >= 0 &&
		!passes_hook(bench, trip, ABI_INGRESS))
		differ(bench, trip, "passed on leaving, refused on entering");
	check_connection(bench, trip);
}

static int apply(struct bench *bench, struct error *error)
{
	struct attachment attachments[PLACE_WORKLOADS];
	const struct dataplane_state state = {
		.ir = bench->scenario->ir,
		.model = bench->scenario->model,
		.attachments = attachments,
		.attachments_count =
			attachments_list(&bench->network, bench->scenario, attachments),
	};

	return bpf_dataplane_ops.apply(bench->plane, &state, error);
}

static int try_model(struct bench *bench, uint64_t seed, struct error *error)
{
	_cleanup_(scenario_freep) struct scenario *scenario = NULL;
	struct probe probes[CASES_PER_MODEL] = {0};
	size_t before = bench->sums.differences, count;
	int r = scenario_new(seed, &scenario, error);

	if (r < 0)
		return r;
	bench->scenario = scenario;
	r = apply(bench, error);
	if (r < 0)
		return error_context(error, r, "seed %llu", (unsigned long long)seed);
	count = probes_draw(scenario, 0, probes, CASES_PER_MODEL);
	for (size_t i = 0; i < count; i++) {
		struct trip trip;

		move_outsider(scenario, &probes[i]);
		trip = trip_plan(bench, &scenario->dice, &probes[i]);
		if (trip.description.source.ifindex || trip.description.destination.ifindex)
			travel(bench, &trip);
	}
	bench->sums.models++;
	bench->sums.differing += bench->sums.differences != before;
	return 0;
}

static void ignore_flow(const struct flow_event *event, void *userdata)
{
	(void)event;
	(void)userdata;
}

static void print_trouble(const char *message, bool repaired, void *userdata)
{
	(void)userdata;
	printf("trouble: %s%s\n", message, repaired ? " (repaired)" : "");
}

static int bench_open(struct bench *bench, struct error *error)
{
	const struct dataplane_options options = {.pin_directory = NETWORK_PIN_DIRECTORY};
	const struct dataplane_callbacks callbacks = {
		.flow = ignore_flow, .trouble = print_trouble};
	int r = network_build(TOPOLOGY_ROUTED, &bench->network, error);

	if (r < 0)
		return r;
	r = sd_event_new(&bench->event);
	if (r < 0)
		return error_errno(error, r, "make an event loop");
	return bpf_dataplane_ops.open(&options, &callbacks, bench->event, &bench->plane, error);
}

static void bench_close(struct bench *bench)
{
	bpf_dataplane_ops.close(bench->plane, true);
	sd_event_unref(bench->event);
	network_clear(&bench->network);
}

static uint64_t number_from(const char *variable, uint64_t otherwise)
{
	const char *text = getenv(variable);

	return text && *text ? strtoull(text, NULL, 10) : otherwise;
}

int main(void)
{
	const uint64_t first = number_from("SEED", 1), cases = number_from("CASES", CASES_DEFAULT);
	struct bench bench = {.network = NETWORK_INIT};
	_cleanup_error_ struct error error = ERROR_INIT;
	const struct sums *sums = &bench.sums;
	int r;

	if (geteuid() != 0) {
		printf("skipped: needs root\n0 passed, 0 failed, 1 skipped\n");
		return EXIT_SUCCESS;
	}
	r = bench_open(&bench, &error);
	for (uint64_t seed = first; r == 0 && sums->cases < cases; seed++)
		r = try_model(&bench, seed, &error);
	if (r < 0)
		printf("after %zu models from seed %llu: %s\n", sums->models,
			(unsigned long long)first, error_message(&error));
	bench_close(&bench);
	printf("%zu cases from seed %llu: %zu allowed (%zu of them audited), %zu refused; %zu "
	       "times leaving, %zu entering; %zu differences\n",
		sums->cases, (unsigned long long)first, sums->cases - sums->refused, sums->audited,
		sums->refused, sums->hooks[ABI_EGRESS], sums->hooks[ABI_INGRESS],
		sums->differences);
	printf("%zu passed, %zu failed, 0 skipped\n", sums->models - sums->differing,
		sums->differing + (r < 0));
	return r < 0 || sums->differing ? EXIT_FAILURE : EXIT_SUCCESS;
}
