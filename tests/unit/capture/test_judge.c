// SPDX-License-Identifier: GPL-2.0-or-later
#include "fixture.h"

#include <netinet/ip_icmp.h>

#define WEB "10.0.0.1"
#define API "10.0.0.2"
#define DB  "10.0.0.3"

struct court {
	struct cluster cluster;
	struct judge *judge;
	struct frame frame;
	uint64_t now_ns;
};

static int setup(void **state)
{
	const struct judge_options options = {.connections_max = 16};
	struct court *court = calloc(1, sizeof(*court));

	cluster_make(&court->cluster);
	assert_int_equal(judge_new(&options, &court->judge), 0);
	judge_set_policy(court->judge, court->cluster.ir, 1);
	court->now_ns = START_NS;
	*state = court;
	return 0;
}

static int teardown(void **state)
{
	struct court *court = *state;

	judge_free(court->judge);
	cluster_clear(&court->cluster);
	free(court);
	return 0;
}

static void assert_judged(struct court *court, const struct capture_packet *packet,
	const struct judge_sender *sender, enum reason reason)
{
	struct judgement judgement;
	char text[256];

	assert_int_equal(judge_packet(court->judge, packet, sender, &judgement), 0);
	if (judgement.reason != reason)
		fail_msg("expected reason %d: %s", (int)reason,
			judgement_format(&judgement, text, sizeof(text)));
}

static void assert_tcp(struct court *court, const char *source, uint16_t source_port,
	const char *destination, uint16_t port, uint8_t flags, enum reason reason)
{
	court->now_ns += SECOND / 100;
	assert_judged(court,
		frame_tcp(&court->frame, source, source_port, destination, port, flags,
			court->now_ns),
		NULL, reason);
}

static void test_policy_decides(void **state)
{
	struct court *court = *state;
	struct judgement judgement;
	char text[256];

	assert_tcp(court, WEB, 40000, API, 80, TH_SYN, REASON_POLICY_ALLOWED);
	assert_tcp(court, API, 80, WEB, 40000, TH_SYN | TH_ACK, REASON_ESTABLISHED);
	assert_tcp(court, WEB, 40000, API, 80, TH_ACK, REASON_ESTABLISHED);
	assert_tcp(court, WEB, 40001, API, 81, TH_SYN, REASON_POLICY_DENIED);
	assert_tcp(court, DB, 40001, API, 80, TH_SYN, REASON_POLICY_DENIED);
	judge_packet(court->judge, &court->frame.packet, NULL, &judgement);
	assert_string_equal(judgement_format(&judgement, text, sizeof(text)),
		"denied: policy_denied, ingress: no rule of SegmentPolicy shop/api allows");
}

static void test_an_answer_opens_nothing(void **state)
{
	struct court *court = *state;

	assert_tcp(court, API, 80, WEB, 40000, TH_ACK, REASON_NO_CONNECTION);
	assert_tcp(court, WEB, 40000, API, 80, TH_SYN, REASON_POLICY_ALLOWED);
	/* The other way, on the same ports: a connection of its own. */
	assert_tcp(court, API, 80, WEB, 40000, TH_SYN, REASON_POLICY_ALLOWED);
	assert_judged(court, frame_udp(&court->frame, API, 53, DB, 40000, court->now_ns), NULL,
		REASON_POLICY_ALLOWED);
	assert_judged(court, frame_udp(&court->frame, DB, 40000, API, 53, court->now_ns), NULL,
		REASON_ESTABLISHED);
	assert_judged(court, frame_udp(&court->frame, DB, 40001, API, 53, court->now_ns), NULL,
		REASON_POLICY_DENIED);
}

static void test_what_stood_before(void **state)
{
	struct court *court = *state;
	const struct capture_packet *packet =
		frame_tcp(&court->frame, WEB, 40000, API, 80, TH_SYN, START_NS);

	assert_int_equal(judge_add_connection(court->judge, &packet->ends, START_NS), 0);
	assert_tcp(court, API, 80, WEB, 40000, TH_ACK, REASON_ESTABLISHED);
	assert_tcp(court, API, 80, WEB, 40001, TH_ACK, REASON_NO_CONNECTION);
	judge_doubt(court->judge);
	assert_tcp(court, API, 80, WEB, 40001, TH_ACK, REASON_ADOPTED);
	assert_tcp(court, API, 81, WEB, 40001, TH_ACK, REASON_POLICY_DENIED);
}

