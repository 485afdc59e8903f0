/* SPDX-License-Identifier: GPL-2.0-or-later */
/* From generation to generation: nothing half applied, nothing inherited, nothing left behind. */
#include "world.h"

#include <bpf/bpf.h>
#include <sys/mman.h>

struct fill {
	size_t addresses, prefixes, peers, ports, endpoints;
};

static size_t entries(int map, size_t key_size, size_t value_size)
{
	size_t count;

	assert_int_equal(walk_count(map, key_size, value_size, &count), 0);
	return count;
}

static struct fill fill_of(const struct objects *objects)
{
	return (struct fill){
		.addresses = entries(objects->maps.addresses, sizeof(struct abi_address_key),
			sizeof(struct abi_address)),
		.prefixes = entries(objects->maps.prefixes, sizeof(struct abi_prefix_key),
			sizeof(struct abi_prefix)),
		.peers =
			entries(objects->maps.peers, sizeof(struct abi_peer_key), sizeof(uint32_t)),
		.ports = entries(objects->maps.ports, sizeof(struct abi_port_key),
			sizeof(struct abi_decision)),
		.endpoints = entries(
			objects->maps.endpoints, sizeof(uint32_t), sizeof(struct abi_endpoint)),
	};
}

static void assert_same_fill(const struct fill *a, const struct fill *b)
{
	assert_int_equal(a->addresses, b->addresses);
	assert_int_equal(a->prefixes, b->prefixes);
	assert_int_equal(a->peers, b->peers);
	assert_int_equal(a->ports, b->ports);
	assert_int_equal(a->endpoints, b->endpoints);
}

/* More port entries than the table holds, in so many port tables; the first ones are written before
 * the kernel says no. */
struct big_ir {
	struct small_ir small;
	struct ir_port_range *ranges;
	struct ir_port_table *port_tables;
	struct ir_peer *peers;
};

#define BIG_RANGES 32768
#define BIG_TABLES (ABI_MAX_PORTS / BIG_RANGES + 1)

static void big_ir_init(struct big_ir *big, const struct world *world)
{
	struct ir_peer_table *table;

	small_ir_init(&big->small, world, false);
	big->ranges = calloc(BIG_RANGES, sizeof(*big->ranges));
	big->port_tables = calloc(BIG_TABLES, sizeof(*big->port_tables));
	big->peers = calloc(BIG_TABLES, sizeof(*big->peers));
	assert_true(big->ranges && big->port_tables && big->peers);
	/* Every other port, so that nothing can be put together. */
	for (size_t i = 0; i < BIG_RANGES; i++)
		big->ranges[i] = (struct ir_port_range){IPPROTO_TCP, (uint16_t)(2 * i),
			(uint16_t)(2 * i), {.verdict = VERDICT_DENY, .rule = 3 + i % 2}};
	for (size_t i = 0; i < BIG_TABLES; i++) {
		big->port_tables[i] = (struct ir_port_table){big->ranges, BIG_RANGES - i, {0}};
		big->peers[i] = (struct ir_peer){(uint32_t)i, (uint32_t)i};
	}
	big->small.ir.port_tables = big->port_tables;
	big->small.ir.port_tables_count = BIG_TABLES;
	table = &big->small.peer_tables[DB * DIRECTION_COUNT + DIRECTION_INGRESS];
	table->peers = big->peers;
	table->peers_count = BIG_TABLES;
}

static void big_ir_clear(struct big_ir *big)
{
	free(big->ranges);
	free(big->port_tables);
	free(big->peers);
}

static void test_failure_keeps_the_former_state(void **state)
{
	struct world *world = *state;
	__attribute__((cleanup(big_ir_clear))) struct big_ir big = {0};
	_cleanup_error_ struct error error = ERROR_INIT;
	struct small_ir isolated;
	struct dataplane *plane;
	struct fill before, after;

	if (!world)
		skip();
	small_ir_init(&isolated, world, true);
	big_ir_init(&big, world);
	plane = plane_open(world);
	plane_apply(world, plane, &isolated.ir);
	generations_collect(&plane->generations);
	before = fill_of(&plane->objects);
	assert_int_equal(plane_try_apply(world, plane, &big.small.ir, WORKLOADS, &error), -E2BIG);
	assert_non_null(strstr(error_message(&error), "ports"));
	assert_int_equal(objects_generation(&plane->objects), 1);
	after = fill_of(&plane->objects);
	assert_same_fill(&before, &after);
	assert_true(can_connect(world, WEB, DB, false, OPEN_PORT));
	assert_true(cannot_connect(world, WEB, DB, false, CLOSED_PORT));
	/* And the next apply works as if nothing had been. */
	plane_apply(world, plane, &isolated.ir);
	assert_true(can_connect(world, WEB, DB, false, OPEN_PORT));
	bpf_dataplane_ops.close(plane, true);
}

