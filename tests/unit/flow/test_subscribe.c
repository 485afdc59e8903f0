// SPDX-License-Identifier: GPL-2.0-or-later
#include "fixture.h"

#include "flow/subscribe.h"

struct follower {
	unsigned int lines;
	struct flow_subscription *own;
	struct flow_subscription *other; /* to be freed from within the callback */
};

static void on_record(const char *line, size_t length, void *userdata)
{
	struct follower *follower = userdata;

	assert_int_equal(length, 2);
	assert_memory_equal(line, "x\n", 2);
	follower->lines++;
	if (follower->other) {
		flow_subscription_free(follower->other);
		flow_subscription_free(follower->own);
		follower->other = follower->own = NULL;
	}
}

static void dispatch(struct subscribers *subscribers, uint16_t port)
{
	struct record record = {.event = fixture_event(1)};

	record.event.destination_port = port;
	subscribers_dispatch(subscribers, &record, "x\n", 2);
}

static void each_gets_what_its_filter_matches(void **state)
{
	struct subscribers subscribers = {0};
	struct follower all = {0}, some = {0};
	struct flow_filter *filter = NULL;
	struct record record = {.event = fixture_event(1)};

	(void)state;
	assert_int_equal(flow_filter_set(&filter, "port", "22", NULL), 0);
	assert_int_equal(subscribers_add(&subscribers, filter, on_record, &some, &some.own), 0);
	assert_false(subscribers_want(&subscribers, &record));
	assert_int_equal(subscribers_add(&subscribers, NULL, on_record, &all, &all.own), 0);
	assert_true(subscribers_want(&subscribers, &record));
	dispatch(&subscribers, 22);
	dispatch(&subscribers, 80);
	assert_int_equal(all.lines, 2);
	assert_int_equal(some.lines, 1);
	assert_int_equal(subscribers.count, 2);
	subscribers_clear(&subscribers);
	assert_int_equal(subscribers.count, 0);
}

static void callbacks_may_free_subscriptions(void **state)
{
	struct subscribers subscribers = {0};
	struct follower first = {0}, second = {0}, third = {0};

	(void)state;
	subscribers_add(&subscribers, NULL, on_record, &first, &first.own);
	subscribers_add(&subscribers, NULL, on_record, &second, &second.own);
	subscribers_add(&subscribers, NULL, on_record, &third, &third.own);
	first.other = second.own;
	dispatch(&subscribers, 22);
	assert_int_equal(first.lines, 1);
	assert_int_equal(second.lines, 0);
	assert_int_equal(third.lines, 1);
	assert_int_equal(subscribers.count, 1);
	dispatch(&subscribers, 22);
	assert_int_equal(first.lines, 1);
	assert_int_equal(third.lines, 2);
	flow_subscription_free(third.own);
	assert_null(subscribers.first);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_gets_what_its_filter_matches),
		cmocka_unit_test(callbacks_may_free_subscriptions),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