/* As an agent that has just started does, for so long and no longer. */
static void test_what_is_adopted_until_then(void **state)
{
	struct court *court = *state;
	const struct judge_options options = {
		.connections_max = 16, .adopts_until_ns = START_NS + SECOND};

	judge_free(court->judge);
	assert_int_equal(judge_new(&options, &court->judge), 0);
	judge_set_policy(court->judge, court->cluster.ir, 1);
	assert_tcp(court, API, 80, WEB, 40000, TH_ACK, REASON_ADOPTED);
	assert_tcp(court, API, 81, WEB, 40000, TH_ACK, REASON_POLICY_DENIED);
	court->now_ns = START_NS + SECOND;
	assert_tcp(court, API, 80, WEB, 40001, TH_ACK, REASON_NO_CONNECTION);
	assert_tcp(court, API, 80, WEB, 40000, TH_ACK, REASON_ESTABLISHED);
}

static void test_another_policy_cuts(void **state)
{
	struct court *court = *state;
	struct document_list none = {0};
	const struct ir_options deny = {.posture = POSTURE_DENY};
	struct error error = ERROR_INIT;
	struct ir *ir;

	assert_tcp(court, WEB, 40000, API, 80, TH_SYN, REASON_POLICY_ALLOWED);
	assert_int_equal(ir_compile(&none, court->cluster.model, &deny, &ir, &error), 0);
	judge_set_policy(court->judge, ir, 2);
	assert_tcp(court, WEB, 40000, API, 80, TH_ACK, REASON_REVOKED);
	assert_tcp(court, WEB, 40000, API, 80, TH_ACK, REASON_NO_CONNECTION);
	judge_set_policy(court->judge, court->cluster.ir, 3);
	ir_free(ir);
}

/* Whom it was taken for, while it did not matter, is nothing that a policy goes by. */
static void test_another_policy_cuts_what_was_guessed(void **state)
{
	struct court *court = *state;
	const struct judge_options options = {
		.connections_max = 16, .adopts_until_ns = START_NS + SECOND};
	struct document_list none = {0};
	const struct ir_options allow = {.posture = POSTURE_ALLOW};
	struct error error = ERROR_INIT;
	struct ir *ir;

	assert_int_equal(ir_compile(&none, court->cluster.model, &allow, &ir, &error), 0);
	judge_free(court->judge);
	assert_int_equal(judge_new(&options, &court->judge), 0);
	judge_set_policy(court->judge, ir, 1);
	assert_tcp(court, API, 3000, DB, 4000, TH_ACK, REASON_ADOPTED);
	assert_tcp(court, API, 80, WEB, 4000, TH_ACK, REASON_ADOPTED);
	court->now_ns = START_NS + SECOND;
	judge_set_policy(court->judge, court->cluster.ir, 2);
	ir_free(ir);
	assert_tcp(court, API, 80, WEB, 4000, TH_ACK, REASON_ESTABLISHED);
	assert_tcp(court, API, 3000, DB, 4000, TH_ACK, REASON_REVOKED);
	assert_tcp(court, DB, 4000, API, 3000, TH_ACK, REASON_NO_CONNECTION);
}

static void test_who_lies(void **state)
{
	struct court *court = *state;
	struct address address;
	struct judge_sender sender = {
		.mac = {2, 0, 10, 0, 0, 1}, .addresses = &address, .addresses_count = 1};

	address_parse(WEB, &address);
	frame_tcp(&court->frame, WEB, 40000, API, 80, TH_SYN, START_NS);
	assert_judged(court, &court->frame.packet, &sender, REASON_POLICY_ALLOWED);
	frame_tcp(&court->frame, DB, 40000, API, 80, TH_SYN, START_NS);
	assert_judged(court, &court->frame.packet, &sender, REASON_SPOOFED_MAC);
	memcpy(court->frame.bytes + 6, sender.mac, 6);
	frame_finish(&court->frame, START_NS);
	assert_judged(court, &court->frame.packet, &sender, REASON_SPOOFED_SOURCE);
	frame_udp(&court->frame, WEB, 67, DB, 68, START_NS);
	assert_judged(court, &court->frame.packet, &sender, REASON_DHCP_SERVER);
}

