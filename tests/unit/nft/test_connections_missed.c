// SPDX-License-Identifier: GPL-2.0-or-later
/* Connections whose announcements the kernel had no room for. */
#include "tracked.h"

#define MISSED 12

static void find(struct tracked *tracked)
{
	_cleanup_error_ struct error error = ERROR_INIT;

	connections_read(tracked->connections);
	assert_int_equal(connections_find_missed(tracked->connections, &error), 0);
}

static void begin_many(void)
{
	char source[] = "10.77.1.00";

	for (unsigned int i = 0; i < MISSED; i++) {
		snprintf(source, sizeof(source), "10.77.1.%u", 10 + i);
		tracked_begin(source, TRACKED_DB);
	}
}

static void test_what_was_missed_is_found_at_once(void **state)
{
	struct tracked *tracked = *state;
	uint64_t listings = tracked->connections->listings;

	tracked_begin(TRACKED_API, TRACKED_DB);
	find(tracked);
	assert_int_equal(tracked_count(tracked, FLOW_NEW), 1);
	assert_int_equal(tracked->connections->listings, listings); /* nothing was missed */

	tracked_deafen(tracked);
	tracked_end(TRACKED_API);
	begin_many();
	find(tracked);
	assert_true(tracked->connections->listings > listings);
	/* Policy allows none of these, whether or not their announcements came. */
	assert_int_equal(tracked_count(tracked, FLOW_END), 1 + MISSED);
	assert_false(tracked_is_there("10.77.1.20"));
}

static void test_listing_rests_in_a_storm(void **state)
{
	struct tracked *tracked = *state;
	uint64_t listings;

	tracked_deafen(tracked);
	begin_many();
	find(tracked);
	listings = tracked->connections->listings;
	find(tracked);
	assert_int_equal(tracked->connections->listings, listings); /* nothing new was missed */
	begin_many();
	tracked->connections->rested_ns = UINT64_MAX;
	find(tracked);
	assert_int_equal(tracked->connections->listings, listings); /* too soon */
	tracked->connections->rested_ns = 0;
	find(tracked);
	assert_true(tracked->connections->listings > listings);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			test_what_was_missed_is_found_at_once, tracked_set_up, tracked_tear_down),
		cmocka_unit_test_setup_teardown(
			test_listing_rests_in_a_storm, tracked_set_up, tracked_tear_down),
	};

	if (geteuid() != 0) {
		print_message("skipped: needs root for network namespaces\n");
		return 0;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
