/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "expect.h"

#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static const char *const reason_names[] = {
#define X(symbol, name, sentence) [REASON_##symbol] = name,
	REASONS(X)
#undef X
};

static struct world the_world;

int expect_group_setup(void **state)
{
	struct error error = ERROR_INIT;

	if (world_open(&the_world, NULL, &error) < 0) {
		print_error("%s\n", error_message(&error));
		error_clear(&error);
		return -1;
	}
	*state = &the_world;
	return 0;
}

int expect_group_teardown(void **state)
{
	world_close(*state);
	return 0;
}

static int setup(void **state, bool ipv6)
{
	struct error error = ERROR_INIT;

	*state = &the_world;
	if (world_reset(&the_world, ipv6, &error) == 0)
		return 0;
	print_error("%s\n", error_message(&error));
	error_clear(&error);
	return -1;
}

int expect_setup_ipv4(void **state)
{
	return setup(state, false);
}

int expect_setup_ipv6(void **state)
{
	return setup(state, true);
}

int expect_main(const struct CMUnitTest *tests, size_t count, const char *name)
{
	if (geteuid() != 0) {
		printf("%s: skipped: loading BPF programs needs root\n", name);
		return 0;
	}
	return _cmocka_run_group_tests(
		name, tests, count, expect_group_setup, expect_group_teardown);
}

static uint32_t send_frame(struct world *world, const struct frame *frame, enum abi_direction hook,
	const struct end *end)
{
	uint32_t verdict = 0;

	assert_int_equal(world_send(world, frame, hook, end->ifindex, &verdict), 0);
	return verdict;
}

/* Says which reason has refused, which a person who reads a failure wants to know first. */
static void report_refusal(struct world *world, enum abi_direction hook)
{
	for (int reason = REASON_POLICY_DENIED; reason < REASON_COUNT; reason++)
		if (world_counter(world, reason, hook, NULL))
			print_error("refused so far: %s\n", reason_names[reason]);
}

void expect_frame_pass(struct world *world, const struct frame *frame, enum abi_direction hook,
	const struct end *end)
{
	uint32_t verdict = send_frame(world, frame, hook, end);

	if (verdict != WORLD_PASS)
		report_refusal(world, hook);
	assert_int_equal(verdict, WORLD_PASS);
}

/* Verdict, counter and aggregated record all say the same. */
void expect_frame_refused(struct world *world, const struct frame *frame, enum abi_direction hook,
	const struct end *end, enum reason reason)
{
	uint64_t bytes_before, bytes_after, before, after;
	struct abi_denial_key key = {.ifindex = end->ifindex, .hook = hook};
	struct abi_denial denial;
	uint32_t verdict;

	before = world_counter(world, reason, hook, &bytes_before);
	verdict = send_frame(world, frame, hook, end);
	after = world_counter(world, reason, hook, &bytes_after);
	if (verdict == WORLD_ANSWER)
		verdict = WORLD_REFUSE; /* the same with a word of why */
	if (verdict != WORLD_REFUSE || after != before + 1) {
		print_error("expected %s\n", reason_names[reason]);
		report_refusal(world, hook);
	}
	assert_int_equal(verdict, WORLD_REFUSE);
	assert_int_equal(after, before + 1);
	assert_int_equal(bytes_after - bytes_before, frame->size - 14);
	assert_int_equal(world_denial(world, reason, &key, &denial), 0);
	assert_true(denial.packets >= 1);
	assert_true(denial.last_ns >= denial.first_ns);
}

void expect_frame_kept(struct world *world, const struct frame *frame, const struct end *end)
{
	uint64_t bytes_before, bytes_after, before, after;
	size_t denials = world_denials_count(world);

	world_take_events(world);
	before = world_counter(world, REASON_UNKNOWN_UNICAST, ABI_INGRESS, &bytes_before);
	assert_int_equal(send_frame(world, frame, ABI_INGRESS, end), WORLD_REFUSE);
	after = world_counter(world, REASON_UNKNOWN_UNICAST, ABI_INGRESS, &bytes_after);
	if (after != before + 1)
		report_refusal(world, ABI_INGRESS);
	assert_int_equal(after, before + 1);
	assert_int_equal(bytes_after - bytes_before, frame->size - 14);
	assert_int_equal(world_denials_count(world), denials);
	assert_int_equal(world_take_events(world).count[ABI_EVENT_DENIED], 0);
	assert_int_equal(world_loss(world, ABI_LOSS_DENIAL_AGGREGATE), 0);
}

