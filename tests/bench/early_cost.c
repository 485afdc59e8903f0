/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What early dropping costs: a packet, by BPF_PROG_TEST_RUN, beside a denial of the data plane's tc
 * program; and loading a million prefixes, beside the kernel's own maps filled by batches. Every
 * case is measured in every round; figures are medians over the rounds.
 */
#include "base/cleanup.h"
#include "base/clock.h"
#include "dataplane/xdp/deny_file.h"
#include "dataplane/xdp/deny_outcome.h"
#include "tests/bpf/world.h"
#include "xdp/segd.skel.h"
#include "xdp/segd_xdp.skel.h"

#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <errno.h>
#include <jansson.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define ROUNDS   5
#define REPEAT   500000
#define PREFIXES 1000000
#define BATCH    65536

struct bench {
	struct world world;
	struct segd_xdp_bpf *early;
	char list[64]; /* path of a file with PREFIXES addresses, sorted */
	uint32_t *addresses_be;
};

enum program {
	DATA_PLANE,
	EARLY_XDP,
	EARLY_TC
};

struct packet_case {
	const char *name;
	enum program program;
	uint32_t jobs;
	bool listed; /* the source */
};

static const struct packet_case packets[] = {
	{"denied by the tc program, 10 rules", DATA_PLANE, 0, false},
	{"in a list of 1,000,000, XDP", EARLY_XDP, ABI_EARLY_DENY_LIST, true},
	{"in a list of 1,000,000, tc", EARLY_TC, ABI_EARLY_DENY_LIST, true},
	{"in no list of 1,000,000, XDP", EARLY_XDP, ABI_EARLY_DENY_LIST, false},
	{"in no list of 1,000,000, tc", EARLY_TC, ABI_EARLY_DENY_LIST, false},
	{"from quarantine, XDP", EARLY_XDP, ABI_EARLY_QUARANTINE, false},
	{"beyond the limit, XDP", EARLY_XDP, ABI_EARLY_LIMIT, false},
};

/* Addresses far from each other: no two become one range. */
static uint32_t address_of(uint32_t number)
{
	return htonl(0x14000000 + number * 16);
}

static int write_list(struct bench *bench, struct error *error)
{
	int fd = memfd_create("list", MFD_CLOEXEC);
	_cleanup_file_ FILE *file = NULL;
	char text[INET_ADDRSTRLEN];
	int kept;

	file = fd < 0 ? NULL : fdopen(fd, "w");
	bench->addresses_be = calloc(PREFIXES, sizeof(*bench->addresses_be));
	kept = fd < 0 ? -1 : dup(fd);
	if (!file || !bench->addresses_be || kept < 0)
		return error_errno(error, -errno, "make a list");
	for (uint32_t i = 0; i < PREFIXES; i++) {
		bench->addresses_be[i] = address_of(i);
		fprintf(file, "%s\n",
			inet_ntop(AF_INET, &bench->addresses_be[i], text, sizeof(text)));
	}
	snprintf(bench->list, sizeof(bench->list), "/proc/self/fd/%d", kept);
	return 0;
}

static int load_list(struct bench *bench, struct error *error)
{
	_cleanup_deny_outcome_ struct deny_outcome outcome = DENY_OUTCOME_INIT;
	const char *const files[] = {bench->list};
	const uint32_t zero = 0;
	int r = deny_outcome_make(files, 1, &outcome, error);

	if (r < 0)
		return r;
	r = bpf_map_update_elem(
		bpf_map__fd(bench->early->maps.deny_lists), &zero, &outcome.map, BPF_ANY);
	return r < 0 ? error_errno(error, r, "put the list in force") : 0;
}

/* --- a packet ----------------------------------------------------------------------------------
 */

static struct frame packet_frame(const struct world *world, bool listed)
{
	struct frame_description description = {.source = world->web,
		.destination = world->api,
		.protocol = IPPROTO_TCP,
		.source_port = 40000,
		.destination_port = 22,
		.tcp_flags = TCP_SYN};
	const uint32_t address_be = address_of(PREFIXES / 3);

	if (listed)
		description.source.address = address_from_ipv4(&address_be);
	return frame_build(&description);
}

static int set_jobs(const struct bench *bench, uint32_t jobs)
{
	const struct abi_early_interface entry = {
		.jobs = jobs, .hook = ABI_INGRESS, .limit_interval_ns = UINT32_MAX};

	return bpf_map_update_elem(bpf_map__fd(bench->early->maps.early_interfaces),
		&bench->world.web.ifindex, &entry, BPF_ANY);
}

