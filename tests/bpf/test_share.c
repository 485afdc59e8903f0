/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Each workload's share of the connection table, and the hits of rules. */
#include "expect.h"

#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <unistd.h>

#define SHARE   64
#define THREADS 4
#define RACES   SHARE /* connections that all threads open at once */
#define DENIALS 20000 /* of each thread */

static struct world the_world;

static int open_small(void **state)
{
	const struct world_options options = {
		.connections_max = 1024, .share = SHARE, .denials_share = SHARE};
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

/* Two that take turns at the one place for what was counted last. */
static void rules_of_one_place_are_counted_apart(void **state)
{
	struct world *world = *state;
	const uint32_t rules[] = {RULE_ALLOW, RULE_ALLOW + ABI_RECENT_HITS};
	struct frame_description d = udp(&world->web, &world->api, 5000, 0);

	world_isolate(world, &world->api, ABI_INGRESS, DECISION_NONE);
	for (uint16_t i = 0; i < 2; i++)
		world_rule(world,
			(struct world_rule){WORLD_API, ABI_INGRESS, WORLD_WEB, ABI_UDP,
				(uint16_t)(53 + i), 16,
				(struct abi_decision){.rule = rules[i], .verdict = ABI_ALLOW}});
	expect_apply(world);
	for (uint16_t i = 0; i < 9; i++) {
		d.source_port++;
		d.destination_port = (uint16_t)(53 + i % 3 / 2);
		expect_pass(world, &d);
	}
	assert_int_equal(world_hits(world, rules[0]), 6);
	assert_int_equal(world_hits(world, rules[1]), 3);
}

/* A scan of one workload leaves room for the refusals of all others. */
static void scan_ends_at_the_share(void **state)
{
	struct world *world = *state;
	struct frame_description d = udp(&world->web, &world->api, 1000, 1);
	struct frame_description other = udp(&world->intruder, &world->api, 1000, 1);

	expect_pass(world, &d);
	expect_reset(world);
	world_isolate(world, &world->api, ABI_INGRESS, DECISION_NONE);
	expect_apply(world);
	for (int i = 0; i < 10 * SHARE; i++, d.destination_port++)
		expect_refused(world, &d, REASON_POLICY_DENIED);
	assert_int_equal(world_denials_count(world), SHARE);
	assert_int_equal(world_share(world, &world->web).denials, SHARE);
	assert_int_equal(world_loss(world, ABI_LOSS_DENIAL_AGGREGATE), 9 * SHARE);
	assert_int_equal(world_counter(world, REASON_POLICY_DENIED, ABI_EGRESS, NULL), 10 * SHARE);
	expect_refused(world, &other, REASON_POLICY_DENIED);
	assert_int_equal(world_denials_count(world), SHARE + 1);
	assert_int_equal(world_loss(world, ABI_LOSS_DENIAL_AGGREGATE), 9 * SHARE);
}

/* One of several CPUs at once. */
struct sender {
	struct world *world;
	pthread_barrier_t *barrier;
	unsigned int number;
	unsigned int passed;
};

static void stay_on_a_cpu(unsigned int number)
{
	cpu_set_t cpus;

	CPU_ZERO(&cpus);
	CPU_SET(number % (unsigned int)sysconf(_SC_NPROCESSORS_ONLN), &cpus);
	sched_setaffinity(0, sizeof(cpus), &cpus);
}

/* The same new connection as all others at the same time, one after the other. */
static void *race(void *data)
{
	struct sender *sender = data;
	struct world *world = sender->world;
	uint32_t verdict;

	stay_on_a_cpu(sender->number);
	for (uint16_t i = 0; i < RACES; i++) {
		struct frame_description d =
			udp(&world->web, &world->api, (uint16_t)(1000 + i), 53);
		struct frame frame = frame_build(&d);

		pthread_barrier_wait(sender->barrier);
		if (world_send(world, &frame, ABI_EGRESS, world->web.ifindex, &verdict) == 0)
			sender->passed += verdict == WORLD_PASS;
	}
	return NULL;
}

static void *be_refused(void *data)
{
	struct sender *sender = data;
	struct world *world = sender->world;
	struct frame_description d = udp(&world->web, &world->api, 1000, 54);
	struct frame frame = frame_build(&d);
	uint32_t verdict;

	stay_on_a_cpu(sender->number);
	pthread_barrier_wait(sender->barrier);
	for (unsigned int i = 0; i < DENIALS; i++)
		if (world_send(world, &frame, ABI_EGRESS, world->web.ifindex, &verdict) == 0)
			sender->passed += verdict == WORLD_PASS;
	return NULL;
}

/* How many packets passed. */
static unsigned int send_at_once(struct world *world, void *(*send)(void *sender))
{
	struct sender senders[THREADS];
	pthread_barrier_t barrier;
	pthread_t threads[THREADS];
	unsigned int passed = 0;

	assert_int_equal(pthread_barrier_init(&barrier, NULL, THREADS), 0);
	for (unsigned int i = 0; i < THREADS; i++) {
		senders[i] = (struct sender){world, &barrier, i, 0};
		assert_int_equal(pthread_create(&threads[i], NULL, send, &senders[i]), 0);
	}
	for (unsigned int i = 0; i < THREADS; i++) {
		pthread_join(threads[i], NULL);
		passed += senders[i].passed;
	}
	pthread_barrier_destroy(&barrier);
	return passed;
}

static void allow_port_53(struct world *world)
{
	world_isolate(world, &world->api, ABI_INGRESS, DECISION_NONE);
	world_rule(world, (struct world_rule){WORLD_API, ABI_INGRESS, WORLD_WEB, ABI_UDP, 53, 16,
				  DECISION_ALLOW});
	expect_apply(world);
}

static void one_of_many_cpus_opens_a_connection(void **state)
{
	struct world *world = *state;

	allow_port_53(world);
	assert_int_equal(send_at_once(world, race), THREADS * RACES);
	assert_int_equal(world_hits(world, RULE_ALLOW), RACES);
	assert_int_equal(world_share(world, &world->web).connections, RACES);
	assert_int_equal(world_connections_count(world), RACES);
	assert_int_equal(world_take_events(world).count[ABI_EVENT_NEW], RACES);
	for (uint16_t i = 0; i < RACES; i++) {
		struct frame_description d =
			udp(&world->web, &world->api, (uint16_t)(1000 + i), 53);

		assert_int_equal(expect_connection(world, &d).packets[ABI_ORIGINATOR], THREADS);
	}
}

static void many_cpus_count_every_refusal(void **state)
{
	struct world *world = *state;
	struct abi_denial_key key = {0};
	struct abi_denial denial;

	allow_port_53(world);
	assert_int_equal(send_at_once(world, be_refused), 0);
	assert_int_equal(world_hits(world, RULE_NONE_ALLOWS), THREADS * DENIALS);
	assert_int_equal(
		world_counter(world, REASON_POLICY_DENIED, ABI_EGRESS, NULL), THREADS * DENIALS);
	assert_int_equal(world_denials_count(world), 1);
	assert_int_equal(world_denial(world, REASON_POLICY_DENIED, &key, &denial), 0);
	assert_int_equal(denial.packets, THREADS * DENIALS);
	assert_int_equal(world_take_events(world).count[ABI_EVENT_DENIED], 1);
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
		BOTH(rules_of_one_place_are_counted_apart),
		BOTH(scan_ends_at_the_share),
		BOTH(one_of_many_cpus_opens_a_connection),
		BOTH(many_cpus_count_every_refusal),
	};

	if (geteuid() != 0) {
		puts("share: skipped: loading BPF programs needs root");
		return 0;
	}
	return cmocka_run_group_tests_name("share", tests, open_small, close_small);
}
