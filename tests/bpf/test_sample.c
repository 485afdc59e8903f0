/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Samples of payloads: of which packets, what they hold, and where they end. */
#include "expect.h"
#include "xdp/segd.skel.h"

#include <bpf/libbpf.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define BUDGET_FEW 8        /* of which a workload has two */
#define TICK_NS    10000000 /* or less: so late the programs' time may be */

static struct world the_world;
static struct ring_buffer *ring;

static struct {
	size_t count;
	struct abi_sample last;
} taken;

static int collect(void *context, void *data, size_t size)
{
	(void)context;
	assert_int_equal(size, sizeof(taken.last));
	taken.count++;
	memcpy(&taken.last, data, sizeof(taken.last));
	return 0;
}

/* Since the last call. */
static size_t samples_taken(void)
{
	taken.count = 0;
	assert_true(ring_buffer__consume(ring) >= 0);
	return taken.count;
}

static int open_world(const struct world_options *options)
{
	struct error error = ERROR_INIT;

	if (world_open(&the_world, options, &error) == 0) {
		ring = ring_buffer__new(
			bpf_map__fd(the_world.skeleton->maps.samples), collect, NULL, NULL);
		return ring ? 0 : -1;
	}
	print_error("%s\n", error_message(&error));
	error_clear(&error);
	return -1;
}

static int open_generous(void **state)
{
	*state = &the_world;
	return open_world(&(struct world_options){.samples = 40000, .sampled_connections = 1000});
}

static int open_scarce(void **state)
{
	*state = &the_world;
	return open_world(&(struct world_options){.samples = BUDGET_FEW, .sampled_connections = 1});
}

static int open_without(void **state)
{
	*state = &the_world;
	return open_world(&(struct world_options){0});
}

static int close_world(void **state)
{
	ring_buffer__free(ring);
	world_close(*state);
	return 0;
}

static int reset_ipv4(void **state)
{
	*state = &the_world;
	samples_taken();
	return world_reset(&the_world, false, NULL);
}

static int reset_ipv6(void **state)
{
	*state = &the_world;
	samples_taken();
	return world_reset(&the_world, true, NULL);
}

#define BOTH(test) \
	cmocka_unit_test_setup(test, reset_ipv4), cmocka_unit_test_setup(test, reset_ipv6)

static struct frame_description question(const struct world *world, uint16_t port)
{
	struct frame_description d = udp(&world->web, &world->internet, port, ABI_DNS_PORT);

	d.body = "a question";
	d.body_size = strlen("a question");
	return d;
}

static void dns_is_sampled_both_ways(void **state)
{
	struct world *world = *state;
	struct frame_description asked = question(world, 5000), answered = reversed(&asked);
	struct abi_connection_key key;
	struct abi_connection c;

	expect_pass(world, &asked);
	assert_int_equal(samples_taken(), 1);
	assert_int_equal(world_connection(world, &asked, &key, &c), 0);
	assert_memory_equal(&taken.last.key, &key, sizeof(key));
	assert_int_equal(taken.last.sender, ABI_ORIGINATOR);
	assert_int_equal(taken.last.originator, c.originator);
	assert_int_equal(taken.last.time_ns, c.start_ns);
	assert_int_equal(taken.last.size, 10);
	assert_int_equal(taken.last.sampled, 10);
	assert_memory_equal(taken.last.bytes, "a question", 10);

	answered.body = "and an answer";
	answered.body_size = 13;
	expect_pass(world, &answered);
	assert_int_equal(samples_taken(), 1);
	assert_int_equal(taken.last.sender, ABI_RESPONDER);
	assert_memory_equal(taken.last.bytes, "and an answer", 13);
	/* However many there are. */
	for (int i = 0; i < 300; i++)
		expect_pass(world, &answered);
	assert_int_equal(samples_taken(), 300);
}

/* Both hooks see it, one takes it. */
static void local_traffic_is_sampled_once(void **state)
{
	struct world *world = *state;
	struct frame_description asked = udp(&world->web, &world->api, 5001, ABI_DNS_PORT);

	asked.body = "a question";
	asked.body_size = 10;
	for (int i = 0; i < 3; i++)
		expect_pass(world, &asked);
	assert_int_equal(samples_taken(), 3);
	asked = reversed(&asked);
	expect_pass(world, &asked);
	assert_int_equal(samples_taken(), 1);
	assert_int_equal(taken.last.sender, ABI_RESPONDER);
}

static void refused_packets_are_not_sampled(void **state)
{
	struct world *world = *state;
	struct frame_description asked = question(world, 5002);

	expect_pass(world, &asked);
	assert_int_equal(samples_taken(), 1);
	expect_reset(world);
	world_isolate(world, &world->web, ABI_EGRESS, DECISION_NONE);
	expect_apply(world);
	expect_refused(world, &asked, REASON_POLICY_DENIED);
	/* Nor is what claims to be an answer. */
	asked = reversed(&asked);
	world_isolate(world, &world->web, ABI_INGRESS, DECISION_NONE);
	expect_apply(world);
	expect_refused(world, &asked, REASON_POLICY_DENIED);
	assert_int_equal(samples_taken(), 0);
}

