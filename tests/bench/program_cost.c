/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a packet costs in the tc programs, by BPF_PROG_TEST_RUN, beside a program that does one
 * look-up and counts. Every case is measured in every round; figures are medians over the rounds.
 *
 * First packets cannot simply be repeated: the second one would find the connection. So a program
 * before the measured one gives each a source port of its own; what that takes with nothing behind
 * it is measured, too, and subtracted. "first, after an expired one" lets every packet find its
 * predecessor expired, so it also pays for removing that one and reporting its end.
 */
#include "base/cleanup.h"
#include "tests/bench/first_packet.skel.h"
#include "tests/bench/one_lookup.skel.h"
#include "tests/bpf/world.h"
#include "xdp/segd.skel.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <getopt.h>
#include <jansson.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#define ROUNDS          7
#define REPEAT          1000000
#define REPEAT_FIRST    20000 /* an event each: what the ring buffer holds */
#define REPEAT_EXPIRED  10000 /* two events each */
#define MANY_RULES      10000
#define WEB_PORT        40000
#define FIRST_PORT      20000
#define API_PORT        8080
#define DENIED_PORT     22
#define EXPIRED_AT_ONCE UINT64_MAX /* as a signed duration: -1 */

static uint32_t samples; /* of payloads, in a second; 0: as without */

/* Which program is measured. */
enum subject {
	SUBJECT_SEGD,
	SUBJECT_LOOKUP,  /* the yardstick */
	SUBJECT_NOTHING, /* what stands before a first packet, alone */
	SUBJECT_INSERT,  /* an entry of a connection table, alone */
};

struct bench {
	struct world world;
	struct one_lookup_bpf *yardstick;
	struct first_packet_bpf *first_packet;
	/* Of the case that is measured. */
	struct frame frame;
	int program;
	uint32_t ifindex;
	uint32_t verdict;
};

struct cost_case {
	const char *name;
	bool ipv6;
	uint8_t protocol;
	enum abi_direction hook;
	uint16_t port;
	enum subject subject;
	bool expired; /* every packet finds its predecessor expired */
	bool first;   /* of ever new connections; less what makes them so */
	size_t rules;
};

static const struct cost_case cases[] = {
	{.name = "one look-up and count", .protocol = IPPROTO_TCP, .subject = SUBJECT_LOOKUP},
	{.name = "established, leaving, TCP over IPv4",
		.protocol = IPPROTO_TCP,
		.hook = ABI_EGRESS,
		.port = API_PORT},
	{.name = "established, entering, TCP over IPv4",
		.protocol = IPPROTO_TCP,
		.hook = ABI_INGRESS,
		.port = API_PORT},
	{.name = "established, leaving, TCP over IPv6",
		.protocol = IPPROTO_TCP,
		.ipv6 = true,
		.hook = ABI_EGRESS,
		.port = API_PORT},
	{.name = "established, leaving, UDP over IPv4",
		.protocol = IPPROTO_UDP,
		.hook = ABI_EGRESS,
		.port = API_PORT},
	{.name = "denied, 10 rules",
		.protocol = IPPROTO_TCP,
		.hook = ABI_EGRESS,
		.port = DENIED_PORT,
		.rules = 10},
	{.name = "denied, 10,000 rules",
		.protocol = IPPROTO_TCP,
		.hook = ABI_EGRESS,
		.port = DENIED_PORT,
		.rules = MANY_RULES},
	{.name = "another source port and a tail call",
		.protocol = IPPROTO_UDP,
		.subject = SUBJECT_NOTHING},
	{.name = "one new entry",
		.protocol = IPPROTO_TCP,
		.port = API_PORT,
		.subject = SUBJECT_INSERT,
		.first = true},
	{.name = "first, leaving, 10 rules",
		.protocol = IPPROTO_UDP,
		.hook = ABI_EGRESS,
		.port = API_PORT,
		.first = true,
		.rules = 10},
	{.name = "first, leaving, 10,000 rules",
		.protocol = IPPROTO_UDP,
		.hook = ABI_EGRESS,
		.port = API_PORT,
		.first = true,
		.rules = MANY_RULES},
	{.name = "first, after an expired one, 10 rules",
		.protocol = IPPROTO_UDP,
		.hook = ABI_EGRESS,
		.port = API_PORT,
		.expired = true,
		.rules = 10},
};

static int run(const struct bench *bench, uint32_t repeat, uint32_t *ret_ns)
{
	struct __sk_buff context = {.ifindex = bench->ifindex};
	LIBBPF_OPTS(bpf_test_run_opts, options, .data_in = bench->frame.bytes,
		.data_size_in = (uint32_t)bench->frame.size, .ctx_in = &context,
		.ctx_size_in = sizeof(context), .repeat = (int)repeat);
	int r = bpf_prog_test_run_opts(bench->program, &options);

	if (r < 0)
		return r;
	if (options.retval != bench->verdict) /* that was not the way to be measured */
		return -EPROTO;
	*ret_ns = options.duration;
	return 0;
}

/* web may speak to api at API_PORT, and api hear web; both have rules besides that do not matter.
 */
