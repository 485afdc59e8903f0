/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tracked.h"

/* How often all was listed for it. */
static uint64_t change(struct tracked *tracked, const struct ir *ir, const struct touched *touched)
{
	uint64_t before = tracked->connections->listings;
	struct error error = ERROR_INIT;

	/* What began under one policy is its, as in the data plane. */
	connections_read(tracked->connections);
	connections_set_ir(tracked->connections, ir);
	if (connections_revoke(tracked->connections, touched, &error) < 0)
		fail_msg("%s", error_message(&error));
	return tracked->connections->listings - before;
}

static void expect_one_end(const struct tracked *tracked, enum reason reason)
{
	assert_int_equal(tracked_count(tracked, FLOW_END), 1);
	assert_int_equal(tracked_last(tracked)->type, FLOW_END);
	assert_int_equal(tracked_last(tracked)->reason, reason);
	assert_int_equal(connections_count(tracked->connections), 0);
	assert_int_equal(connections_lost(tracked->connections), 0);
}

static void test_lists_nothing_where_all_is_known_and_allowed(void **state)
{
	struct tracked *tracked = *state;

	tracked_begin(TRACKED_API, TRACKED_DB);
	tracked_begin("192.0.2.9", "192.0.2.10");
	assert_int_equal(change(tracked, tracked->ir, NULL), 0);
	assert_int_equal(connections_count(tracked->connections), 1);
	assert_true(tracked_is_there(TRACKED_API));
	assert_true(tracked_is_there("192.0.2.9"));
}

static void test_cuts_what_is_refused(void **state)
{
	struct tracked *tracked = *state;

	tracked_begin(TRACKED_API, TRACKED_DB);
	tracked_begin("192.0.2.9", "192.0.2.10");
	assert_true(change(tracked, tracked->closed, NULL) > 0);
	assert_false(tracked_is_there(TRACKED_API));
	assert_true(tracked_is_there("192.0.2.9"));
	expect_one_end(tracked, REASON_REVOKED);
	/* And then all is known again. */
	assert_int_equal(change(tracked, tracked->closed, NULL), 0);
}

/* Who is known of by the listing for one change is known when the next one comes. */
static void test_lists_once_what_nobody_announced(void **state)
{
	struct tracked *tracked = *state;

	assert_int_equal(fixture_run("echo 0 >/proc/sys/net/netfilter/nf_conntrack_events"), 0);
	tracked_begin(TRACKED_API, TRACKED_DB);
	assert_true(change(tracked, tracked->ir, NULL) > 0);
	assert_int_equal(connections_count(tracked->connections), 1);
	assert_int_equal(change(tracked, tracked->ir, NULL), 0);
	assert_true(change(tracked, tracked->closed, NULL) > 0);
	assert_false(tracked_is_there(TRACKED_API));
}

/* Only those are looked at whom the change is said to concern. */
static void test_asks_whom_the_change_concerns(void **state)
{
	const struct shape shape = {.fields = {FIELD_IPV4}};
	struct tracked *tracked = *state;
	struct element_list elements = {0};
	struct element element = {.target.code = TARGET_NONE};
	struct address web = fixture_address(TRACKED_WEB);
	struct touched touched = {0};

	element_key_add_address(&element, &web);
	assert_int_equal(element_list_add(&elements, &element), 0);
	tracked_begin(TRACKED_API, TRACKED_DB);
	assert_int_equal(change(tracked, tracked->closed, &touched), 0);
	touched_add(&touched, &shape, &elements);
	touched_sort(&touched);
	assert_int_equal(change(tracked, tracked->closed, &touched), 0);
	assert_true(tracked_is_there(TRACKED_API));
	element_list_clear(&elements);
	touched_clear(&touched);
}

static void test_over_by_itself_is_not_revoked(void **state)
{
	struct tracked *tracked = *state;

	tracked_begin(TRACKED_API, TRACKED_DB);
	connections_read(tracked->connections);
	connections_set_ir(tracked->connections, tracked->closed);
	tracked_end(TRACKED_API);
	assert_int_equal(change(tracked, tracked->closed, NULL), 0);
	expect_one_end(tracked, REASON_ADOPTED);
}

/* It was heard of, when it was nobody's matter. */
static void test_end_of_a_stranger_is_no_loss(void **state)
{
	struct tracked *tracked = *state;

	(void)change(tracked, tracked->none, NULL);
	tracked_begin(TRACKED_API, TRACKED_DB);
	connections_read(tracked->connections);
	connections_set_ir(tracked->connections, tracked->ir);
	tracked_end(TRACKED_API);
	(void)change(tracked, tracked->ir, NULL);
	expect_one_end(tracked, REASON_POLICY_ALLOWED);
}

static void test_tries_again_what_failed(void **state)
{
	struct tracked *tracked = *state;
	int kept;

	tracked_begin(TRACKED_API, TRACKED_DB);
	connections_read(tracked->connections);
	connections_set_ir(tracked->connections, tracked->closed);
	kept = tracked_silence(tracked);
	assert_true(connections_revoke(tracked->connections, NULL, NULL) < 0);
	tracked_answer(tracked, kept);
	assert_true(tracked_is_there(TRACKED_API));
	assert_int_equal(connections_collect(tracked->connections, NULL), 0);
	assert_false(tracked_is_there(TRACKED_API));
	expect_one_end(tracked, REASON_REVOKED);
}

static void test_cuts_what_begins_refused(void **state)
{
	struct tracked *tracked = *state;

	tracked_begin(TRACKED_WEB, TRACKED_DB);
	connections_read(tracked->connections);
	assert_false(tracked_is_there(TRACKED_WEB));
	expect_one_end(tracked, REASON_REVOKED);
	connections_read(tracked->connections);
	expect_one_end(tracked, REASON_REVOKED);
}