/* web may send nothing, and has rules besides that do not matter. */
static int prepare_denial(struct world *world, struct error *error)
{
	const struct abi_decision deny = {.rule = 2, .verdict = ABI_DENY};
	int r = world_reset(world, false, error);

	if (r < 0)
		return r;
	world_isolate(world, &world->web, ABI_EGRESS, deny);
	r = world_apply(world, error);
	return r < 0 ? r : world_fill_rules(world, 10, error);
}

static int measure_packet(struct bench *bench, const struct packet_case *c, double *ret_ns)
{
	const uint32_t ifindex = bench->world.web.ifindex;
	const struct frame frame = packet_frame(&bench->world, c->listed);
	const bool passes = c->jobs == ABI_EARLY_DENY_LIST && !c->listed;
	struct __sk_buff of_tc = {.ifindex = ifindex};
	struct xdp_md of_xdp = {.data_end = (uint32_t)frame.size, .ingress_ifindex = ifindex};
	LIBBPF_OPTS(bpf_test_run_opts, options, .data_in = frame.bytes,
		.data_size_in = (uint32_t)frame.size, .repeat = REPEAT, .ctx_in = &of_tc,
		.ctx_size_in = sizeof(of_tc));
	const struct bpf_program *program = bench->world.skeleton->progs.segd_leave;
	uint32_t verdict = passes ? WORLD_PASS : WORLD_REFUSE;
	int r = set_jobs(bench, c->jobs);

	if (c->program == EARLY_TC)
		program = bench->early->progs.early_tc;
	if (c->program == EARLY_XDP) {
		program = bench->early->progs.early_xdp;
		options.ctx_in = &of_xdp;
		options.ctx_size_in = sizeof(of_xdp);
		verdict = passes ? XDP_PASS : XDP_DROP;
	}
	if (r == 0)
		r = bpf_prog_test_run_opts(bpf_program__fd(program), &options);
	if (r < 0)
		return r;
	if (options.retval != verdict) /* that was not the way to be measured */
		return -EPROTO;
	*ret_ns = options.duration;
	return 0;
}

/* --- loading -----------------------------------------------------------------------------------
 */

static int read_only(struct bench *bench, struct error *error)
{
	_cleanup_deny_ranges_ struct deny_ranges ranges = {0};
	size_t prefixes;
	int r = deny_file_read(bench->list, &ranges, &prefixes, error);

	deny_ranges_finish(&ranges);
	return r;
}

static int fill_batches(int map, const void *keys, size_t key_size, struct error *error)
{
	_cleanup_free_ uint32_t *values = calloc(BATCH, sizeof(*values));

	if (map < 0 || !values)
		return error_errno(error, -errno, "make a map");
	for (uint32_t i = 0; i < PREFIXES; i += BATCH) {
		uint32_t count = PREFIXES - i < BATCH ? PREFIXES - i : BATCH;

		if (bpf_map_update_batch(
			    map, (const uint8_t *)keys + i * key_size, values, &count, NULL) < 0)
			return error_errno(error, -errno, "fill a map");
	}
	return 0;
}

static int load_trie(struct bench *bench, struct error *error)
{
	const struct bpf_map_create_opts options = {
		.sz = sizeof(options), .map_flags = BPF_F_NO_PREALLOC};
	_cleanup_free_ struct abi_prefix_key *keys = calloc(PREFIXES, sizeof(*keys));
	_cleanup_close_ int map = bpf_map_create(
		BPF_MAP_TYPE_LPM_TRIE, "bench_trie", sizeof(*keys), 4, PREFIXES, &options);

	if (!keys)
		return error_nomem(error);
	for (uint32_t i = 0; i < PREFIXES; i++) {
		const struct address address = address_from_ipv4(&bench->addresses_be[i]);

		keys[i].length = 128;
		memcpy(keys[i].bytes, &address, sizeof(keys[i].bytes));
	}
	return fill_batches(map, keys, sizeof(*keys), error);
}

static int load_hash(struct bench *bench, struct error *error)
{
	_cleanup_close_ int map =
		bpf_map_create(BPF_MAP_TYPE_HASH, "bench_hash", 4, 4, PREFIXES, NULL);

	return fill_batches(map, bench->addresses_be, sizeof(uint32_t), error);
}

