/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "early_world.h"

#include "base/cleanup.h"
#include "dataplane/xdp/deny_outcome.h"
#include "xdp/segd_xdp.skel.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define CPUS_MAX 256
#define REFUSED  2U /* TC_ACT_SHOT */

static int fd_of(const struct bpf_map *map)
{
	return bpf_map__fd(map);
}

int early_group_setup(void **state)
{
	static struct early_world world;

	if (unshare(CLONE_NEWNET) < 0 || system("ip link add up0 type veth peer name world0") != 0)
		return -1;
	world.skeleton = segd_xdp_bpf__open();
	if (!world.skeleton)
		return -1;
	bpf_map__set_max_entries(world.skeleton->maps.early_denials, 1024);
	bpf_map__set_max_entries(world.skeleton->maps.early_sources, 1024);
	if (segd_xdp_bpf__load(world.skeleton) < 0)
		return -1;
	*state = &world;
	return 0;
}

int early_group_teardown(void **state)
{
	struct early_world *world = *state;

	segd_xdp_bpf__destroy(world->skeleton);
	return 0;
}

static void clear(const struct bpf_map *map)
{
	uint8_t key[64];

	while (bpf_map_get_next_key(fd_of(map), NULL, key) == 0)
		assert_int_equal(bpf_map_delete_elem(fd_of(map), key), 0);
}

static void clear_counters(const struct bpf_map *map)
{
	static const struct abi_counter zero[CPUS_MAX];

	for (uint32_t i = 0; i < bpf_map__max_entries(map); i++)
		bpf_map_update_elem(fd_of(map), &i, zero, BPF_ANY);
}

static struct end end_of(const char *ipv4, const char *ipv6, bool want_ipv6, uint8_t number)
{
	struct end end = {.mac = {2, [5] = number}};

	assert_int_equal(address_parse(want_ipv6 ? ipv6 : ipv4, &end.address), 0);
	return end;
}

static int setup(void **state, enum early_way way, bool ipv6)
{
	struct early_world *world = *state;
	const uint32_t zero = 0;

	clear(world->skeleton->maps.early_interfaces);
	clear(world->skeleton->maps.investigators);
	clear(world->skeleton->maps.early_sources);
	clear(world->skeleton->maps.early_denials);
	clear_counters(world->skeleton->maps.early_counters);
	clear_counters(world->skeleton->maps.early_losses);
	bpf_map_delete_elem(fd_of(world->skeleton->maps.deny_lists), &zero);
	world->way = way;
	world->ipv6 = ipv6;
	world->ifindex = if_nametoindex("up0");
	world->near = end_of("10.1.0.1", "2001:db8::1", ipv6, 1);
	world->far = end_of("198.51.100.7", "2001:db8:ffff::7", ipv6, 2);
	world->listed = end_of("203.0.113.9", "2001:db8:bad::9", ipv6, 3);
	world->guardian = end_of("192.0.2.4", "2001:db8:5afe::4", ipv6, 4);
	return 0;
}

int early_setup_xdp_ipv4(void **state)
{
	return setup(state, EARLY_XDP, false);
}

int early_setup_xdp_ipv6(void **state)
{
	return setup(state, EARLY_XDP, true);
}

int early_setup_tc_ipv4(void **state)
{
	return setup(state, EARLY_TC, false);
}

int early_setup_tc_ipv6(void **state)
{
	return setup(state, EARLY_TC, true);
}

int early_main(const struct CMUnitTest *tests, size_t count, const char *name)
{
	if (geteuid() != 0) {
		printf("SKIP %s: loading programs needs root\n", name);
		printf("0 passed, 0 failed, %zu skipped\n", count);
		return 0;
	}
	return _cmocka_run_group_tests(name, tests, count, early_group_setup, early_group_teardown);
}

static void put_interface(struct early_world *world, const struct abi_early_interface *entry)
{
	assert_int_equal(bpf_map_update_elem(fd_of(world->skeleton->maps.early_interfaces),
				 &world->ifindex, entry, BPF_ANY),
		0);
}

void early_jobs(struct early_world *world, uint32_t jobs, enum abi_direction hook)
{
	const struct abi_early_interface entry = {.jobs = jobs, .hook = hook};

	if (jobs)
		put_interface(world, &entry);
	else
		clear(world->skeleton->maps.early_interfaces);
}

void early_limit(struct early_world *world, uint64_t interval_ns, uint64_t burst_ns)
{
	const struct abi_early_interface entry = {.jobs = ABI_EARLY_LIMIT,
		.hook = ABI_INGRESS,
		.limit_interval_ns = interval_ns,
		.limit_burst_ns = burst_ns};

	put_interface(world, &entry);
}

