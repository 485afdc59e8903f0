/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Answers to refused packets, byte for byte. */
#include "expect.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>

#define ETHERNET      14
#define IPV4_HEADER   20
#define IPV6_HEADER   40
#define TCP_HEADER    20
#define ICMP_HEADER   8
#define ANSWERS_MAX   1000
#define TCP_SEQUENCE  4
#define TCP_ACKNOWL   8
#define TCP_FLAGS     13
#define TCP_CHECKSUM  16
#define UDP_CHECKSUM  6
#define IPV4_CHECKSUM 10

static void isolate_api(struct world *world, uint8_t flags)
{
	world_isolate(world, &world->api, ABI_INGRESS,
		(struct abi_decision){.rule = 7, .verdict = ABI_DENY, .flags = flags});
	expect_apply(world);
}

static size_t header_size(const struct world *world)
{
	return world->ipv6 ? IPV6_HEADER : IPV4_HEADER;
}

static void put_u32(struct frame *frame, size_t offset, uint32_t value)
{
	value = htonl(value);
	memcpy(frame->bytes + offset, &value, sizeof(value));
}

static uint32_t get_u32(const struct frame *frame, size_t offset)
{
	uint32_t value;

	memcpy(&value, frame->bytes + offset, sizeof(value));
	return ntohl(value);
}

static uint32_t sum(const uint8_t *bytes, size_t size)
{
	uint32_t total = 0;

	for (size_t i = 0; i < size; i++)
		total += (uint32_t)bytes[i] << (i % 2 ? 0 : 8);
	return total;
}

static uint16_t fold(uint32_t total)
{
	while (total >> 16)
		total = (total & 0xffff) + (total >> 16);
	return (uint16_t)total;
}

static uint32_t pseudo(const struct world *world, const struct frame *frame, size_t size)
{
	size_t addresses = world->ipv6 ? 32 : 8;
	uint8_t protocol = frame->bytes[ETHERNET + (world->ipv6 ? 6 : 9)];

	return sum(frame->bytes + ETHERNET + header_size(world) - addresses, addresses) + protocol +
	       (uint32_t)size;
}

/* Sent at the hook of end; the answer comes back in frame. */
static void expect_answer(
	struct world *world, struct frame *frame, enum abi_direction hook, const struct end *end)
{
	const struct frame sent = *frame;
	uint32_t verdict, mark = 0;

	assert_int_equal(world_send_marked(world, frame, hook, end->ifindex, &mark, &verdict), 0);
	assert_int_equal(verdict, WORLD_ANSWER);
	assert_int_equal(mark, ABI_ANSWER_MARK);
	assert_memory_equal(frame->bytes, sent.bytes + 6, 6);
	assert_memory_equal(frame->bytes + 6, sent.bytes, 6);
	assert_memory_equal(frame->bytes + 12, sent.bytes + 12, 2);
	frame->transport = ETHERNET + header_size(world);
	if (world->ipv6) {
		assert_memory_equal(frame->bytes + ETHERNET + 8, sent.bytes + ETHERNET + 24, 16);
		assert_memory_equal(frame->bytes + ETHERNET + 24, sent.bytes + ETHERNET + 8, 16);
		return;
	}
	assert_memory_equal(frame->bytes + ETHERNET + 12, sent.bytes + ETHERNET + 16, 4);
	assert_memory_equal(frame->bytes + ETHERNET + 16, sent.bytes + ETHERNET + 12, 4);
	assert_int_equal(fold(sum(frame->bytes + ETHERNET, IPV4_HEADER)), 0xffff);
}

static void expect_checksum(const struct world *world, const struct frame *frame, bool has_pseudo)
{
	size_t size = frame->size - frame->transport;

	assert_int_equal(fold(sum(frame->bytes + frame->transport, size) +
				 (has_pseudo ? pseudo(world, frame, size) : 0)),
		0xffff);
}

/* The answer passes the hook on its way back only with the mark, which ends there. */
static void expect_passage(struct world *world, const struct frame *answer, enum abi_direction hook,
	const struct end *end)
{
	struct frame back = *answer;
	uint32_t verdict, mark = ABI_ANSWER_MARK;

	assert_int_equal(world_send_marked(world, &back, hook, end->ifindex, &mark, &verdict), 0);
	assert_int_equal(verdict, WORLD_PASS);
	assert_int_equal(mark, 0);
	back = *answer;
	mark = ABI_ANSWER_MARK ^ 1;
	assert_int_equal(world_send_marked(world, &back, hook, end->ifindex, &mark, &verdict), 0);
	assert_int_equal(verdict, WORLD_REFUSE);
}