static int enter_policy(struct world *world, size_t rules, struct error *error)
{
	const struct abi_decision deny = {.rule = 2, .verdict = ABI_DENY};
	const struct abi_decision allow = {.rule = 1, .verdict = ABI_ALLOW};
	const uint8_t protocols[] = {ABI_TCP, ABI_UDP};

	world_isolate(world, &world->web, ABI_EGRESS, deny);
	world_isolate(world, &world->api, ABI_INGRESS, deny);
	for (size_t i = 0; i < 2; i++) {
		world_rule(world, (struct world_rule){WORLD_WEB, ABI_EGRESS, WORLD_API,
					  protocols[i], API_PORT, 16, allow});
		world_rule(world, (struct world_rule){WORLD_API, ABI_INGRESS, WORLD_WEB,
					  protocols[i], API_PORT, 16, allow});
	}
	if (world_apply(world, error) < 0)
		return error->code;
	return world_fill_rules(world, rules, error);
}

static struct frame case_frame(const struct world *world, const struct cost_case *c, uint16_t port)
{
	const struct frame_description description = {.source = world->web,
		.destination = world->api,
		.protocol = c->protocol,
		.source_port = port,
		.destination_port = c->port,
		.tcp_flags = TCP_SYN};

	return frame_build(&description);
}

/* Both hooks and both directions once, so that the connection stands. */
static int establish(struct bench *bench, const struct cost_case *c, struct error *error)
{
	const uint8_t flags[] = {TCP_SYN, TCP_SYN | TCP_ACK, TCP_ACK};
	struct world *world = &bench->world;

	for (size_t i = 0; i < ARRAY_SIZE(flags); i++) {
		const struct end *from = i == 1 ? &world->api : &world->web;
		const struct end *to = i == 1 ? &world->web : &world->api;
		const struct frame_description description = {.source = *from,
			.destination = *to,
			.protocol = c->protocol,
			.source_port = i == 1 ? API_PORT : WEB_PORT,
			.destination_port = i == 1 ? WEB_PORT : API_PORT,
			.tcp_flags = flags[i]};
		uint32_t verdict;

		bench->frame = frame_build(&description);
		int r = world_send(world, &bench->frame, ABI_EGRESS, from->ifindex, &verdict);

		if (r < 0 || verdict != WORLD_PASS)
			return error_set(error, r < 0 ? r : -EPERM, "establish: refused");
	}
	return 0;
}

static const struct bpf_program *program_of(const struct bench *bench, const struct cost_case *c)
{
	const struct segd_bpf *skeleton = bench->world.skeleton;

	switch (c->subject) {
	case SUBJECT_LOOKUP:
		return bench->yardstick->progs.one_lookup;
	case SUBJECT_NOTHING:
		return bench->first_packet->progs.nothing;
	case SUBJECT_INSERT:
		return bench->first_packet->progs.one_insert;
	case SUBJECT_SEGD:
		break;
	}
	return c->hook == ABI_INGRESS ? skeleton->progs.segd_enter : skeleton->progs.segd_leave;
}

static bool is_ever_new(const struct cost_case *c)
{
	return c->first || c->subject == SUBJECT_NOTHING;
}

static int choose_program(struct bench *bench, const struct cost_case *c)
{
	const struct first_packet_bpf *first_packet = bench->first_packet;
	const struct world *world = &bench->world;
	const uint32_t zero = 0;
	int measured;

	bench->ifindex = c->hook == ABI_INGRESS ? world->api.ifindex : world->web.ifindex;
	bench->verdict = c->port == DENIED_PORT ? WORLD_REFUSE : WORLD_PASS;
	bench->program = bpf_program__fd(program_of(bench, c));
	if (!is_ever_new(c))
		return 0;
	measured = bench->program;
	bench->program = bpf_program__fd(first_packet->progs.ever_new);
	return bpf_map__update_elem(first_packet->maps.measured, &zero, sizeof(zero), &measured,
		sizeof(measured), BPF_ANY);
}

static int forget_entries(const struct bench *bench)
{
	int fd = bpf_map__fd(bench->first_packet->maps.entries);
	struct abi_connection_key key, next;
	int more = bpf_map_get_next_key(fd, NULL, &key);

	while (more == 0) {
		more = bpf_map_get_next_key(fd, &key, &next);
		if (bpf_map_delete_elem(fd, &key) < 0)
			return -errno;
		key = next;
	}
	return 0;
}

static int prepare(struct bench *bench, const struct cost_case *c, struct error *error)
{
	struct world *world = &bench->world;
	struct abi_connection_key key;
	int r = world_reset(world, c->ipv6, error);

	if (r == 0)
		r = enter_policy(world, c->rules, error);
	if (r == 0)
		r = forget_entries(bench);
	if (r == 0)
		r = choose_program(bench, c);
	if (r < 0)
		return r;
	bench->frame = case_frame(world, c, is_ever_new(c) ? FIRST_PORT : WEB_PORT);
	if (c->subject == SUBJECT_LOOKUP) {
		const uint64_t value[2] = {0};

		memcpy(&key, bench->frame.bytes + bench->frame.network, sizeof(key));
		return bpf_map__update_elem(bench->yardstick->maps.entries, &key, sizeof(key),
			value, sizeof(value), BPF_ANY);
	}
	if (c->subject != SUBJECT_SEGD || c->expired || c->first || c->port != API_PORT)
		return 0;
	return establish(bench, c, error);
}