void early_list(struct early_world *world, const char *const *prefixes, size_t count)
{
	_cleanup_deny_outcome_ struct deny_outcome outcome = DENY_OUTCOME_INIT;
	_cleanup_close_ int fd = memfd_create("list", MFD_CLOEXEC);
	char path[64];
	const char *const files[] = {path};
	const uint32_t zero = 0;

	assert_true(fd >= 0);
	for (size_t i = 0; i < count; i++)
		dprintf(fd, "%s\n", prefixes[i]);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	assert_int_equal(deny_outcome_make(files, 1, &outcome, NULL), 0);
	assert_int_equal(bpf_map_update_elem(fd_of(world->skeleton->maps.deny_lists), &zero,
				 &outcome.map, BPF_ANY),
		0);
}

void early_investigator(struct early_world *world, const char *text, uint32_t flags)
{
	struct abi_prefix_key key;
	struct prefix prefix;

	assert_int_equal(prefix_parse(text, &prefix), 0);
	key.length = prefix.length;
	memcpy(key.bytes, prefix.address.bytes, sizeof(key.bytes));
	assert_int_equal(bpf_map_update_elem(
				 fd_of(world->skeleton->maps.investigators), &key, &flags, BPF_ANY),
		0);
}

struct frame_description early_syn(const struct end *from, const struct end *to)
{
	return (struct frame_description){.source = *from,
		.destination = *to,
		.protocol = IPPROTO_TCP,
		.source_port = 40000,
		.destination_port = 443,
		.tcp_flags = TCP_SYN};
}

bool early_passes(struct early_world *world, const struct frame *frame)
{
	const struct segd_xdp_bpf *skeleton = world->skeleton;
	const struct bpf_program *program =
		world->way == EARLY_TC ? skeleton->progs.early_tc : skeleton->progs.early_leave;
	struct xdp_md of_xdp = {
		.data_end = (uint32_t)frame->size, .ingress_ifindex = world->ifindex};
	struct __sk_buff of_tc = {.ifindex = world->ifindex};
	LIBBPF_OPTS(bpf_test_run_opts, options, .data_in = frame->bytes,
		.data_size_in = (uint32_t)frame->size, .repeat = 1, .ctx_in = &of_tc,
		.ctx_size_in = sizeof(of_tc));

	if (world->way == EARLY_XDP) {
		program = skeleton->progs.early_xdp;
		options.ctx_in = &of_xdp;
		options.ctx_size_in = sizeof(of_xdp);
	}
	assert_int_equal(bpf_prog_test_run_opts(bpf_program__fd(program), &options), 0);
	if (world->way == EARLY_XDP)
		assert_true(options.retval == XDP_PASS || options.retval == XDP_DROP);
	else
		assert_true(options.retval == UINT32_MAX || options.retval == REFUSED);
	return options.retval != (world->way == EARLY_XDP ? XDP_DROP : REFUSED);
}

void early_expect_pass(struct early_world *world, const struct frame_description *description)
{
	const struct frame frame = frame_build(description);

	assert_true(early_passes(world, &frame));
}

struct abi_counter early_counter(const struct early_world *world, enum reason reason)
{
	struct abi_counter values[CPUS_MAX], sum = {0};

	for (uint32_t hook = 0; hook < ABI_DIRECTIONS; hook++) {
		uint32_t index = reason * ABI_DIRECTIONS + hook;

		memset(values, 0, sizeof(values));
		bpf_map_lookup_elem(fd_of(world->skeleton->maps.early_counters), &index, values);
		for (size_t i = 0; i < CPUS_MAX; i++) {
			sum.packets += values[i].packets;
			sum.bytes += values[i].bytes;
		}
	}
	return sum;
}

void early_denial(const struct early_world *world, enum reason reason,
	struct abi_denial_key *ret_key, struct abi_denial *ret)
{
	int fd = fd_of(world->skeleton->maps.early_denials);
	const struct abi_denial_key *former = NULL;
	struct abi_denial_key keys[2];
	size_t found = 0;

	for (size_t i = 0; bpf_map_get_next_key(fd, former, &keys[i]) == 0; i ^= 1) {
		former = &keys[i];
		if (keys[i].reason != reason)
			continue;
		*ret_key = keys[i];
		found++;
	}
	assert_int_equal(found, 1);
	assert_int_equal(bpf_map_lookup_elem(fd, ret_key, ret), 0);
}

void early_expect_refused(
	struct early_world *world, const struct frame_description *description, enum reason reason)
{
	const struct frame frame = frame_build(description);
	const struct abi_counter before = early_counter(world, reason);
	struct abi_counter after;

	assert_false(early_passes(world, &frame));
	after = early_counter(world, reason);
	assert_int_equal(after.packets, before.packets + 1);
	assert_int_equal(after.bytes, before.bytes + frame.size - ETHER_HDR_LEN);
}
