/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The whole data plane with real packets. */
#include "world.h"

static bool saw(const struct world *world, enum flow_event_type type)
{
	for (size_t i = 0; i < world->flows_count; i++)
		if (world->flows[i].type == type)
			return true;
	return false;
}

static bool saw_denial(struct world *world)
{
	return saw(world, FLOW_DENIED);
}

static bool saw_new(struct world *world)
{
	return saw(world, FLOW_NEW);
}

static const struct flow_event *find_flow(
	const struct world *world, enum flow_event_type type, bool ipv6, uint16_t port)
{
	for (size_t i = world->flows_count; i-- > 0;) {
		const struct flow_event *event = &world->flows[i];

		if (event->type == type && event->destination_port == port &&
			event->protocol == IPPROTO_TCP &&
			address_is_ipv4(&event->destination) != ipv6)
			return event;
	}
	return NULL;
}

static uint64_t total_denied(const struct world *world)
{
	uint64_t total = 0;

	for (size_t i = 0; i < world->flows_count; i++)
		if (world->flows[i].type == FLOW_DENIED)
			total += world->flows[i].packets[0];
	return total;
}

static void check_ends(const struct world *world, const struct flow_event *event, bool ipv6)
{
	assert_true(address_equal(&event->source, &world->addresses[WEB][ipv6]));
	assert_true(address_equal(&event->destination, &world->addresses[DB][ipv6]));
	assert_memory_equal(event->source_mac, world->attachments[WEB].mac, 6);
	assert_int_equal(event->ethertype, ipv6 ? 0x86dd : 0x0800);
	assert_int_equal(event->ifindex, world->attachments[WEB].ifindex);
	assert_in_range(event->start_ns, clock_ns(CLOCK_REALTIME) - 20 * NS_PER_SECOND,
		clock_ns(CLOCK_REALTIME));
}

static void test_allowed_and_denied(void **state)
{
	struct world *world = *state;
	struct dataplane *plane;
	struct small_ir open, isolated;
	_cleanup_error_ struct error error = ERROR_INIT;

	if (!world)
		skip();
	small_ir_init(&open, world, false);
	small_ir_init(&isolated, world, true);
	for (unsigned int ipv6 = 0; ipv6 < 2; ipv6++)
		assert_true(can_connect(world, WEB, DB, ipv6, CLOSED_PORT));
	plane = plane_open(world);
	plane_apply(world, plane, &open.ir);
	for (unsigned int ipv6 = 0; ipv6 < 2; ipv6++)
		assert_true(can_connect(world, WEB, DB, ipv6, CLOSED_PORT));
	plane_apply(world, plane, &isolated.ir);
	for (unsigned int ipv6 = 0; ipv6 < 2; ipv6++) {
		const struct flow_event *event;

		world->flows_count = 0;
		assert_true(can_connect(world, WEB, DB, ipv6, OPEN_PORT));
		assert_true(cannot_connect(world, WEB, DB, ipv6, CLOSED_PORT));
		assert_true(can_connect(world, DB, WEB, ipv6, CLOSED_PORT));
		/* The hint alone brings the denial, without anyone asking. */
		assert_true(wait_until(world, saw_denial));
		/* They come by different ways, so either may be first. */
		assert_true(wait_until(world, saw_new));

		event = find_flow(world, FLOW_NEW, ipv6, OPEN_PORT);
		assert_non_null(event);
		check_ends(world, event, ipv6);
		assert_int_equal(event->verdict, FLOW_ALLOWED);
		assert_int_equal(event->reason, REASON_POLICY_ALLOWED);
		assert_memory_equal(event->destination_mac, world->attachments[DB].mac, 6);

		event = find_flow(world, FLOW_DENIED, ipv6, CLOSED_PORT);
		assert_non_null(event);
		check_ends(world, event, ipv6);
		assert_int_equal(event->verdict, FLOW_REFUSED);
		assert_int_equal(event->reason, REASON_POLICY_DENIED);
		assert_int_equal(event->direction, DIRECTION_INGRESS);
		assert_int_equal(event->rule, RULE_ISOLATES);
		assert_int_equal(event->packets[0], 1);
	}
	assert_int_equal(world->troubles, 0);
	bpf_dataplane_ops.close(plane, true);
	assert_true(can_connect(world, WEB, DB, false, CLOSED_PORT));
}

