/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Connections and denials that the test puts into the kernel's tables with times of its choice. */
#include "world.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

static struct abi_connection_key udp_key(uint16_t port)
{
	struct abi_connection_key key = {.protocol = IPPROTO_UDP};

	key.address[0][15] = 1;
	key.address[1][15] = 2;
	key.port_be[1] = htons(port);
	return key;
}

static void put_connection(
	struct dataplane *plane, uint16_t port, uint64_t age_ns, uint64_t idle_ns, uint32_t ifindex)
{
	const struct abi_connection_key key = udp_key(port);
	uint64_t now_ns = clock_ns(CLOCK_BOOTTIME);
	const struct abi_connection connection = {
		.packets = {port, 1},
		.start_ns = now_ns - age_ns,
		.last_ns = now_ns - idle_ns,
		.ifindex = {ifindex},
		.id = port,
	};

	assert_int_equal(bpf_map_update_elem(
				 plane->objects.maps.connections, &key, &connection, BPF_NOEXIST),
		0);
}

static bool is_there(struct dataplane *plane, uint16_t port)
{
	const struct abi_connection_key key = udp_key(port);
	struct abi_connection connection;

	return bpf_map_lookup_elem(plane->objects.maps.connections, &key, &connection) == 0;
}

static size_t count_flows(
	const struct world *world, enum flow_event_type type, uint16_t port, uint64_t packets)
{
	size_t count = 0;

	for (size_t i = 0; i < world->flows_count; i++)
		count += world->flows[i].type == type && world->flows[i].destination_port == port &&
			 world->flows[i].packets[0] == packets;
	return count;
}

static void pass(struct dataplane *plane)
{
	/* Ends with the step that has seen the last entry. */
	do
		assert_int_equal(sweep_step(&plane->sweep, NULL), 0);
	while (plane->sweep.pass_ns);
}

static void test_idle_connections_end(void **state)
{
	struct world *world = *state;
	struct dataplane *plane;
	uint64_t limit_ns;

	if (!world)
		skip();
	plane = plane_open(world);
	limit_ns = plane->objects.configuration.udp_ns;
	assert_true(limit_ns > 2 * NS_PER_SECOND);
	put_connection(plane, 1, 2 * limit_ns, limit_ns + NS_PER_SECOND, 0);
	put_connection(plane, 2, 2 * limit_ns, limit_ns - NS_PER_SECOND, 0);
	/* The interface of its workload is no one's any more. */
	put_connection(plane, 3, NS_PER_SECOND, 0, 999);
	pass(plane);
	assert_false(is_there(plane, 1));
	assert_true(is_there(plane, 2));
	assert_false(is_there(plane, 3));
	assert_int_equal(count_flows(world, FLOW_END, 1, 1), 1);
	assert_int_equal(count_flows(world, FLOW_END, 2, 2), 0);
	assert_int_equal(count_flows(world, FLOW_END, 3, 3), 1);
	bpf_dataplane_ops.close(plane, true);
}

static void test_what_nobody_answers_is_told_once(void **state)
{
	struct world *world = *state;
	struct dataplane *plane;

	if (!world)
		skip();
	plane = plane_open(world);
	put_connection(plane, 1, 3 * NS_PER_SECOND, NS_PER_SECOND, 0);
	put_connection(plane, 2, NS_PER_SECOND, 0, 0);
	pass(plane);
	assert_int_equal(count_flows(world, FLOW_UPDATE, 1, 1), 1);
	assert_int_equal(count_flows(world, FLOW_UPDATE, 2, 2), 0);
	pass(plane);
	assert_int_equal(count_flows(world, FLOW_UPDATE, 1, 1), 1);
	bpf_dataplane_ops.close(plane, true);
}

/* Many connections, each 30 seconds of life: one update, and none that rests. */
static void test_updates_have_a_rhythm(void **state)
{
	struct world *world = *state;
	struct dataplane *plane;

	if (!world)
		skip();
	plane = plane_open(world);
	pass(plane);
	put_connection(plane, 1, 30 * NS_PER_SECOND, 0, 0);
	put_connection(plane, 2, 20 * NS_PER_SECOND, 0, 0);
	put_connection(plane, 3, 100 * NS_PER_SECOND, 80 * NS_PER_SECOND, 0);
	/* As if the last pass had been a second ago. */
	plane->sweep.last_pass_ns = clock_ns(CLOCK_BOOTTIME) - NS_PER_SECOND;
	pass(plane);
	assert_int_equal(count_flows(world, FLOW_UPDATE, 1, 1), 1);
	assert_int_equal(count_flows(world, FLOW_UPDATE, 2, 2), 0);
	assert_int_equal(count_flows(world, FLOW_UPDATE, 3, 3), 0);
	pass(plane);
	assert_int_equal(count_flows(world, FLOW_UPDATE, 1, 1), 1);
	/* Who asks hears everything, and the next time only what has changed since. */
	assert_int_equal(bpf_dataplane_ops.collect(plane, NULL), 0);
	assert_int_equal(count_flows(world, FLOW_UPDATE, 2, 2), 1);
	assert_int_equal(count_flows(world, FLOW_UPDATE, 3, 3), 1);
	assert_int_equal(bpf_dataplane_ops.collect(plane, NULL), 0);
	assert_int_equal(count_flows(world, FLOW_UPDATE, 3, 3), 1);
	bpf_dataplane_ops.close(plane, true);
}

