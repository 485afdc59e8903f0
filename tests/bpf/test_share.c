/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Each workload's share of the connection table, and the hits of rules. */
#include "expect.h"

#include <stdio.h>
#include <unistd.h>

#define SHARE 64

static struct world the_world;

static int open_small(void **state)
{
	const struct world_options options = {.connections_max = 1024, .share = SHARE};
	struct error error = ERROR_INIT;

	*state = &the_world;
	if (world_open(&the_world, &options, &error) == 0)
		return 0;
	print_error("%s\n", error_message(&error));
	error_clear(&error);
	return -1;
}

static int close_small(void **state)
{
	world_close(*state);
	return 0;
}

static int reset_ipv4(void **state)
{
	*state = &the_world;
	return world_reset(&the_world, false, NULL);
}

static int reset_ipv6(void **state)
{
	*state = &the_world;
	return world_reset(&the_world, true, NULL);
}

/* SYNs of web to ever new ports of api, leaving; how many passed. */
static unsigned int flood(struct world *world, uint16_t first, unsigned int count)
{
	unsigned int passed = 0;

	for (unsigned int i = 0; i < count; i++) {
		struct frame_description d =
			tcp(&world->web, &world->api, (uint16_t)(first + i), 8080, TCP_SYN);
		struct frame frame = frame_build(&d);
		uint32_t verdict;

		assert_int_equal(
			world_send(world, &frame, ABI_EGRESS, world->web.ifindex, &verdict), 0);
		passed += verdict == WORLD_PASS;
	}
	return passed;
}

/* As if nothing had come since. */
static void let_rest(struct world *world, uint16_t first, unsigned int count)
{
	for (unsigned int i = 0; i < count; i++) {
		struct frame_description d =
			tcp(&world->web, &world->api, (uint16_t)(first + i), 8080, TCP_SYN);
		struct abi_connection_key key;
		struct abi_connection c;

		assert_int_equal(world_connection(world, &d, &key, &c), 0);
		c.last_ns -= 5000000000;
		assert_int_equal(world_set_connection(world, &key, &c), 0);
	}
}

static void flood_ends_at_the_share(void **state)
{
	struct world *world = *state;
	struct frame_description d = tcp(&world->web, &world->api, 1000, 8080, TCP_SYN);
	struct frame_description other = tcp(&world->intruder, &world->api, 1000, 8080, TCP_SYN);

	expect_handshake(world, &d);
	assert_int_equal(flood(world, 2000, 1000), SHARE - 1);
	assert_int_equal(
		world_counter(world, REASON_ENDPOINT_CONNECTIONS_FULL, ABI_EGRESS, NULL), 937);
	assert_int_equal(world_share(world, &world->web).connections, SHARE);
	expect_handshake(world, &other); /* and leaves room for everybody else */
	assert_int_equal(world_share(world, &world->intruder).connections, 1);
	d.tcp_flags = TCP_ACK;
	expect_pass(world, &d);
}

static void unanswered_openings_make_room(void **state)
{
	struct world *world = *state;
	struct frame_description d = tcp(&world->web, &world->api, 1000, 8080, TCP_SYN);

	expect_handshake(world, &d);
	assert_int_equal(flood(world, 2000, SHARE), SHARE - 1);
	let_rest(world, 2000, SHARE - 1);
	world_take_events(world);
	/* Those beyond half of the share are remembered, and each gives its place to one. */
	assert_int_equal(flood(world, 5000, SHARE), SHARE / 2);
	assert_int_equal(world_take_events(world).count[ABI_EVENT_END], SHARE / 2);
	assert_int_equal(world_share(world, &world->web).connections, SHARE);
	assert_int_equal(world_connections_count(world), SHARE);
	assert_true(expect_connection(world, &d).flags & ABI_CONNECTION_ESTABLISHED);
}

static void answered_connections_never_make_room(void **state)
{
	struct world *world = *state;

	for (unsigned int i = 0; i < SHARE; i++) {
		struct frame_description d =
			tcp(&world->web, &world->api, (uint16_t)(2000 + i), 8080, TCP_SYN);

		expect_handshake(world, &d);
	}
	let_rest(world, 2000, SHARE);
	assert_int_equal(flood(world, 5000, 10), 0);
	assert_int_equal(world_connections_count(world), SHARE);
}

static void remote_flood_takes_the_share_of_its_target(void **state)
{
	struct world *world = *state;
	struct frame_description d = udp(&world->internet, &world->api, 2000, 53);

	for (unsigned int i = 0; i < SHARE; i++, d.source_port++)
		expect_pass(world, &d);
	expect_refused(world, &d, REASON_ENDPOINT_CONNECTIONS_FULL);
	assert_int_equal(world_share(world, &world->api).connections, SHARE);
	d = udp(&world->internet, &world->web, 2000, 53);
	expect_pass(world, &d);
}

static void end_gives_back(void **state)
{
	struct world *world = *state;
	struct frame_description d = tcp(&world->web, &world->api, 40000, 8080, TCP_SYN);

	expect_handshake(world, &d);
	assert_int_equal(world_share(world, &world->web).connections, 1);
	world_isolate(world, &world->api, ABI_INGRESS, DECISION_DENY);
	expect_apply(world);
	d.tcp_flags = TCP_ACK;
	expect_refused(world, &d, REASON_REVOKED);
	assert_int_equal(world_share(world, &world->web).connections, 0);
}

static void hits_are_connections_and_refusals(void **state)
{
	struct world *world = *state;
	struct frame_description d = udp(&world->web, &world->api, 5000, 53);

	world_isolate(world, &world->api, ABI_INGRESS, DECISION_NONE);
	world_rule(world, (struct world_rule){WORLD_API, ABI_INGRESS, WORLD_WEB, ABI_UDP, 53, 16,
				  DECISION_ALLOW});
	expect_apply(world);
	for (int i = 0; i < 5; i++) {
		expect_pass(world, &d);
		expect_pass(world, &d);
		d.source_port++;
	}
	d.destination_port = 54;
	for (int i = 0; i < 7; i++)
		expect_refused(world, &d, REASON_POLICY_DENIED);
	assert_int_equal(world_hits(world, RULE_ALLOW), 5);
	assert_int_equal(world_hits(world, RULE_NONE_ALLOWS), 7);
}

#define BOTH(test) \
	cmocka_unit_test_setup(test, reset_ipv4), cmocka_unit_test_setup(test, reset_ipv6)

int main(void)
{
	const struct CMUnitTest tests[] = {
		BOTH(flood_ends_at_the_share),
		BOTH(unanswered_openings_make_room),
		BOTH(answered_connections_never_make_room),
		BOTH(remote_flood_takes_the_share_of_its_target),
		BOTH(end_gives_back),
		BOTH(hits_are_connections_and_refusals),
	};

	if (geteuid() != 0) {
		puts("share: skipped: loading BPF programs needs root");
		return 0;
	}
	return cmocka_run_group_tests_name("share", tests, open_small, close_small);
}