static void syn_is_answered_by_a_reset(void **state)
{
	struct world *world = *state;
	struct frame_description d = tcp(&world->web, &world->api, 40000, 8080, TCP_SYN);
	struct frame frame = frame_build(&d);

	expect_pass(world, &d);
	expect_reset(world);
	isolate_api(world, ABI_DECISION_REJECT);
	put_u32(&frame, frame.transport + TCP_SEQUENCE, 0xfffffff0);
	expect_answer(world, &frame, ABI_EGRESS, &world->web);
	assert_int_equal(frame.size, ETHERNET + header_size(world) + TCP_HEADER);
	assert_int_equal(get_u32(&frame, frame.transport), 8080u << 16 | 40000);
	assert_int_equal(get_u32(&frame, frame.transport + TCP_SEQUENCE), 0);
	assert_int_equal(get_u32(&frame, frame.transport + TCP_ACKNOWL), 0xfffffff1);
	assert_int_equal(frame.bytes[frame.transport + TCP_FLAGS], TCP_RST | TCP_ACK);
	expect_checksum(world, &frame, true);
	expect_passage(world, &frame, ABI_INGRESS, &world->web);
	assert_int_equal(world_counter(world, REASON_POLICY_DENIED, ABI_EGRESS, NULL), 1);
}

/* Into the workload, from elsewhere: back out as if the workload had said so. */
static void sender_elsewhere_is_answered(void **state)
{
	struct world *world = *state;
	struct frame_description d = tcp(&world->internet, &world->api, 40000, 8080, TCP_SYN);
	struct frame frame = frame_build(&d);

	expect_pass(world, &d);
	expect_reset(world);
	isolate_api(world, ABI_DECISION_REJECT);
	expect_answer(world, &frame, ABI_INGRESS, &world->api);
	assert_int_equal(frame.bytes[frame.transport + TCP_FLAGS], TCP_RST | TCP_ACK);
	expect_checksum(world, &frame, true);
	expect_passage(world, &frame, ABI_EGRESS, &world->api);
}

/* RFC 9293, 3.10.7.1: what the segment acknowledges is where the reset must be to be believed. */
static void both_ends_of_a_revoked_connection_are_reset(void **state)
{
	static const char payload[100];
	struct world *world = *state;
	struct frame_description d = tcp(&world->web, &world->api, 40000, 8080, TCP_ACK | TCP_PSH);
	struct frame_description back = reversed(&d);
	struct frame frame;

	expect_handshake(world, &d);
	isolate_api(world, ABI_DECISION_REJECT);
	d.body = back.body = payload;
	d.body_size = back.body_size = sizeof(payload);
	frame = frame_build(&d);
	put_u32(&frame, frame.transport + TCP_ACKNOWL, 12345);
	expect_answer(world, &frame, ABI_EGRESS, &world->web);
	assert_int_equal(get_u32(&frame, frame.transport + TCP_SEQUENCE), 12345);
	assert_int_equal(frame.bytes[frame.transport + TCP_FLAGS], TCP_RST);
	expect_checksum(world, &frame, true);
	assert_int_equal(world_counter(world, REASON_REVOKED, ABI_EGRESS, NULL), 1);
	frame = frame_build(&back);
	put_u32(&frame, frame.transport + TCP_ACKNOWL, 54321);
	expect_answer(world, &frame, ABI_EGRESS, &world->api);
	assert_int_equal(get_u32(&frame, frame.transport + TCP_SEQUENCE), 54321);
	assert_int_equal(world_counter(world, REASON_NO_CONNECTION, ABI_EGRESS, NULL), 1);
}

/* Checksums that were left to the hardware are completed by whoever takes the answer. */
static void unfinished_checksum_stays_unfinished(void **state)
{
	struct world *world = *state;
	struct frame_description d = tcp(&world->web, &world->api, 40000, 8080, TCP_SYN);
	struct frame frame = frame_build(&d);
	uint16_t checksum;

	isolate_api(world, ABI_DECISION_REJECT);
	checksum = htons(fold(pseudo(world, &frame, frame.size - frame.transport)));
	memcpy(frame.bytes + frame.transport + TCP_CHECKSUM, &checksum, sizeof(checksum));
	expect_answer(world, &frame, ABI_EGRESS, &world->web);
	memcpy(&checksum, frame.bytes + frame.transport + TCP_CHECKSUM, sizeof(checksum));
	assert_int_equal(
		ntohs(checksum), fold(pseudo(world, &frame, frame.size - frame.transport)));
}

