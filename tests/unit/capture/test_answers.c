// SPDX-License-Identifier: GPL-2.0-or-later
#include "fixture.h"

#include "capture/answers.h"

#include <netinet/ip_icmp.h>

#define WEB "10.0.0.1"
#define DB  "10.0.0.3"

static void test_a_reset(void **state)
{
	struct answers answers = {0};
	struct frame frame;

	(void)state;
	answers_note(&answers, frame_tcp(&frame, WEB, 40000, DB, 5432, TH_SYN, START_NS));
	assert_true(answers_have(
		&answers, frame_tcp(&frame, DB, 5432, WEB, 40000, TH_RST | TH_ACK, START_NS)));
	assert_false(
		answers_have(&answers, frame_tcp(&frame, DB, 5432, WEB, 40000, TH_ACK, START_NS)));
	assert_false(
		answers_have(&answers, frame_tcp(&frame, DB, 5432, WEB, 40001, TH_RST, START_NS)));
	assert_false(
		answers_have(&answers, frame_tcp(&frame, WEB, 40000, DB, 5432, TH_RST, START_NS)));
}

static void test_an_icmp_error(void **state)
{
	uint8_t error[8 + 28] = {ICMP_UNREACH, ICMP_UNREACH_FILTER_PROHIB};
	struct answers answers = {0};
	struct frame refused, frame;

	(void)state;
	frame_udp(&refused, WEB, 40000, DB, 53, START_NS);
	memcpy(error + 8, refused.bytes + 14, 28);
	frame_ipv4(&frame, DB, WEB, IPPROTO_ICMP, error, sizeof(error));
	frame_finish(&frame, START_NS);
	assert_false(answers_have(&answers, &frame.packet));
	answers_note(&answers, &refused.packet);
	assert_true(answers_have(&answers, &frame.packet));
}

static void test_the_last_ones(void **state)
{
	struct answers answers = {0};
	struct frame frame;

	(void)state;
	for (uint16_t port = 1; port <= ANSWERS_MAX + 1; port++)
		answers_note(&answers, frame_tcp(&frame, WEB, port, DB, 5432, TH_SYN, START_NS));
	assert_false(answers_have(&answers, frame_tcp(&frame, DB, 5432, WEB, 1, TH_RST, START_NS)));
	for (uint16_t port = 2; port <= ANSWERS_MAX + 1; port++)
		assert_true(answers_have(
			&answers, frame_tcp(&frame, DB, 5432, WEB, port, TH_RST, START_NS)));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_reset),
		cmocka_unit_test(test_an_icmp_error),
		cmocka_unit_test(test_the_last_ones),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