/* A table of many chunks is walked to its end, each entry once. */
static void test_many_connections(void **state)
{
	struct world *world = *state;
	struct dataplane *plane;
	enum {
		MANY = 3 * BATCH_ENTRIES
	};
	size_t found = 0;

	if (!world)
		skip();
	plane = plane_open(world);
	for (unsigned int port = 1; port <= MANY; port++)
		put_connection(plane, (uint16_t)port, NS_PER_SECOND, 0, 0);
	pass(plane);
	assert_int_equal(plane->sweep.connections, MANY);
	assert_int_equal(
		walk_count(plane->objects.maps.connections, sizeof(struct abi_connection_key),
			sizeof(struct abi_connection), &found),
		0);
	assert_int_equal(found, MANY);
	bpf_dataplane_ops.close(plane, true);
}

static void put_denial(
	struct dataplane *plane, uint32_t ifindex, uint64_t packets, uint64_t idle_ns)
{
	const struct abi_denial_key key = {.ifindex = ifindex,
		.reason = REASON_POLICY_DENIED,
		.epoch = plane->objects.control->epoch};
	uint64_t now_ns = clock_ns(CLOCK_BOOTTIME);
	const struct abi_denial denial = {
		.packets = packets,
		.bytes = packets * 100,
		.first_ns = now_ns - idle_ns,
		.last_ns = now_ns - idle_ns,
	};

	assert_int_equal(
		bpf_map_update_elem(plane->objects.maps.denials, &key, &denial, BPF_ANY), 0);
}

static uint64_t total(const struct world *world, uint32_t ifindex)
{
	uint64_t packets = 0;

	for (size_t i = 0; i < world->flows_count; i++)
		if (world->flows[i].type == FLOW_DENIED && world->flows[i].ifindex == ifindex)
			packets += world->flows[i].packets[0];
	return packets;
}

static void test_denials_are_exact(void **state)
{
	struct world *world = *state;
	struct dataplane *plane;
	size_t left;

	if (!world)
		skip();
	plane = plane_open(world);
	put_denial(plane, 1, 10, 0);
	assert_int_equal(denials_collect(&plane->denials, NULL), 0);
	assert_int_equal(denials_collect(&plane->denials, NULL), 0);
	assert_int_equal(total(world, 1), 10);
	put_denial(plane, 1, 25, 0);
	put_denial(plane, 2, 5, 3600 * NS_PER_SECOND);
	assert_int_equal(denials_collect(&plane->denials, NULL), 0);
	assert_int_equal(total(world, 1), 25);
	assert_int_equal(total(world, 2), 5);
	/* What a packet that is under way counts is reported, too; then all of the epoch go. */
	put_denial(plane, 2, 6, 3600 * NS_PER_SECOND);
	assert_int_equal(denials_collect(&plane->denials, NULL), 0);
	assert_int_equal(plane->objects.control->epoch, 1);
	assert_int_equal(total(world, 1), 25);
	assert_int_equal(total(world, 2), 6);
	assert_int_equal(walk_count(plane->objects.maps.denials, sizeof(struct abi_denial_key),
				 sizeof(struct abi_denial), &left),
		0);
	assert_int_equal(left, 0);
	/* They begin a new life. */
	put_denial(plane, 2, 3, 0);
	assert_int_equal(denials_collect(&plane->denials, NULL), 0);
	assert_int_equal(total(world, 2), 9);
	assert_int_equal(plane->objects.control->epoch, 1);
	bpf_dataplane_ops.close(plane, true);
}

static void test_losses_are_gaps(void **state)
{
	struct world *world = *state;
	uint64_t values[1024];
	const uint32_t loss = ABI_LOSS_EVENT;
	struct dataplane *plane;

	if (!world)
		skip();
	assert_in_range(libbpf_num_possible_cpus(), 1, ARRAY_SIZE(values));
	memset(values, 0, sizeof(values));
	values[0] = 7;
	plane = plane_open(world);
	for (unsigned int round = 0; round < 2; round++) {
		assert_int_equal(
			bpf_map_update_elem(plane->objects.maps.losses, &loss, values, BPF_ANY), 0);
		assert_int_equal(denials_collect(&plane->denials, NULL), 0);
		assert_int_equal(world->flows_count, round + 1);
		assert_int_equal(world->flows[round].type, FLOW_GAP);
		assert_int_equal(world->flows[round].lost, round ? 4 : 7);
		values[0] += 4;
	}
	bpf_dataplane_ops.close(plane, true);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			test_idle_connections_end, world_setup, world_teardown),
		cmocka_unit_test_setup_teardown(
			test_what_nobody_answers_is_told_once, world_setup, world_teardown),
		cmocka_unit_test_setup_teardown(
			test_updates_have_a_rhythm, world_setup, world_teardown),
		cmocka_unit_test_setup_teardown(test_many_connections, world_setup, world_teardown),
		cmocka_unit_test_setup_teardown(
			test_denials_are_exact, world_setup, world_teardown),
		cmocka_unit_test_setup_teardown(test_losses_are_gaps, world_setup, world_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