static void options_are_left_out(void **state)
{
	struct world *world = *state;
	struct frame_description d = tcp(&world->web, &world->api, 40000, 8080, TCP_SYN);
	struct frame frame;

	if (world->ipv6)
		d.extensions[0] = IPPROTO_DSTOPTS + 1;
	else
		d.ipv4_options = 12;
	expect_pass(world, &d);
	expect_reset(world);
	isolate_api(world, ABI_DECISION_REJECT);
	frame = frame_build(&d);
	expect_answer(world, &frame, ABI_EGRESS, &world->web);
	assert_int_equal(frame.size, ETHERNET + header_size(world) + TCP_HEADER);
	assert_int_equal(get_u32(&frame, frame.transport), 8080u << 16 | 40000);
	expect_checksum(world, &frame, true);
}

/* With as much of the packet as its RFC asks for. */
static void datagram_is_answered_with_its_head(void **state)
{
	static const uint16_t bodies[] = {0, 1, 7, 400, 1400};
	struct world *world = *state;
	struct frame_description d = udp(&world->web, &world->api, 5000, 53);
	const size_t most = world->ipv6 ? 1280 : 576;
	uint8_t body[1400];

	for (size_t i = 0; i < sizeof(body); i++)
		body[i] = (uint8_t)(i * 7);
	expect_pass(world, &d);
	expect_reset(world);
	isolate_api(world, ABI_DECISION_REJECT);
	d.body = body;
	for (size_t i = 0; i < sizeof(bodies) / sizeof(bodies[0]); i++) {
		struct frame sent, frame;
		size_t size;

		d.body_size = bodies[i];
		sent = frame = frame_build(&d);
		size = header_size(world) + ICMP_HEADER + sent.size - ETHERNET;
		if (size > most)
			size = most;
		expect_answer(world, &frame, ABI_EGRESS, &world->web);
		assert_int_equal(frame.size, ETHERNET + size);
		assert_int_equal(
			frame.bytes[ETHERNET + (world->ipv6 ? 6 : 9)], world->ipv6 ? 58 : 1);
		assert_int_equal(get_u32(&frame, frame.transport) >> 16,
			world->ipv6 ? 1 << 8 | 1 : 3 << 8 | 13);
		assert_memory_equal(frame.bytes + frame.transport + ICMP_HEADER,
			sent.bytes + ETHERNET, size - header_size(world) - ICMP_HEADER);
		expect_checksum(world, &frame, world->ipv6);
		expect_passage(world, &frame, ABI_INGRESS, &world->web);
	}
}

/* As whoever takes the answer does it, if at all: over what is carried (RFC 768). */
static void finish_carried(struct frame *frame, size_t datagram)
{
	uint16_t checksum =
		htons((uint16_t)~fold(sum(frame->bytes + datagram, frame->size - datagram)));

	memcpy(frame->bytes + datagram + UDP_CHECKSUM, &checksum, sizeof(checksum));
}

static void unfinished_datagram_may_be_finished_in_the_answer(void **state)
{
	static const uint16_t bodies[] = {0, 1, 7, 400, 1400};
	struct world *world = *state;
	struct frame_description d = udp(&world->web, &world->api, 5000, 53);
	uint8_t body[1400];

	for (size_t i = 0; i < sizeof(body); i++)
		body[i] = (uint8_t)(i * 13);
	isolate_api(world, ABI_DECISION_REJECT);
	d.body = body;
	for (size_t i = 0; i < sizeof(bodies) / sizeof(bodies[0]); i++) {
		struct frame frame;
		uint16_t checksum;

		d.body_size = bodies[i];
		frame = frame_build(&d);
		checksum = htons(fold(pseudo(world, &frame, frame.size - frame.transport)));
		memcpy(frame.bytes + frame.transport + UDP_CHECKSUM, &checksum, sizeof(checksum));
		expect_answer(world, &frame, ABI_EGRESS, &world->web);
		finish_carried(&frame, frame.transport + ICMP_HEADER + header_size(world));
		expect_checksum(world, &frame, world->ipv6);
	}
}

