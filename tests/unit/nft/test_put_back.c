/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Entries that somebody else deletes of connections that go on. */
#include "tracked.h"

/* One that began with a SYN. */
static void open_one(uint16_t source_port, uint8_t tcp_state)
{
	tracked_enter(TRACKED_API, source_port, TRACKED_DB, 5432, tcp_state,
		IP_CT_TCP_FLAG_SACK_PERM | IP_CT_TCP_FLAG_WINDOW_SCALE);
}

/* What somebody's deletion of all that source has leads to. */
static void delete_of(struct tracked *tracked, const char *source)
{
	connections_read(tracked->connections);
	tracked_end(source);
	connections_read(tracked->connections); /* the end … */
	connections_read(tracked->connections); /* … and what that led to */
}

static void expect_gone(struct tracked *tracked, const char *source)
{
	delete_of(tracked, source);
	assert_false(tracked_is_there(source));
	assert_int_equal(connections_count(tracked->connections), 0);
	assert_int_equal(tracked_count(tracked, FLOW_END), 1);
}

static void test_an_allowed_one_goes_on(void **state)
{
	struct tracked *tracked = *state;
	const struct connection *connection;

	open_one(40000, TCP_CONNTRACK_ESTABLISHED);
	for (unsigned int i = 1; i < 3; i++) {
		delete_of(tracked, TRACKED_API);
		assert_true(tracked_is_there(TRACKED_API));
		assert_int_equal(tracked_count(tracked, FLOW_END), i);
		assert_int_equal(tracked_count(tracked, FLOW_NEW), i + 1);
		assert_int_equal(tracked_last(tracked)->reason, REASON_ADOPTED);
		assert_int_equal(tracked_last(tracked)->tcp_flags, 0);
	}
	connection = connections_first(tracked->connections);
	assert_non_null(connection);
	assert_true(connection->put_back && !connection->picked_up);
	assert_int_equal(connection->tcp_state, TCP_CONNTRACK_ESTABLISHED);
}

static void test_what_is_supposed_stays_so(void **state)
{
	struct tracked *tracked = *state;
	const struct connection *connection;

	tracked_pick_up(TRACKED_DB, 5432, TRACKED_API, 40000);
	delete_of(tracked, TRACKED_DB);
	assert_true(tracked_is_there(TRACKED_DB));
	connection = connections_first(tracked->connections);
	assert_non_null(connection);
	assert_true(connection->picked_up && connection->turned && !connection->put_back);
}

static void test_a_refused_one_does_not(void **state)
{
	struct tracked *tracked = *state;

	open_one(40000, TCP_CONNTRACK_ESTABLISHED);
	connections_read(tracked->connections);
	connections_set_ir(tracked->connections, tracked->closed); /* nothing was cut yet */
	expect_gone(tracked, TRACKED_API);
}

static void test_nor_what_the_agent_cuts(void **state)
{
	struct tracked *tracked = *state;

	open_one(40000, TCP_CONNTRACK_ESTABLISHED);
	connections_read(tracked->connections);
	connections_set_ir(tracked->connections, tracked->closed);
	assert_int_equal(connections_revoke(tracked->connections, NULL, NULL), 0);
	connections_set_ir(tracked->connections, tracked->ir);
	connections_read(tracked->connections);
	connections_read(tracked->connections);
	assert_false(tracked_is_there(TRACKED_API));
}

static void test_nor_what_needs_no_entry(void **state)
{
	struct tracked *tracked = *state;

	/* What nobody answers but a reset, and what begins anew with its next packet. */
	open_one(40000, TCP_CONNTRACK_TIME_WAIT);
	expect_gone(tracked, TRACKED_API);
	tracked_ask(TRACKED_API);
	delete_of(tracked, TRACKED_API);
	assert_false(tracked_is_there(TRACKED_API));
	assert_int_equal(tracked_count(tracked, FLOW_END), 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			test_an_allowed_one_goes_on, tracked_set_up, tracked_tear_down),
		cmocka_unit_test_setup_teardown(
			test_what_is_supposed_stays_so, tracked_set_up, tracked_tear_down),
		cmocka_unit_test_setup_teardown(
			test_a_refused_one_does_not, tracked_set_up, tracked_tear_down),
		cmocka_unit_test_setup_teardown(
			test_nor_what_the_agent_cuts, tracked_set_up, tracked_tear_down),
		cmocka_unit_test_setup_teardown(
			test_nor_what_needs_no_entry, tracked_set_up, tracked_tear_down),
	};

	if (geteuid() != 0) {
		return 0;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
