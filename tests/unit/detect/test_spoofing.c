// SPDX-License-Identifier: GPL-2.0-or-later
#include "stage.h"

/* The packet says that it is from `claimed`; it came from an interface and a MAC. */
static void play(struct stage *stage, double second, const char *claimed, const char *interface,
	uint8_t mac, enum flow_event_type type, enum reason reason, uint64_t packets)
{
	struct record record = stage_record(stage, second, claimed, "db", 80, type);

	record.event.reason = reason;
	record.event.source_mac[5] = mac;
	record.event.packets[0] = packets;
	if (interface)
		record.interface = name_new(NULL, json_string(interface));
	stage_play(stage, record);
}

static void who_lies_is_named_by_his_interface(void **state)
{
	struct stage stage;

	(void)state;
	stage_open(&stage, &spoofing_detector);
	play(&stage, 0, "web", "ve7", 7, FLOW_NEW, REASON_POLICY_ALLOWED, 1);
	play(&stage, 1, "api", "ve7", 9, FLOW_DENIED, REASON_SPOOFED_ARP, 1);
	assert_int_equal(stage.worst, SEVERITY_LOW);
	assert_string_equal(stage.actor, "shop/web");
	play(&stage, 2, "api", "ve7", 9, FLOW_DENIED, REASON_SPOOFED_ARP, 2);
	assert_int_equal(stage.worst, SEVERITY_MEDIUM);
	play(&stage, 3, "api", "ve7", 9, FLOW_DENIED, REASON_SPOOFED_ARP, 40);
	assert_int_equal(stage.worst, SEVERITY_HIGH);
	assert_string_equal(stage.last.technique, "T1557.002");
	assert_int_equal(stage.kinds, 1);
	stage_close(&stage);
}

static void or_by_his_mac(void **state)
{
	struct stage stage;

	(void)state;
	stage_open(&stage, &spoofing_detector);
	play(&stage, 0, "web", NULL, 7, FLOW_NEW, REASON_POLICY_ALLOWED, 1);
	play(&stage, 1, "api", "ve7", 7, FLOW_DENIED, REASON_SPOOFED_SOURCE, 5);
	assert_string_equal(stage.actor, "shop/web");
	stage_close(&stage);
}

/* Nobody is accused in the place of one whom we do not know. */
static void a_stranger_stays_one(void **state)
{
	struct stage stage;

	(void)state;
	stage_open(&stage, &spoofing_detector);
	play(&stage, 1, "api", "ve7", 7, FLOW_DENIED, REASON_SPOOFED_SOURCE, 5);
	assert_string_equal(stage.actor, "unknown");
	stage_close(&stage);
}

static void an_accident_a_day_stays_one(void **state)
{
	struct stage stage;

	(void)state;
	stage_open(&stage, &spoofing_detector);
	for (int day = 0; day < 60; day++)
		play(&stage, day * 86400, "api", "ve7", 9, FLOW_DENIED, REASON_SPOOFED_ARP, 1);
	assert_int_equal(stage.worst, SEVERITY_LOW);
	assert_int_equal(stage.last.count, 1);
	assert_int_equal(stage.last.evidence_count, 1);
	/* Not so where no window passes without one. */
	for (int half = 0; half < 60; half++)
		play(&stage, 90 * 86400 + half * 1800, "api", "ve7", 9, FLOW_DENIED,
			REASON_SPOOFED_ARP, 1);
	assert_int_equal(stage.worst, SEVERITY_HIGH);
	stage_close(&stage);
}

static void other_refusals_are_not(void **state)
{
	struct stage stage;

	(void)state;
	stage_open(&stage, &spoofing_detector);
	play(&stage, 1, "web", "ve7", 7, FLOW_DENIED, REASON_POLICY_DENIED, 500);
	play(&stage, 2, "web", "ve7", 7, FLOW_DENIED, REASON_NO_CONNECTION, 500);
	assert_int_equal(stage.found, 0);
	stage_close(&stage);
}

static void what_is_remembered_is_bounded(void **state)
{
	struct stage stage;
	char text[32];

	(void)state;
	stage_open(&stage, &spoofing_detector);
	for (int i = 0; i < 40000; i++) {
		snprintf(text, sizeof(text), "ve%d", i);
		play(&stage, i, "web", text, 7, i % 2 ? FLOW_NEW : FLOW_DENIED,
			i % 2 ? REASON_POLICY_ALLOWED : REASON_SPOOFED_MAC, 1);
	}
	assert_true(stage_state(&stage, "entries") <= stage_state(&stage, "size"));
	assert_true(stage_state(&stage, "evicted") > 0);
	stage_close(&stage);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(who_lies_is_named_by_his_interface),
		cmocka_unit_test(or_by_his_mac),
		cmocka_unit_test(a_stranger_stays_one),
		cmocka_unit_test(an_accident_a_day_stays_one),
		cmocka_unit_test(other_refusals_are_not),
		cmocka_unit_test(what_is_remembered_is_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
