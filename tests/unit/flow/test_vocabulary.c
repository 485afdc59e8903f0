// SPDX-License-Identifier: GPL-2.0-or-later
#include "fixture.h"

#include "flow/vocabulary.h"

#include <errno.h>

static void each_reason_has_a_word_of_its_own(void **state)
{
	enum reason parsed;

	(void)state;
	for (enum reason reason = 0; reason < REASON_COUNT; reason++) {
		assert_non_null(reason_sentence(reason));
		assert_int_equal(reason_parse(reason_name(reason), &parsed), 0);
		assert_int_equal(parsed, reason);
	}
	assert_int_equal(reason_parse("policy", &parsed), -EINVAL);
	assert_string_equal(reason_name(REASON_SPOOFED_ARP), "spoofed_arp");
}

static void verdicts_and_events_are_those_of_the_api(void **state)
{
	enum flow_verdict verdict;
	enum flow_event_type type;

	(void)state;
	assert_string_equal(flow_verdict_name(FLOW_REFUSED), "denied");
	assert_int_equal(flow_verdict_parse("audited", &verdict), 0);
	assert_int_equal(verdict, FLOW_AUDITED);
	assert_int_equal(flow_verdict_parse("refused", &verdict), -EINVAL);
	assert_string_equal(flow_event_type_name(FLOW_END), "end");
	assert_int_equal(flow_event_type_parse("gap", &type), 0);
	assert_int_equal(type, FLOW_GAP);
	assert_int_equal(flow_event_type_parse("", &type), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_reason_has_a_word_of_its_own),
		cmocka_unit_test(verdicts_and_events_are_those_of_the_api),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