void expect_kept(
	struct world *world, const struct frame_description *description, const struct end *end)
{
	const struct frame frame = frame_build(description);

	expect_frame_kept(world, &frame, end);
}

void expect_pass_at(struct world *world, const struct frame_description *description,
	enum abi_direction hook, const struct end *end)
{
	const struct frame frame = frame_build(description);

	expect_frame_pass(world, &frame, hook, end);
}

void expect_refused_at(struct world *world, const struct frame_description *description,
	enum abi_direction hook, const struct end *end, enum reason reason)
{
	const struct frame frame = frame_build(description);

	expect_frame_refused(world, &frame, hook, end, reason);
}

void expect_pass(struct world *world, const struct frame_description *description)
{
	if (description->source.ifindex)
		expect_pass_at(world, description, ABI_EGRESS, &description->source);
	if (description->destination.ifindex)
		expect_pass_at(world, description, ABI_INGRESS, &description->destination);
}

void expect_refused(
	struct world *world, const struct frame_description *description, enum reason reason)
{
	if (description->source.ifindex)
		expect_refused_at(world, description, ABI_EGRESS, &description->source, reason);
	else
		expect_refused_at(
			world, description, ABI_INGRESS, &description->destination, reason);
}

struct abi_connection expect_connection(
	struct world *world, const struct frame_description *description)
{
	struct abi_connection connection = {0};

	assert_int_equal(world_connection(world, description, NULL, &connection), 0);
	return connection;
}

void expect_no_connection(struct world *world, const struct frame_description *description)
{
	assert_true(world_connection(world, description, NULL, NULL) < 0);
}

void expect_apply(struct world *world)
{
	assert_int_equal(world_apply(world, NULL), 0);
}

void expect_reset(struct world *world)
{
	assert_int_equal(world_reset(world, world->ipv6, NULL), 0);
}

struct frame_description tcp(const struct end *from, const struct end *to, uint16_t from_port,
	uint16_t to_port, uint8_t flags)
{
	return (struct frame_description){.source = *from,
		.destination = *to,
		.protocol = IPPROTO_TCP,
		.source_port = from_port,
		.destination_port = to_port,
		.tcp_flags = flags};
}

struct frame_description udp(
	const struct end *from, const struct end *to, uint16_t from_port, uint16_t to_port)
{
	return (struct frame_description){.source = *from,
		.destination = *to,
		.protocol = IPPROTO_UDP,
		.source_port = from_port,
		.destination_port = to_port};
}

struct frame_description echo(
	const struct end *from, const struct end *to, uint16_t identifier, bool reply)
{
	bool ipv4 = address_is_ipv4(&from->address);

	return (struct frame_description){.source = *from,
		.destination = *to,
		.protocol = ipv4 ? IPPROTO_ICMP : IPPROTO_ICMPV6,
		.icmp_type = ipv4 ? (reply ? 0 : 8) : (reply ? 129 : 128),
		.icmp_identifier = identifier};
}

struct frame_description reversed(const struct frame_description *description)
{
	struct frame_description reverse = *description;

	reverse.source = description->destination;
	reverse.destination = description->source;
	reverse.source_port = description->destination_port;
	reverse.destination_port = description->source_port;
	return reverse;
}

void expect_handshake(struct world *world, const struct frame_description *syn)
{
	struct frame_description packet = *syn;

	packet.tcp_flags = TCP_SYN;
	expect_pass(world, &packet);
	packet = reversed(syn);
	packet.tcp_flags = TCP_SYN | TCP_ACK;
	expect_pass(world, &packet);
	packet = *syn;
	packet.tcp_flags = TCP_ACK;
	expect_pass(world, &packet);
}