/* Runs in a process of its own, which dies by SIGKILL as soon as the policy is in force. */
static void enforce_and_die(struct world *world, const struct ir *ir)
{
	int status;
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (!pid) {
		struct dataplane *plane = NULL;

		sd_event_unref(world->event);
		if (sd_event_new(&world->event) < 0 || plane_try_open(world, &plane, NULL) < 0 ||
			plane_try_apply(world, plane, ir, WORKLOADS, NULL) < 0)
			_exit(1);
		kill(getpid(), SIGKILL);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
}

static void test_killed_agent_is_followed(void **state)
{
	struct world *world = *state;
	__attribute__((cleanup(connection_close))) struct connection connection = {-1, -1, -1};
	struct small_ir isolated;
	struct dataplane *plane;
	const struct flow_event *event;
	uint32_t generation;
	uint64_t packets;

	if (!world)
		skip();
	small_ir_init(&isolated, world, true);
	assert_true(can_connect(world, WEB, DB, false, CLOSED_PORT));
	enforce_and_die(world, &isolated.ir);

	/* Without any agent. */
	connection = connect_to(world, WEB, DB, false, OPEN_PORT);
	assert_true(is_connected(&connection));
	assert_true(can_talk(&connection));
	assert_true(cannot_connect(world, WEB, DB, false, CLOSED_PORT));

	plane = plane_open(world);
	generation = objects_generation(&plane->objects);
	assert_int_equal(generation, 1);
	assert_false(plane->interfaces.outdated);
	assert_true(can_talk(&connection));
	assert_int_equal(bpf_dataplane_ops.collect(plane, NULL), 0);
	/* What happened while no one looked. */
	assert_non_null(find_flow(world, FLOW_NEW, false, OPEN_PORT));
	event = find_flow(world, FLOW_DENIED, false, CLOSED_PORT);
	assert_non_null(event);
	assert_int_equal(event->packets[0], 1);
	event = find_flow(world, FLOW_UPDATE, false, OPEN_PORT);
	assert_non_null(event);
	packets = event->packets[0];
	assert_true(packets >= 4);

	plane_apply(world, plane, &isolated.ir);
	assert_int_equal(objects_generation(&plane->objects), generation + 1);
	assert_true(can_talk(&connection));
	assert_int_equal(bpf_dataplane_ops.collect(plane, NULL), 0);
	event = find_flow(world, FLOW_UPDATE, false, OPEN_PORT);
	assert_true(event->packets[0] > packets);
	assert_true(cannot_connect(world, WEB, DB, false, CLOSED_PORT));
	bpf_dataplane_ops.close(plane, false);

	/* The next agent goes on counting where this one stopped, and tells nothing twice. */
	world->flows_count = 0;
	assert_true(cannot_connect(world, WEB, DB, false, CLOSED_PORT));
	plane = plane_open(world);
	assert_int_equal(bpf_dataplane_ops.collect(plane, NULL), 0);
	event = find_flow(world, FLOW_DENIED, false, CLOSED_PORT);
	assert_non_null(event);
	assert_int_equal(event->packets[0], 1);
	assert_int_equal(total_denied(world), 1);
	bpf_dataplane_ops.close(plane, true);
}

/* A policy that no longer allows a running connection ends it at its next packet. */
static void test_revocation(void **state)
{
	struct world *world = *state;
	__attribute__((cleanup(connection_close))) struct connection kept = {-1, -1, -1};
	__attribute__((cleanup(connection_close))) struct connection cut = {-1, -1, -1};
	struct small_ir open, isolated;
	struct dataplane *plane;

	if (!world)
		skip();
	small_ir_init(&open, world, false);
	small_ir_init(&isolated, world, true);
	plane = plane_open(world);
	plane_apply(world, plane, &open.ir);
	kept = connect_to(world, WEB, DB, true, OPEN_PORT);
	cut = connect_to(world, WEB, DB, true, CLOSED_PORT);
	assert_true(can_talk(&kept));
	assert_true(can_talk(&cut));
	plane_apply(world, plane, &isolated.ir);
	assert_true(can_talk(&kept));
	assert_false(can_talk(&cut));
	bpf_dataplane_ops.close(plane, true);
}

/* What runs already goes on through the beginning of enforcement if policy allows it, without a
 * pause, and is cut if it does not. */
static void test_running_connections_are_adopted(void **state)
{
	struct world *world = *state;
	__attribute__((cleanup(connection_close))) struct connection kept = {-1, -1, -1};
	__attribute__((cleanup(connection_close))) struct connection cut = {-1, -1, -1};
	struct small_ir isolated;
	struct dataplane *plane;

	if (!world)
		skip();
	small_ir_init(&isolated, world, true);
	/* In mid-stream no one knows who began, so neither end may be allowed to. */
	isolated.peer_tables[DB * DIRECTION_COUNT + DIRECTION_EGRESS].otherwise = PORTS_NONE;
	kept = connect_to(world, WEB, DB, true, OPEN_PORT);
	cut = connect_to(world, WEB, DB, true, CLOSED_PORT);
	assert_true(can_talk(&kept));
	assert_true(can_talk(&cut));
	for (unsigned int i = 0; i < WORKLOADS; i++)
		world->attachments[i].adopt = true;
	plane = plane_open(world);
	plane_apply(world, plane, &isolated.ir);
	assert_true(can_talk(&kept));
	assert_false(can_talk(&cut));
	assert_int_equal(bpf_dataplane_ops.collect(plane, NULL), 0);
	for (size_t i = 0; i < world->flows_count; i++)
		assert_int_not_equal(world->flows[i].reason, REASON_UNKNOWN_ENDPOINT);
	bpf_dataplane_ops.close(plane, true);
}

static void test_second_agent_is_refused(void **state)
{
	struct world *world = *state;
	_cleanup_error_ struct error error = ERROR_INIT;
	struct dataplane *plane, *second = NULL;

	if (!world)
		skip();
	plane = plane_open(world);
	assert_int_equal(plane_try_open(world, &second, &error), -EBUSY);
	assert_non_null(strstr(error_message(&error), world->directory));
	assert_null(second);
	bpf_dataplane_ops.close(plane, false);
	plane = plane_open(world);
	bpf_dataplane_ops.close(plane, true);
}

static void test_guard(void **state)
{
	struct world *world = *state;
	_cleanup_error_ struct error error = ERROR_INIT;
	struct small_ir open;
	struct dataplane *plane;

	if (!world)
		skip();
	small_ir_init(&open, world, false);
	assert_true(can_connect(world, WEB, DB, false, OPEN_PORT));
	plane = plane_open(world);
	assert_int_equal(bpf_dataplane_ops.guard(plane, world->attachments[WEB].ifindex,
				 world->attachments[WEB].name, &error),
		0);
	assert_true(cannot_connect(world, WEB, DB, false, OPEN_PORT));
	assert_true(cannot_connect(world, DB, WEB, false, OPEN_PORT));
	/* An apply that does not know it yet leaves it guarded. */
	assert_int_equal(plane_try_apply(world, plane, &open.ir, 0, &error), 0);
	assert_true(cannot_connect(world, WEB, DB, false, OPEN_PORT));
	/* So does the first apply of the next agent. */
	bpf_dataplane_ops.close(plane, false);
	plane = plane_open(world);
	assert_int_equal(plane_try_apply(world, plane, &open.ir, 0, &error), 0);
	assert_true(cannot_connect(world, WEB, DB, false, OPEN_PORT));
	plane_apply(world, plane, &open.ir);
	assert_true(can_connect(world, WEB, DB, false, OPEN_PORT));
	/* One that does not name it any more leaves it alone. */
	assert_int_equal(plane_try_apply(world, plane, &open.ir, 0, &error), 0);
	assert_null(interfaces_find(&plane->interfaces, world->attachments[WEB].ifindex));
	assert_true(can_connect(world, WEB, DB, false, OPEN_PORT));
	assert_int_equal(bpf_dataplane_ops.guard(plane, 999999, "none", &error), -ENODEV);
	bpf_dataplane_ops.close(plane, true);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			test_allowed_and_denied, world_setup, world_teardown),
		cmocka_unit_test_setup_teardown(
			test_killed_agent_is_followed, world_setup, world_teardown),
		cmocka_unit_test_setup_teardown(test_revocation, world_setup, world_teardown),
		cmocka_unit_test_setup_teardown(
			test_running_connections_are_adopted, world_setup, world_teardown),
		cmocka_unit_test_setup_teardown(
			test_second_agent_is_refused, world_setup, world_teardown),
		cmocka_unit_test_setup_teardown(test_guard, world_setup, world_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