static const struct load_case {
	const char *name;
	int (*load)(struct bench *bench, struct error *error);
} loads[] = {
	{"file read and sorted", read_only},
	{"file read, sorted, and put in force", load_list},
	{"LPM trie by batches, no file read", load_trie},
	{"hash by batches, no file read", load_hash},
};

/* --- all of it ---------------------------------------------------------------------------------
 */

#define CASES (ARRAY_SIZE(packets) + ARRAY_SIZE(loads))

static const char *name_of(size_t number)
{
	return number < ARRAY_SIZE(packets) ? packets[number].name
					    : loads[number - ARRAY_SIZE(packets)].name;
}

static int measure_round(
	struct bench *bench, double figures[][ROUNDS], size_t round, struct error *error)
{
	int r = prepare_denial(&bench->world, error);

	if (r == 0)
		r = load_list(bench, error);
	for (size_t i = 0; i < ARRAY_SIZE(packets) && r == 0; i++) {
		r = measure_packet(bench, &packets[i], &figures[i][round]);
		if (r < 0)
			error_errno(error, r, "run '%s'", packets[i].name);
	}
	for (size_t i = 0; i < ARRAY_SIZE(loads) && r == 0; i++) {
		const uint64_t start_ns = clock_ns(CLOCK_MONOTONIC);

		r = loads[i].load(bench, error);
		figures[ARRAY_SIZE(packets) + i][round] =
			(double)(clock_ns(CLOCK_MONOTONIC) - start_ns);
	}
	return r;
}

static int compare(const void *a, const void *b)
{
	double left = *(const double *)a, right = *(const double *)b;

	return (left > right) - (left < right);
}

static int measure_all(double figures[][ROUNDS], struct error *error)
{
	struct bench bench = {0};
	int r = world_open(&bench.world, NULL, error);

	if (r == 0) {
		bench.early = segd_xdp_bpf__open_and_load();
		r = bench.early ? write_list(&bench, error)
				: error_errno(error, -errno, "load the XDP programs");
	}
	for (size_t round = 0; round < ROUNDS && r == 0; round++)
		r = measure_round(&bench, figures, round, error);
	for (size_t i = 0; i < CASES; i++)
		qsort(figures[i], ROUNDS, sizeof(figures[i][0]), compare);
	free(bench.addresses_be);
	segd_xdp_bpf__destroy(bench.early);
	world_close(&bench.world);
	return r;
}

static void print_table(double figures[][ROUNDS])
{
	printf("%-44s %8s %8s %8s %7s\n", "packet", "median", "least", "most", "ratio");
	for (size_t i = 0; i < ARRAY_SIZE(packets); i++)
		printf("%-44s %5.0f ns %5.0f ns %5.0f ns %6.2fx\n", name_of(i),
			figures[i][ROUNDS / 2], figures[i][0], figures[i][ROUNDS - 1],
			figures[i][ROUNDS / 2] / figures[0][ROUNDS / 2]);
	printf("%-44s %8s %8s %8s\n", "a million prefixes", "median", "least", "most");
	for (size_t i = ARRAY_SIZE(packets); i < CASES; i++)
		printf("%-44s %5.0f ms %5.0f ms %5.0f ms\n", name_of(i),
			figures[i][ROUNDS / 2] / 1e6, figures[i][0] / 1e6,
			figures[i][ROUNDS - 1] / 1e6);
}

static int print_json(double figures[][ROUNDS])
{
	json_auto_t *costs = json_array();

	for (size_t i = 0; i < CASES; i++)
		json_array_append_new(
			costs, json_pack("{s:s, s:f, s:f, s:f}", "case", name_of(i), "median_ns",
				       figures[i][ROUNDS / 2], "least_ns", figures[i][0], "most_ns",
				       figures[i][ROUNDS - 1]));
	if (json_dumpf(costs, stdout, JSON_INDENT(2)) < 0)
		return 1;
	putchar('\n');
	return 0;
}

int main(int argc, char **argv)
{
	static double figures[CASES][ROUNDS];
	_cleanup_error_ struct error error = ERROR_INIT;
	const bool json = argc == 3 && !strcmp(argv[1], "-o") && !strcmp(argv[2], "json");

	if (argc > 1 && !json) {
		fprintf(stderr, "usage: %s [-o json]\n", argv[0]);
		return 2;
	}
	if (measure_all(figures, &error) < 0) {
		fprintf(stderr, "early_cost: %s\n", error_message(&error));
		return 1;
	}
	if (json)
		return print_json(figures);
	print_table(figures);
	return 0;
}
