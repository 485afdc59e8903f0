/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tracked.h"

#define LONG_AGO_NS UINT64_C(3000000000)

static void take_in(struct tracked *tracked)
{
	struct connection *connection;

	connections_read(tracked->connections);
	for (connection = tracked->connections->items; connection; connection = connection->hh.next)
		connection->start_ns -= LONG_AGO_NS;
	tracked->count = 0;
}

static void tell(struct tracked *tracked)
{
	struct error error = ERROR_INIT;

	if (connections_tell_unanswered(tracked->connections, &error) < 0)
		fail_msg("%s", error_message(&error));
}

static void test_tells_of_each_once(void **state)
{
	struct tracked *tracked = *state;
	struct address api = fixture_address(TRACKED_API);

	tracked_ask(TRACKED_API);
	tracked_begin(TRACKED_API, TRACKED_DB);
	take_in(tracked);
	assert_int_equal(connections_count(tracked->connections), 2);
	for (unsigned int i = 0; i < 2; i++) {
		tell(tracked);
		assert_int_equal(tracked->count, 1);
		assert_int_equal(tracked_last(tracked)->type, FLOW_UPDATE);
		assert_int_equal(tracked_last(tracked)->destination_port, 5005);
		assert_true(address_equal(&tracked_last(tracked)->source, &api));
	}
}

static void test_waits_for_an_answer(void **state)
{
	struct tracked *tracked = *state;

	tracked_ask(TRACKED_API);
	connections_read(tracked->connections);
	tracked->count = 0;
	tell(tracked);
	assert_int_equal(tracked->count, 0);
	take_in(tracked);
	tell(tracked);
	assert_int_equal(tracked->count, 1);
}

static void test_asks_again_where_asking_failed(void **state)
{
	struct tracked *tracked = *state;
	int kept;

	tracked_ask(TRACKED_API);
	take_in(tracked);
	kept = tracked_silence(tracked);
	assert_true(connections_tell_unanswered(tracked->connections, NULL) < 0);
	tracked_answer(tracked, kept);
	tell(tracked);
	assert_int_equal(tracked->count, 1);
}

static void test_rests_in_a_storm(void **state)
{
	struct tracked *tracked = *state;

	tracked_ask(TRACKED_API);
	take_in(tracked);
	tracked->connections->asking_ns = UINT64_MAX;
	tell(tracked);
	assert_int_equal(tracked->count, 0);
	tracked->connections->asking_ns = 0;
	tell(tracked);
	assert_int_equal(tracked->count, 1);
	assert_true(tracked->connections->asking_ns > 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, tracked_set_up, tracked_tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_tells_of_each_once),
		TEST(test_waits_for_an_answer),
		TEST(test_asks_again_where_asking_failed),
		TEST(test_rests_in_a_storm),
	};

	if (geteuid() != 0) {
		print_message("skipped: needs root for network namespaces\n");
		return 0;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
