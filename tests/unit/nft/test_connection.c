/* SPDX-License-Identifier: GPL-2.0-or-later */
/* An entry of conntrack that took the place, and with it the id, of one that is known. */
#include "tracked.h"

static void collect(struct tracked *tracked, unsigned int updates)
{
	struct error error = ERROR_INIT;

	assert_int_equal(connections_collect(tracked->connections, &error), 0);
	assert_int_equal(tracked_count(tracked, FLOW_UPDATE), updates);
}

static void set(const char *setting)
{
	char command[80];

	snprintf(command, sizeof(command), "sysctl -qw net.netfilter.%s=1 2>&1", setting);
	assert_int_equal(fixture_run(command), 0);
}

/* Without counters: each listing may tell news of it. */
static struct connection *known(struct tracked *tracked)
{
	set("nf_conntrack_timestamp");
	tracked_begin(TRACKED_API, TRACKED_DB);
	collect(tracked, 1);
	collect(tracked, 2);
	return tracked->connections->items;
}

/* With counters, that were told by its beginning. */
static struct connection *counted(struct tracked *tracked)
{
	set("nf_conntrack_acct");
	tracked_begin(TRACKED_API, TRACKED_DB);
	collect(tracked, 0);
	assert_int_equal(tracked_count(tracked, FLOW_NEW), 1);
	return tracked->connections->items;
}

/* Nothing of the one that is there now is said of the one before, of which the end comes yet. */
static void expect_replaced(struct tracked *tracked, unsigned int updates)
{
	collect(tracked, updates);
	tracked_end(TRACKED_API);
	connections_read(tracked->connections);
	assert_int_equal(tracked_count(tracked, FLOW_END), 1);
	assert_int_equal(connections_count(tracked->connections), 0);
}

static void test_a_later_start_tells(void **state)
{
	known(*state)->start_ns -= 1000;
	expect_replaced(*state, 2);
}

static void test_counters_that_went_back_tell(void **state)
{
	counted(*state)->packets[1] = 1;
	expect_replaced(*state, 0);
}

static void test_what_rests_is_told_once(void **state)
{
	struct tracked *tracked = *state;
	struct connection *connection = counted(tracked);

	connection->reported = false; /* as by a listing that reported nothing */
	collect(tracked, 1);
	collect(tracked, 1);
}

/* It is from before the agent, and the listing that found it had another purpose. */
static void test_what_was_only_met_is_told(void **state)
{
	struct tracked *tracked = *state;

	set("nf_conntrack_acct");
	assert_int_equal(fixture_run("echo 0 >/proc/sys/net/netfilter/nf_conntrack_events"), 0);
	tracked_begin(TRACKED_API, TRACKED_DB);
	tracked->connections->opened_ns = UINT64_MAX;
	assert_int_equal(connections_revoke(tracked->connections, NULL, NULL), 0);
	assert_int_equal(connections_count(tracked->connections), 1);
	assert_int_equal(tracked->count, 0);
	collect(tracked, 1);
	collect(tracked, 1);
}

/* Heard of late, its own start says nothing: what began after all was read may be the next one. */
static void test_what_may_be_the_next_one_waits(void **state)
{
	struct tracked *tracked = *state;
	struct connections *connections = tracked->connections;
	uint64_t drained_ns = connections->drained_ns;

	known(tracked);
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

	known(tracked);
	connections_drop(connections, connections->items);
	connections->drained_ns = 1;
	connections->reading = true;
	collect(tracked, 2);
	assert_int_equal(connections_count(connections), 0);
	connections->reading = false;
	collect(tracked, 2);
	assert_int_equal(tracked_count(tracked, FLOW_NEW), 2);
	assert_int_equal(connections_count(connections), 1);
}

static uint64_t lasting_id(const struct connection *connection)
{
	return connection_event(connection, FLOW_UPDATE, 0).lasting_id;
}

static void test_the_next_agent_calls_it_the_same(void **state)
{
	struct tracked *tracked = *state;
	struct connections *connections = tracked->connections;
	const struct connection *connection = known(tracked);
	uint64_t id = connection->id, lasting = lasting_id(connection);
	struct connection other;

	/* As who has just come: it is met in a listing. */
	connections_drop(connections, connections->items);
	connections->drained_ns = UINT64_MAX;
	collect(tracked, 2);
	assert_int_equal(connections_count(connections), 1);
	other = *connections->items;
	assert_true(other.id != id);
	assert_true(lasting_id(&other) == lasting);
	/* The next one in its place has another. */
	other.start_ns++;
	assert_true(lasting_id(&other) != lasting);
	other = *connections->items;
	other.key.source_port++;
	assert_true(lasting_id(&other) != lasting);
	/* Where conntrack does not say when it began, each agent thinks its own. */
	other = *connections->items;
	other.dated = false;
	lasting = lasting_id(&other);
	other.start_ns++;
	assert_true(lasting_id(&other) == lasting);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			test_a_later_start_tells, tracked_set_up, tracked_tear_down),
		cmocka_unit_test_setup_teardown(
			test_the_next_agent_calls_it_the_same, tracked_set_up, tracked_tear_down),
		cmocka_unit_test_setup_teardown(
			test_counters_that_went_back_tell, tracked_set_up, tracked_tear_down),
		cmocka_unit_test_setup_teardown(
			test_what_rests_is_told_once, tracked_set_up, tracked_tear_down),
		cmocka_unit_test_setup_teardown(
			test_what_was_only_met_is_told, tracked_set_up, tracked_tear_down),
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