static void test_cuts_later_what_begins_refused(void **state)
{
	struct tracked *tracked = *state;
	int kept;

	tracked_begin(TRACKED_WEB, TRACKED_DB);
	kept = tracked_silence(tracked);
	connections_read(tracked->connections);
	tracked_answer(tracked, kept);
	assert_true(tracked_is_there(TRACKED_WEB));
	assert_int_equal(connections_collect(tracked->connections, NULL), 0);
	assert_false(tracked_is_there(TRACKED_WEB));
	expect_one_end(tracked, REASON_REVOKED);
}

/* Its end is to be read when its beginning is. */
static void test_short_and_refused_ends_once(void **state)
{
	struct tracked *tracked = *state;

	tracked_begin(TRACKED_WEB, TRACKED_DB);
	tracked_end(TRACKED_WEB);
	connections_read(tracked->connections);
	expect_one_end(tracked, REASON_REVOKED);
}

/* The server's packet came first: conntrack has it for the one that asks, and no policy binds what
 * db may ask for. */
static void pick_up_turned(struct tracked *tracked, const char *client)
{
	change(tracked, tracked->closed, NULL);
	tracked_pick_up(TRACKED_DB, 5432, client, 40000);
}

static void expect_last_from(const struct tracked *tracked, const char *client)
{
	const struct flow_event *event = tracked_last(tracked);
	const struct address source = fixture_address(client);
	const struct address destination = fixture_address(TRACKED_DB);

	assert_memory_equal(&event->source, &source, sizeof(source));
	assert_memory_equal(&event->destination, &destination, sizeof(destination));
	assert_int_equal(event->source_port, 40000);
	assert_int_equal(event->destination_port, 5432);
}

static void test_cuts_what_is_the_wrong_way_round(void **state)
{
	struct tracked *tracked = *state;

	pick_up_turned(tracked, TRACKED_API);
	connections_read(tracked->connections);
	assert_false(tracked_is_there(TRACKED_DB));
	expect_one_end(tracked, REASON_REVOKED);
	expect_last_from(tracked, TRACKED_API);
}

static void test_keeps_what_is_the_wrong_way_round_until_it_is_refused(void **state)
{
	struct tracked *tracked = *state;

	pick_up_turned(tracked, TRACKED_WEB);
	connections_read(tracked->connections);
	assert_true(tracked_is_there(TRACKED_DB));
	assert_int_equal(tracked_last(tracked)->type, FLOW_NEW);
	assert_int_equal(tracked_last(tracked)->reason, REASON_ADOPTED);
	expect_last_from(tracked, TRACKED_WEB);
	assert_true(change(tracked, tracked->ir, NULL) > 0);
	assert_false(tracked_is_there(TRACKED_DB));
	expect_one_end(tracked, REASON_REVOKED);
	expect_last_from(tracked, TRACKED_WEB);
}

/* Policy allowed it either way when it was taken in, and the ports do not tell whose it is. */
static void test_cuts_what_was_taken_for_the_servers_own(void **state)
{
	static const char open_to_api[] = "apiVersion: segctl.io/v1\n"
					  "kind: SegmentPolicy\n"
					  "metadata: {name: db-from-api, namespace: shop}\n"
					  "spec:\n"
					  "  subject: app=db\n"
					  "  ingress: [{from: [{workloads: app=api}]}]\n";
	struct tracked *tracked = *state;
	struct ir *ir = fixture_ir(tracked->model, open_to_api);
	struct flow_event begun;
	const struct nflog_packet packet = {
		.source = fixture_address(TRACKED_DB),
		.destination = fixture_address(TRACKED_WEB),
		.protocol = IPPROTO_TCP,
		.has_transport = true,
		.source_port = 5432,
		.destination_port = 4000,
	};

	change(tracked, tracked->closed, NULL);
	assert_true(connections_adopt(tracked->connections, &packet));
	connections_read(tracked->connections);
	assert_true(tracked_is_there(TRACKED_DB));
	assert_int_equal(tracked_last(tracked)->reason, REASON_ADOPTED);
	begun = *tracked_last(tracked);
	assert_true(change(tracked, ir, NULL) > 0);
	assert_false(tracked_is_there(TRACKED_DB));
	expect_one_end(tracked, REASON_REVOKED);
	/* Whatever it is taken for now, its records go on as they began. */
	assert_int_equal(tracked_last(tracked)->id, begun.id);
	assert_memory_equal(&tracked_last(tracked)->source, &begun.source, sizeof(begun.source));
	connections_set_ir(tracked->connections, tracked->ir);
	ir_free(ir);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, tracked_set_up, tracked_tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_lists_nothing_where_all_is_known_and_allowed),
		TEST(test_cuts_what_is_refused),
		TEST(test_lists_once_what_nobody_announced),
		TEST(test_asks_whom_the_change_concerns),
		TEST(test_over_by_itself_is_not_revoked),
		TEST(test_end_of_a_stranger_is_no_loss),
		TEST(test_tries_again_what_failed),
		TEST(test_cuts_what_begins_refused),
		TEST(test_cuts_later_what_begins_refused),
		TEST(test_short_and_refused_ends_once),
		TEST(test_cuts_what_is_the_wrong_way_round),
		TEST(test_keeps_what_is_the_wrong_way_round_until_it_is_refused),
		TEST(test_cuts_what_was_taken_for_the_servers_own),
	};

	if (geteuid() != 0) {
		print_message("skipped: needs root for network namespaces\n");
		return 0;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
