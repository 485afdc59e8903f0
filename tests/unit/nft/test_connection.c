/* SPDX-License-Identifier: GPL-2.0-or-later */
/* An entry of conntrack that took the place, and with it the id, of one that is known. */
#include "tracked.h"

static void collect(struct tracked *tracked, unsigned int updates)
{
	struct error error = ERROR_INIT;

	assert_int_equal(connections_collect(tracked->connections, &error), 0);
	assert_int_equal(tracked_count(tracked, FLOW_UPDATE), updates);
}

static struct connection *known(struct tracked *tracked, const char *setting)
{
	char command[80];

	snprintf(command, sizeof(command), "sysctl -qw net.netfilter.%s=1 2>&1", setting);
	assert_int_equal(fixture_run(command), 0);
	tracked_begin(TRACKED_API, TRACKED_DB);
	collect(tracked, 1);
	collect(tracked, 2);
	return tracked->connections->items;
}

/* Nothing of the one that is there now is said of the one before, of which the end comes yet. */
static void expect_replaced(struct tracked *tracked)
{
	collect(tracked, 2);
	tracked_end(TRACKED_API);
	connections_read(tracked->connections);
	assert_int_equal(tracked_count(tracked, FLOW_END), 1);
	assert_int_equal(connections_count(tracked->connections), 0);
}

static void test_a_later_start_tells(void **state)
{
	known(*state, "nf_conntrack_timestamp")->start_ns -= 1000;
	expect_replaced(*state);
}

static void test_counters_that_went_back_tell(void **state)
{
	known(*state, "nf_conntrack_acct")->packets[1] = 1;
	expect_replaced(*state);
}

/* Heard of late, its own start says nothing: what began after all was read may be the next one. */
static void test_what_may_be_the_next_one_waits(void **state)
{
	struct tracked *tracked = *state;
	struct connections *connections = tracked->connections;
	uint64_t drained_ns = connections->drained_ns;

	known(tracked, "nf_conntrack_timestamp");
	connections->items->start_ns = UINT64_MAX;
	connections->drained_ns = drained_ns;
	connections->reading = true; /* so that nothing is read meanwhile */
	collect(tracked, 2);
	assert_int_equal(connections_count(connections), 1);
	connections->reading = false;
	collect(tracked, 3);
}

static void test_the_unknown_waits_likewise(void **state)
{
	struct tracked *tracked = *state;
	struct connections *connections = tracked->connections;

	known(tracked, "nf_conntrack_timestamp");
	connections_drop(connections, connections->items);
	connections->drained_ns = 1;
	connections->reading = true;
	collect(tracked, 2);
	assert_int_equal(connections_count(connections), 0);
	connections->reading = false;
	collect(tracked, 3);
	assert_int_equal(connections_count(connections), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			test_a_later_start_tells, tracked_set_up, tracked_tear_down),
		cmocka_unit_test_setup_teardown(
			test_counters_that_went_back_tell, tracked_set_up, tracked_tear_down),
		cmocka_unit_test_setup_teardown(
			test_what_may_be_the_next_one_waits, tracked_set_up, tracked_tear_down),
		cmocka_unit_test_setup_teardown(
			test_the_unknown_waits_likewise, tracked_set_up, tracked_tear_down),
	};

	if (geteuid() != 0) {
		print_message("skipped: needs root for network namespaces\n");
		return 0;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