/* Only who asks makes it DNS: a packet from port 53 alone is of no question. */
static void unasked_answers_count_as_any_traffic(void **state)
{
	struct world *world = *state;
	struct frame_description d = udp(&world->internet, &world->web, ABI_DNS_PORT, 5003);

	d.body = "an answer";
	d.body_size = 9;
	for (int i = 0; i < 20; i++)
		expect_pass(world, &d);
	assert_int_equal(samples_taken(), ABI_SAMPLES_FEW);
	assert_int_equal(taken.last.sender, ABI_ORIGINATOR);
}

static void connections_are_sampled_at_their_beginning(void **state)
{
	struct world *world = *state;
	struct frame_description syn = tcp(&world->web, &world->internet, 40000, 443, TCP_SYN);
	struct frame_description data = syn;
	static const char body[1400] = "hello";

	expect_handshake(world, &syn);
	assert_int_equal(samples_taken(), 0); /* no payload */
	data.tcp_flags = TCP_ACK | TCP_PSH;
	data.body = body;
	data.body_size = sizeof(body);
	expect_pass(world, &data);
	assert_int_equal(samples_taken(), 1);
	assert_int_equal(taken.last.size, sizeof(body));
	assert_int_equal(taken.last.sampled, ABI_SAMPLE_BYTES);
	assert_memory_equal(taken.last.bytes, body, ABI_SAMPLE_BYTES);
	for (int i = 0; i < 20; i++)
		expect_pass(world, &data);
	/* SYN, SYN-ACK and ACK were the first three, with nothing to look into. */
	assert_int_equal(samples_taken(), ABI_SAMPLES_FEW - 4);
}

static void budgets_end(void **state)
{
	struct world *world = *state;
	uint64_t lost = world_loss(world, ABI_LOSS_SAMPLE);
	size_t of_web = 0, of_api = 0, rounds = 0;

	/* Until all is within one second: the third try at the latest. */
	do {
		struct frame_description asked = question(world, (uint16_t)(6000 + rounds));
		struct frame_description other =
			udp(&world->api, &world->internet, 7000, ABI_DNS_PORT);

		other.body = "x";
		other.body_size = 1;
		for (int i = 0; i < 20; i++)
			expect_pass(world, &asked);
		of_web = samples_taken();
		expect_pass(world, &other);
		of_api = samples_taken();
	} while (of_web != BUDGET_FEW / ABI_SAMPLE_SHARE && ++rounds < 3);
	assert_int_equal(of_web, BUDGET_FEW / ABI_SAMPLE_SHARE);
	assert_int_equal(of_api, 1); /* another workload's part is its own */
	assert_true(world_loss(world, ABI_LOSS_SAMPLE) - lost >= 18);
}

/* As budgets count them. */
static uint64_t second_now(void)
{
	return world_now_ns() >> 30;
}

/* One of which nothing is used up yet. */
static uint64_t await_second(void)
{
	const uint64_t second = second_now() + 1;

	while (world_now_ns() < (second << 30) + TICK_NS)
		usleep(1000);
	return second;
}

static void few_connections_are_sampled(void **state)
{
	struct world *world = *state;
	const uint64_t began = await_second();
	size_t sampled = 0;

	for (uint16_t i = 0; i < 20; i++) {
		struct frame_description d = udp(&world->web, &world->internet, 8000 + i, 443);

		expect_pass(world, &d);
		sampled += expect_connection(world, &d).samples != 0;
	}
	assert_in_range(sampled, 1, 1 + second_now() - began); /* one a second */
}

static void nothing_is_sampled_without_a_budget(void **state)
{
	struct world *world = *state;
	struct frame_description asked = question(world, 5000);

	expect_pass(world, &asked);
	expect_pass(world, &asked);
	assert_int_equal(samples_taken(), 0);
	assert_int_equal(expect_connection(world, &asked).samples, 0);
	assert_int_equal(world_loss(world, ABI_LOSS_SAMPLE), 0);
}

int main(void)
{
	const struct CMUnitTest generous[] = {
		BOTH(dns_is_sampled_both_ways),
		BOTH(local_traffic_is_sampled_once),
		BOTH(refused_packets_are_not_sampled),
		BOTH(unasked_answers_count_as_any_traffic),
		BOTH(connections_are_sampled_at_their_beginning),
	};
	const struct CMUnitTest scarce[] = {
		BOTH(budgets_end),
		BOTH(few_connections_are_sampled),
	};
	const struct CMUnitTest without[] = {
		BOTH(nothing_is_sampled_without_a_budget),
	};

	if (geteuid()) {
		puts("sample: skipped: loading BPF programs needs root");
		return 0;
	}
	return cmocka_run_group_tests_name("sample", generous, open_generous, close_world) +
	       cmocka_run_group_tests_name("sample: budgets", scarce, open_scarce, close_world) +
	       cmocka_run_group_tests_name("sample: off", without, open_without, close_world);
}