/* Entries of a generation that never came to be, as an agent leaves them that is killed while it
 * stages. */
static void test_leftovers_are_deleted(void **state)
{
	struct world *world = *state;
	const struct abi_peer_key peer = {4711, 1};
	const struct abi_port_key port = {4711, 80, ABI_TCP, 16};
	const struct abi_decision decision = {.rule = 1};
	struct fill before, after;
	struct small_ir isolated;
	struct dataplane *plane;
	uint32_t table = 9;

	if (!world)
		skip();
	small_ir_init(&isolated, world, true);
	plane = plane_open(world);
	plane_apply(world, plane, &isolated.ir);
	before = fill_of(&plane->objects);
	bpf_map_update_elem(plane->objects.maps.peers, &peer, &table, BPF_ANY);
	bpf_map_update_elem(plane->objects.maps.ports, &port, &decision, BPF_ANY);
	bpf_dataplane_ops.close(plane, false);
	plane = plane_open(world);
	after = fill_of(&plane->objects);
	assert_same_fill(&before, &after);
	bpf_dataplane_ops.close(plane, true);
}

/* Equal tables keep their numbers, in one agent and from one to the next. */
static void test_equal_tables_are_shared(void **state)
{
	struct world *world = *state;
	struct small_ir isolated, open;
	struct dataplane *plane;
	struct fill first, now;

	if (!world)
		skip();
	small_ir_init(&isolated, world, true);
	small_ir_init(&open, world, false);
	plane = plane_open(world);
	plane_apply(world, plane, &isolated.ir);
	first = fill_of(&plane->objects);
	for (unsigned int i = 0; i < 3; i++) {
		plane_apply(world, plane, &isolated.ir);
		now = fill_of(&plane->objects);
		assert_same_fill(&first, &now);
		bpf_dataplane_ops.close(plane, false);
		plane = plane_open(world);
	}
	plane_apply(world, plane, &open.ir);
	generations_collect(&plane->generations);
	now = fill_of(&plane->objects);
	assert_int_equal(now.peers, 0);
	plane_apply(world, plane, &isolated.ir);
	generations_collect(&plane->generations);
	now = fill_of(&plane->objects);
	assert_same_fill(&first, &now);
	bpf_dataplane_ops.close(plane, true);
}

static bool saw_reason(const struct world *world, enum reason reason)
{
	for (size_t i = 0; i < world->flows_count; i++)
		if (world->flows[i].type == FLOW_DENIED && world->flows[i].reason == reason)
			return true;
	return false;
}

/* The db takes web's address, and then web takes it back: rights go with the workload, never with
 * the address. */
static void test_address_changes_hands(void **state)
{
	struct world *world = *state;
	struct small_ir before, after;
	struct dataplane *plane;
	struct address none[2];

	if (!world)
		skip();
	small_ir_init(&before, world, true);
	plane = plane_open(world);
	plane_apply(world, plane, &before.ir);
	assert_true(can_connect(world, WEB, DB, false, OPEN_PORT));
	assert_false(saw_reason(world, REASON_SPOOFED_SOURCE));
	assert_false(saw_reason(world, REASON_SPOOFED_ARP));

	/* web's addresses are said to be db's; web's own interface has none. */
	after = before;
	small_ir_init(&after, world, true);
	for (size_t i = 0; i < after.ir.addresses_count; i++)
		if (after.addresses[i].workload == WEB) {
			after.addresses[i].workload = DB;
			after.addresses[i].class = CLASS_DB;
		}
	memcpy(none, world->addresses[WEB], sizeof(none));
	world->attachments[WEB].addresses_count = 0;
	plane_apply(world, plane, &after.ir);
	world->flows_count = 0;
	assert_true(cannot_connect(world, WEB, DB, false, OPEN_PORT));
	assert_int_equal(bpf_dataplane_ops.collect(plane, NULL), 0);
	assert_true(
		saw_reason(world, REASON_SPOOFED_SOURCE) || saw_reason(world, REASON_SPOOFED_ARP));

	world->attachments[WEB].addresses_count = 2;
	plane_apply(world, plane, &before.ir);
	assert_true(can_connect(world, WEB, DB, false, OPEN_PORT));
	bpf_dataplane_ops.close(plane, true);
}