static void test_form(void **state)
{
	struct court *court = *state;
	struct frame *frame = &court->frame;

	frame_tcp(frame, WEB, 40000, API, 80, TH_SYN, START_NS);
	frame->bytes[46] = 0x20; /* a TCP header of 8 bytes */
	frame_finish(frame, START_NS);
	assert_judged(court, &frame->packet, NULL, REASON_MALFORMED);
	frame_tcp(frame, WEB, 40000, API, 80, TH_SYN, START_NS);
	frame->bytes[12] = 0x88;
	frame_finish(frame, START_NS);
	assert_judged(court, &frame->packet, NULL, REASON_UNSUPPORTED_ETHERTYPE);
	/* What the capture has cut off is no fault of the packet. */
	frame_tcp(frame, DB, 40000, API, 80, TH_SYN, START_NS);
	frame->packet.captured = 40;
	packet_parse(&frame->packet, CAPTURE_LINK_ETHERNET);
	assert_true(frame->packet.cut);
	assert_judged(court, &frame->packet, NULL, REASON_POLICY_ALLOWED);
}

static void test_neighbours_are_on_the_link(void **state)
{
	static const struct {
		const char *to;
		uint8_t type, limit;
		enum reason reason;
	} rows[] = {
		{"2001:db8::1", 135, 255, REASON_NEIGHBOUR},
		{"2001:db8::1", 135, 254, REASON_MALFORMED},
		{"ff02::16", 143, 1, REASON_NEIGHBOUR},
		{"ff02::16", 143, 64, REASON_MALFORMED},
		{"ff02::1", 130, 255, REASON_MALFORMED},
		{"2001:db8::1", 130, 1, REASON_MALFORMED},
	};
	struct court *court = *state;
	struct capture_packet *packet = &court->frame.packet;
	struct address to;

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		frame_udp(&court->frame, WEB, 40000, API, 53, START_NS);
		packet->kind = PACKET_NEIGHBOUR;
		packet->ethertype = 0x86dd;
		packet->ends.type_code = (uint16_t)(rows[i].type << 8);
		packet->hop_limit = rows[i].limit;
		assert_int_equal(address_parse(rows[i].to, &to), 0);
		memcpy(packet->ends.destination, to.bytes, sizeof(to.bytes));
		assert_judged(court, packet, NULL, rows[i].reason);
	}
}

static void test_fragments_follow(void **state)
{
	struct court *court = *state;
	struct frame *frame = &court->frame;

	for (int refused = 0; refused < 2; refused++) {
		frame_udp(frame, refused ? DB : WEB, 40000, API, 53, START_NS);
		frame->bytes[18] = (uint8_t)refused; /* identification */
		frame->bytes[20] = 0x20;             /* more follow */
		frame_finish(frame, START_NS);
		assert_judged(court, &frame->packet, NULL,
			refused ? REASON_POLICY_DENIED : REASON_POLICY_ALLOWED);
		frame->bytes[20] = 0;
		frame->bytes[21] = 1; /* 8 bytes on */
		frame_finish(frame, START_NS);
		assert_judged(court, &frame->packet, NULL,
			refused ? REASON_FRAGMENT_WITHOUT_FIRST : REASON_ESTABLISHED);
	}
}

static void test_errors_relate(void **state)
{
	struct court *court = *state;
	struct frame carried, *frame = &court->frame;
	uint8_t error[8 + 28] = {ICMP_UNREACH, ICMP_UNREACH_PORT};

	frame_udp(&carried, WEB, 40000, API, 53, START_NS);
	memcpy(error + 8, carried.bytes + 14, 28);
	frame_ipv4(frame, API, WEB, IPPROTO_ICMP, error, sizeof(error));
	frame_finish(frame, START_NS);
	assert_judged(court, &frame->packet, NULL, REASON_UNRELATED_ICMP_ERROR);
	assert_judged(court, &carried.packet, NULL, REASON_POLICY_ALLOWED);
	assert_judged(court, &frame->packet, NULL, REASON_RELATED);
}

static void test_connections_are_bounded(void **state)
{
	struct court *court = *state;

	for (uint16_t port = 1; port <= 100; port++)
		assert_tcp(court, WEB, (uint16_t)(40000 + port), API, 80, TH_SYN,
			REASON_POLICY_ALLOWED);
	assert_int_equal(tracker_count(judge_tracker(court->judge)), 16);
	assert_int_equal(tracker_evicted(judge_tracker(court->judge)), 84);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_policy_decides),
		TEST(test_an_answer_opens_nothing),
		TEST(test_what_stood_before),
		TEST(test_what_is_adopted_until_then),
		TEST(test_another_policy_cuts),
		TEST(test_another_policy_cuts_what_was_guessed),
		TEST(test_who_lies),
		TEST(test_form),
		TEST(test_neighbours_are_on_the_link),
		TEST(test_fragments_follow),
		TEST(test_errors_relate),
		TEST(test_connections_are_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
