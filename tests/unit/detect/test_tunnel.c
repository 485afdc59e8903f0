// SPDX-License-Identifier: GPL-2.0-or-later
#include "stage.h"

/* A flow that has had so many packets each way, of such sizes without headers, when it is told. */
static void flow(struct stage *stage, double second, double lasts, const char *from,
	uint8_t protocol, uint64_t sent, uint64_t sent_bytes, uint64_t received,
	uint64_t received_bytes)
{
	struct record record = stage_record(stage, second, from, "203.0.113.53", 53, FLOW_UPDATE);

	record.event.start_ns -= (uint64_t)(lasts * (double)SECOND);
	record.event.protocol = protocol;
	record.event.icmp_type = protocol == IPPROTO_ICMP ? 8 : 0;
	record.event.packets[0] = sent;
	record.event.packets[1] = received;
	record.event.bytes[0] = sent * (28 + sent_bytes);
	record.event.bytes[1] = received * (28 + received_bytes);
	stage_play(stage, record);
}

static void long_questions_are_found(void **state)
{
	struct stage stage;

	(void)state;
	stage_open(&stage, &tunnel_detector);
	flow(&stage, 0, 0, "web", IPPROTO_UDP, 40, 170, 40, 200);
	assert_int_equal(stage.found, 0);
	flow(&stage, 10, 0, "web", IPPROTO_UDP, 40, 170, 40, 200);
	assert_string_equal(stage.last.technique, "T1071.004");
	assert_int_equal(stage.worst, SEVERITY_MEDIUM);
	stage_close(&stage);
}

static void long_answers_to_one_socket_are_found(void **state)
{
	struct stage stage;

	(void)state;
	stage_open(&stage, &tunnel_detector);
	flow(&stage, 0, 0, "web", IPPROTO_UDP, 900, 50, 900, 1200);
	assert_int_equal(stage.worst, SEVERITY_HIGH);
	stage_close(&stage);
}

/* One question from each socket, so that no flow is long. */
static void ask(struct stage *stage, double second, uint16_t longest_name, uint16_t entropy)
{
	struct record record = stage_record(stage, second, "web", "203.0.113.53", 53, FLOW_END);

	record.event.protocol = IPPROTO_UDP;
	record.event.packets[1] = 1;
	record.event.bytes[0] = record.event.bytes[1] = 80;
	record.observed.dns = (struct flow_dns){.queries = 1,
		.answers = 1,
		.unique_names = 1,
		.longest_name = longest_name,
		.entropy = entropy};
	stage_play(stage, record);
}

static void long_names_are_found(void **state)
{
	struct stage stage;

	(void)state;
	stage_open(&stage, &tunnel_detector);
	for (int i = 0; i < 40; i++) {
		ask(&stage, i, 25, 380);
		ask(&stage, i, 100, 390);
		ask(&stage, i, 30, 480);
	}
	assert_int_equal(stage.found, 0);
	for (int i = 0; i < 20; i++)
		ask(&stage, 40 + i, 120, 460);
	assert_string_equal(stage.last.technique, "T1071.004");
	stage_close(&stage);
}

static void replies_that_are_none_are_found(void **state)
{
	struct stage stage;

	(void)state;
	stage_open(&stage, &tunnel_detector);
	flow(&stage, 0, 0, "web", IPPROTO_ICMP, 18, 230, 93, 750);
	assert_string_equal(stage.last.technique, "T1095");
	stage_close(&stage);
	stage_open(&stage, &tunnel_detector);
	flow(&stage, 0, 0, "web", IPPROTO_ICMP, 500, 1300, 500, 1300); /* in no time */
	assert_true(stage.found);
	stage_close(&stage);
}

/* One flow, told every 10 s for ten minutes with so many more each time, of that many bytes.
 * Returns how often it was found behind its first window. */
static size_t lasting(struct stage *stage, uint8_t protocol, uint64_t each, uint64_t bytes)
{
	size_t early = 0;

	stage_play(stage, stage_record(stage, 0, "web", "203.0.113.53", 53, FLOW_NEW));
	for (int second = 10; second <= 600; second += 10) {
		uint64_t packets = each * (uint64_t)second / 10;
		struct record record = stage_later(stage, second, 0, "web", "203.0.113.53", 53,
			FLOW_UPDATE, (uint64_t[]){packets, packets},
			(uint64_t[]){packets * (28 + bytes), packets * (28 + bytes)});

		record.event.protocol = protocol;
		record.event.icmp_type = protocol == IPPROTO_ICMP ? 8 : 0;
		stage_play(stage, record);
		if (second == 150)
			early = stage->found;
	}
	return stage->found - early;
}

static void a_flow_older_than_the_window_is_found(void **state)
{
	struct stage stage;

	(void)state;
	stage_open(&stage, &tunnel_detector);
	assert_true(lasting(&stage, IPPROTO_UDP, 10, 170));
	assert_true(stage.last.evidence_count > 0);
	stage_close(&stage);
	stage_open(&stage, &tunnel_detector);
	assert_true(lasting(&stage, IPPROTO_ICMP, 600, 1300));
	stage_close(&stage);
	/* Two long questions in ten seconds, and ten large pings a second, are none. */
	stage_open(&stage, &tunnel_detector);
	lasting(&stage, IPPROTO_UDP, 2, 170);
	lasting(&stage, IPPROTO_ICMP, 100, 1300);
	assert_int_equal(stage.found, 0);
	stage_close(&stage);
}

/* Thousands of short questions from ever new ports, long answers to some, a ping every second with
 * large packets, and a flood of lost ones. */
static void others_are_not(void **state)
{
	struct stage stage;

	(void)state;
	stage_open(&stage, &tunnel_detector);
	for (int i = 0; i < 3000; i++)
		flow(&stage, i * 0.01, 0, "crawler", IPPROTO_UDP, 1, 45, 1, 300);
	for (int i = 0; i < 200; i++)
		flow(&stage, i * 0.1, 0, "resolver", IPPROTO_UDP, 2, 60, 2, 1100);
	flow(&stage, 100, 100, "monitor", IPPROTO_ICMP, 100, 1400, 100, 1400);
	flow(&stage, 200, 100, "monitor", IPPROTO_ICMP, 400, 56, 3, 56);
	assert_int_equal(stage.found, 0);
	stage_close(&stage);
}

static void what_is_remembered_is_bounded(void **state)
{
	struct stage stage;
	char source[32];

	(void)state;
	stage_open(&stage, &tunnel_detector);
	for (int i = 0; i < 30000; i++) {
		snprintf(source, sizeof(source), "web%d", i);
		flow(&stage, i, 0, source, IPPROTO_UDP, 1, 40, 1, 100);
	}
	assert_true(stage_state(&stage, "entries") <= stage_state(&stage, "size"));
	assert_true(stage_state(&stage, "evicted") > 0);
	stage_close(&stage);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(long_questions_are_found),
		cmocka_unit_test(long_answers_to_one_socket_are_found),
		cmocka_unit_test(long_names_are_found),
		cmocka_unit_test(replies_that_are_none_are_found),
		cmocka_unit_test(a_flow_older_than_the_window_is_found),
		cmocka_unit_test(others_are_not),
		cmocka_unit_test(what_is_remembered_is_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