/* An address that is in no generation any more has no entry, so who gets it next gets nothing. */
static void test_gone_address_leaves_nothing(void **state)
{
	struct world *world = *state;
	struct small_ir both, one;
	struct abi_address address;
	struct dataplane *plane;

	if (!world)
		skip();
	small_ir_init(&both, world, true);
	small_ir_init(&one, world, true);
	one.ir.addresses_count = 1;
	one.addresses[0] = (struct ir_address){world->addresses[DB][0], DB, CLASS_DB};
	plane = plane_open(world);
	plane_apply(world, plane, &both.ir);
	assert_int_equal(bpf_map_lookup_elem(plane->objects.maps.addresses,
				 world->addresses[WEB][0].bytes, &address),
		0);
	assert_int_equal(address.ifindex, world->attachments[WEB].ifindex);
	plane_apply(world, plane, &one.ir);
	/* Not collected yet, and nobody's all the same. */
	assert_int_equal(bpf_map_lookup_elem(plane->objects.maps.addresses,
				 world->addresses[WEB][0].bytes, &address),
		0);
	assert_int_equal(address.ifindex, 0);
	generations_collect(&plane->generations);
	assert_int_equal(bpf_map_lookup_elem(plane->objects.maps.addresses,
				 world->addresses[WEB][0].bytes, &address),
		-ENOENT);
	assert_int_equal(fill_of(&plane->objects).addresses, 1);
	bpf_dataplane_ops.close(plane, true);
}

/* --- swaps under traffic ------------------------------------------------------------------- */

#define SWAPS 200

static int udp_socket(struct world *world, unsigned int workload, uint16_t port)
{
	int fd = socket_in(world, workload, false, SOCK_DGRAM);
	union endpoint_address address;
	socklen_t size = fill_address(&address, world, workload, false, port);

	assert_int_equal(bind(fd, &address.any, size), 0);
	return fd;
}

/* Sends a datagram from web to db; true if it arrived. Sockets on one machine: it is there when
 * send returns, or soon. */
static bool arrives(struct world *world, int from, int to, uint16_t port, int milliseconds)
{
	union endpoint_address address;
	socklen_t size = fill_address(&address, world, DB, false, port);
	char byte;

	assert_int_equal(sendto(from, "x", 1, 0, &address.any, size), 1);
	return ready(to, POLLIN, milliseconds) && recv(to, &byte, 1, 0) == 1;
}

static void allow_udp(struct small_ir *small)
{
	small->range.protocol = IPPROTO_UDP;
}

/* What runs beside the swaps, in a process of its own. */
struct traffic {
	bool stop;
	unsigned int rounds; /* that were as they should be */
	bool failed;
};

static void send_until_stopped(
	struct traffic *traffic, struct world *world, int from, int open, int closed)
{
	while (!__atomic_load_n(&traffic->stop, __ATOMIC_RELAXED) && !traffic->failed) {
		traffic->failed = !arrives(world, from, open, OPEN_PORT, PATIENCE_MS) ||
				  arrives(world, from, closed, CLOSED_PORT, 0);
		traffic->rounds++;
	}
}

/* Policies, and with them the numbers of tables, change back and forth; what both allow always
 * passes, what both refuse never does. */
static void test_swaps_are_hitless(void **state)
{
	struct world *world = *state;
	struct small_ir first, second;
	struct dataplane *plane;
	struct traffic *traffic;
	int from, open, closed, status;
	pid_t pid;

	if (!world)
		skip();
	small_ir_init(&first, world, true);
	small_ir_init(&second, world, true);
	allow_udp(&first);
	allow_udp(&second);
	second.range.decision.flags = DECISION_LOG;
	from = udp_socket(world, WEB, 40000);
	open = udp_socket(world, DB, OPEN_PORT);
	closed = udp_socket(world, DB, CLOSED_PORT);
	assert_true(arrives(world, from, closed, CLOSED_PORT, PATIENCE_MS));
	plane = plane_open(world);
	plane_apply(world, plane, &first.ir);
	traffic = mmap(
		NULL, sizeof(*traffic), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	assert_ptr_not_equal(traffic, MAP_FAILED);
	pid = fork();
	assert_true(pid >= 0);
	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		send_until_stopped(traffic, world, from, open, closed);
		_exit(0);
	}
	for (unsigned int i = 0; i < SWAPS; i++)
		plane_apply(world, plane, i % 2 ? &first.ir : &second.ir);
	__atomic_store_n(&traffic->stop, true, __ATOMIC_RELAXED);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_false(traffic->failed);
	assert_true(traffic->rounds > SWAPS);
	print_message("%u pairs of packets during %u swaps\n", traffic->rounds, SWAPS);
	assert_int_equal(objects_generation(&plane->objects), SWAPS + 1);
	assert_false(ready(closed, POLLIN, 0));
	bpf_dataplane_ops.close(plane, true);
	munmap(traffic, sizeof(*traffic));
	close(from);
	close(open);
	close(closed);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			test_failure_keeps_the_former_state, world_setup, world_teardown),
		cmocka_unit_test_setup_teardown(
			test_leftovers_are_deleted, world_setup, world_teardown),
		cmocka_unit_test_setup_teardown(
			test_equal_tables_are_shared, world_setup, world_teardown),
		cmocka_unit_test_setup_teardown(
			test_address_changes_hands, world_setup, world_teardown),
		cmocka_unit_test_setup_teardown(
			test_gone_address_leaves_nothing, world_setup, world_teardown),
		cmocka_unit_test_setup_teardown(
			test_swaps_are_hitless, world_setup, world_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