static uint32_t repeat_of(const struct cost_case *c)
{
	if (c->expired)
		return REPEAT_EXPIRED;
	return c->first ? REPEAT_FIRST : REPEAT;
}

static int measure(
	struct bench *bench, const struct cost_case *c, double *ret_ns, struct error *error)
{
	int r = prepare(bench, c, error);
	uint32_t ns;

	if (r < 0)
		return r;
	r = run(bench, repeat_of(c), &ns);
	world_take_events(&bench->world);
	if (r < 0)
		return error_errno(error, r, "run %s", c->name);
	*ret_ns = ns;
	return 0;
}

static int compare(const void *a, const void *b)
{
	double left = *(const double *)a, right = *(const double *)b;

	return (left > right) - (left < right);
}

static int open_bench(struct bench *bench, bool expire, struct error *error)
{
	const struct world_options options = {.connections_max = ABI_MAX_CONNECTIONS,
		.udp_ns = expire ? EXPIRED_AT_ONCE : 0,
		.samples = samples,
		.sampled_connections = samples / 5};
	int r = world_open(&bench->world, &options, error);

	if (r < 0)
		return r;
	bench->yardstick = one_lookup_bpf__open_and_load();
	bench->first_packet = first_packet_bpf__open_and_load();
	return bench->yardstick && bench->first_packet
		       ? 0
		       : error_errno(error, -errno, "load the yardsticks");
}

static void close_bench(struct bench *bench)
{
	one_lookup_bpf__destroy(bench->yardstick);
	first_packet_bpf__destroy(bench->first_packet);
	world_close(&bench->world);
}

/* Of the round: what gives each packet its port counts for none of them. */
static void subtract(double ns[][ROUNDS], size_t round)
{
	double before = 0;

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		if (cases[i].subject == SUBJECT_NOTHING)
			before = ns[i][round];
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		if (cases[i].first)
			ns[i][round] -= before;
}

static int measure_all(double ns[][ROUNDS], struct error *error)
{
	struct bench benches[2] = {0}; /* the second one's connections expire at once */
	int r = 0;

	for (size_t i = 0; i < 2 && r == 0; i++)
		r = open_bench(&benches[i], i == 1, error);
	for (size_t round = 0; round < ROUNDS && r == 0; round++) {
		for (size_t i = 0; i < ARRAY_SIZE(cases) && r == 0; i++)
			r = measure(&benches[cases[i].expired], &cases[i], &ns[i][round], error);
		subtract(ns, round);
	}
	close_bench(&benches[0]);
	close_bench(&benches[1]);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		qsort(ns[i], ROUNDS, sizeof(ns[i][0]), compare);
	return r;
}

static double yardstick_of(double ns[][ROUNDS])
{
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		if (cases[i].subject == SUBJECT_LOOKUP)
			return ns[i][ROUNDS / 2];
	return 1;
}

static void print_table(double ns[][ROUNDS])
{
	printf("%-44s %8s %8s %8s %7s\n", "packet", "median", "least", "most", "ratio");
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		printf("%-44s %5.0f ns %5.0f ns %5.0f ns %6.2fx\n", cases[i].name,
			ns[i][ROUNDS / 2], ns[i][0], ns[i][ROUNDS - 1],
			ns[i][ROUNDS / 2] / yardstick_of(ns));
}

static int print_json(double ns[][ROUNDS])
{
	json_auto_t *costs = json_array();

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		json_array_append_new(costs,
			json_pack("{s:s, s:f, s:f, s:f, s:f}", "packet", cases[i].name, "median_ns",
				ns[i][ROUNDS / 2], "least_ns", ns[i][0], "most_ns",
				ns[i][ROUNDS - 1], "ratio", ns[i][ROUNDS / 2] / yardstick_of(ns)));
	if (json_dumpf(costs, stdout, JSON_INDENT(2)) < 0)
		return 1;
	putchar('\n');
	return 0;
}

int main(int argc, char **argv)
{
	static double ns[ARRAY_SIZE(cases)][ROUNDS];
	_cleanup_error_ struct error error = ERROR_INIT;
	bool json = false;
	int option;

	while ((option = getopt(argc, argv, "o:s:")) != -1) {
		if (option == 's') {
			samples = (uint32_t)strtoul(optarg, NULL, 10);
			continue;
		}
		if (option != 'o' || (strcmp(optarg, "json") && strcmp(optarg, "table"))) {
			fprintf(stderr, "usage: %s [-o table|json] [-s SAMPLES]\n", argv[0]);
			return 2;
		}
		json = !strcmp(optarg, "json");
	}
	if (measure_all(ns, &error) < 0) {
		fprintf(stderr, "program_cost: %s\n", error_message(&error));
		return 1;
	}
	if (json)
		return print_json(ns);
	print_table(ns);
	return 0;
}