static void request_is_answered_with_its_head(void **state)
{
	struct world *world = *state;
	struct frame_description d = echo(&world->web, &world->api, 77, false);
	struct frame frame = frame_build(&d);

	expect_pass(world, &d);
	expect_reset(world);
	isolate_api(world, ABI_DECISION_REJECT);
	expect_answer(world, &frame, ABI_EGRESS, &world->web);
	expect_checksum(world, &frame, world->ipv6);
}

static void expect_silence(struct world *world, const struct frame *frame, enum abi_direction hook,
	const struct end *end)
{
	uint32_t verdict;

	assert_int_equal(world_send(world, frame, hook, end->ifindex, &verdict), 0);
	assert_int_equal(verdict, WORLD_REFUSE);
}

static void some_are_never_answered(void **state)
{
	struct world *world = *state;
	struct frame_description syn = tcp(&world->web, &world->api, 40000, 8080, TCP_SYN);
	struct frame_description rst = syn, remote;
	struct frame frame = frame_build(&syn);

	isolate_api(world, ABI_DECISION_REJECT);
	expect_answer(world, &frame, ABI_EGRESS, &world->web);
	rst.tcp_flags = TCP_RST | TCP_ACK;
	frame = frame_build(&rst);
	expect_silence(world, &frame, ABI_EGRESS, &world->web);
	frame = frame_build(&syn);
	frame.bytes[0] |= 1; /* to many, by frame */
	expect_silence(world, &frame, ABI_EGRESS, &world->web);
	remote = udp(&world->internet, &world->api, 5000, 53);
	remote.source.address.bytes[world->ipv6 ? 0 : 12] = world->ipv6 ? 0xff : 224;
	frame = frame_build(&remote);
	expect_silence(world, &frame, ABI_INGRESS, &world->api);
	frame = frame_build(&syn); /* in another's name, though policy has an answer for that one */
	frame.bytes[frame.network + (world->ipv6 ? 23 : 15)] ^= 4;
	expect_silence(world, &frame, ABI_EGRESS, &world->web);
	assert_int_equal(world_counter(world, REASON_SPOOFED_SOURCE, ABI_EGRESS, NULL), 1);
	assert_int_equal(world_hits(world, 7), 3);
	isolate_api(world, 0);
	frame = frame_build(&syn);
	expect_silence(world, &frame, ABI_EGRESS, &world->web);
	assert_int_equal(world_loss(world, ABI_LOSS_ANSWER), 0); /* they were owed none */
}

static void answers_are_bounded(void **state)
{
	struct world *world = *state;
	struct frame_description d = udp(&world->web, &world->api, 5000, 53);
	const struct frame frame = frame_build(&d);
	uint32_t verdict = WORLD_ANSWER;
	uint64_t answered = 0, total = 0;

	isolate_api(world, ABI_DECISION_REJECT);
	for (; verdict == WORLD_ANSWER && total < 100ULL * ANSWERS_MAX; total++) {
		assert_int_equal(
			world_send(world, &frame, ABI_EGRESS, world->web.ifindex, &verdict), 0);
		answered += verdict == WORLD_ANSWER;
	}
	assert_int_equal(verdict, WORLD_REFUSE);
	assert_true(answered >= ANSWERS_MAX);
	assert_int_equal(world_loss(world, ABI_LOSS_ANSWER), 1);
	assert_int_equal(world_counter(world, REASON_POLICY_DENIED, ABI_EGRESS, NULL), total);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		FOR_BOTH(syn_is_answered_by_a_reset),
		FOR_BOTH(sender_elsewhere_is_answered),
		FOR_BOTH(both_ends_of_a_revoked_connection_are_reset),
		FOR_BOTH(unfinished_checksum_stays_unfinished),
		FOR_BOTH(options_are_left_out),
		FOR_BOTH(datagram_is_answered_with_its_head),
		FOR_BOTH(unfinished_datagram_may_be_finished_in_the_answer),
		FOR_BOTH(request_is_answered_with_its_head),
		FOR_BOTH(some_are_never_answered),
		FOR_BOTH(answers_are_bounded),
	};

	return expect_main(tests, sizeof(tests) / sizeof(tests[0]), "answer");
}
