/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Whose doing a change of the ruleset was, in a network namespace of its own. */
#include "dataplane/nft/watch.h"

#include "base/clock.h"
#include "dataplane/nft/batch.h"
#include "dataplane/nft/element.h"
#include "dataplane/nft/layout.h"
#include "dataplane/nft/netlink.h"
#include "dataplane/nft/set.h"
#include "fixture.h"

#include <arpa/inet.h>
#include <linux/netfilter/nf_tables.h>
#include <sched.h>

#define MANY 200000 /* announcements of so many elements do not fit into a socket */
#define FEW  5000   /* not a large change */

struct bench {
	sd_event *loop;
	struct mnl_socket *socket;
	struct watch *watch;
	struct intrusion last;
	unsigned int calls;
};

static void on_intrusion(const struct intrusion *intrusion, void *userdata)
{
	struct bench *bench = userdata;

	bench->last = *intrusion;
	bench->calls++;
}

static void settle(struct bench *bench)
{
	while (sd_event_run(bench->loop, 0) > 0)
		;
}

static struct batch *begin(const char *table)
{
	struct batch *batch;

	assert_int_equal(batch_new(&batch), 0);
	batch_set_table(batch, table);
	return batch;
}

static void send_all(struct bench *bench, struct batch *batch)
{
	struct error error = ERROR_INIT;

	if (batch_send(batch, bench->socket, NULL, NULL, &error) < 0)
		fail_msg("%s", error_message(&error));
	batch_free(batch);
}

static void make_table(struct bench *bench, const char *table)
{
	static const struct shape shape = {.fields = {FIELD_IPV4}};
	struct batch *batch = begin(table);

	assert_int_equal(layout_write_table(batch, "test"), 0);
	assert_int_equal(set_write(batch, "many", &shape), 0);
	send_all(bench, batch);
}

static void add_elements(struct bench *bench, const char *table, uint32_t first, uint32_t count)
{
	struct element_list list = {0};
	struct batch *batch = begin(table);

	for (uint32_t i = 0; i < count; i++) {
		struct element element = {.target.code = TARGET_NONE};
		const uint32_t key = htonl(first + i);

		element_key_add(&element, &key, sizeof(key));
		assert_int_equal(element_list_add(&list, &element), 0);
	}
	assert_int_equal(element_list_write(batch, NFT_MSG_NEWSETELEM, NLM_F_CREATE, "many", &list,
				 NULL, NULL),
		0);
	element_list_clear(&list);
	send_all(bench, batch);
}

static int set_up_table(void **state, const char *table, bool netdev)
{
	const struct watch_scope scope = {.table = table, .netdev = netdev};
	struct bench *bench = calloc(1, sizeof(*bench));
	struct error error = ERROR_INIT;

	assert_int_equal(sd_event_new(&bench->loop), 0);
	assert_int_equal(netlink_open(&bench->socket, &error), 0);
	assert_int_equal(
		watch_open(bench->loop, &scope, on_intrusion, bench, &bench->watch, &error), 0);
	make_table(bench, table);
	settle(bench);
	assert_int_equal(bench->calls, 0);
	*state = bench;
	return 0;
}

static int set_up(void **state)
{
	return set_up_table(state, LAYOUT_TABLE, true);
}

static int set_up_host(void **state)
{
	return set_up_table(state, LAYOUT_HOST_TABLE, false);
}

static int tear_down(void **state)
{
	struct bench *bench = *state;

	watch_free(bench->watch);
	netlink_close(bench->socket);
	sd_event_unref(bench->loop);
	free(bench);
	return fixture_run("nft flush ruleset");
}

static void test_tells_who_did_what(void **state)
{
	struct bench *bench = *state;

	assert_int_equal(fixture_run("nft add element inet segd many '{ 192.0.2.1 }'"), 0);
	settle(bench);
	assert_int_equal(bench->calls, 1);
	assert_true(bench->last.inet);
	assert_false(bench->last.netdev);
	assert_int_equal(bench->last.damage, TABLE_EDITED);
	assert_string_equal(bench->last.table, LAYOUT_TABLE);
	assert_int_equal(strncmp(bench->last.who, "nft (pid ", 9), 0);
	assert_int_equal(fixture_run("nft add chain inet segd evil"), 0);
	settle(bench);
	assert_int_equal(bench->last.damage, TABLE_EXTENDED);
	assert_int_equal(fixture_run("nft add table netdev segd"), 0);
	settle(bench);
	assert_int_equal(bench->calls, 3);
	assert_true(bench->last.netdev);
	assert_false(bench->last.inet);
	assert_int_equal(fixture_run("nft flush ruleset"), 0);
	settle(bench);
	assert_int_equal(bench->calls, 4);
	assert_true(bench->last.netdev && bench->last.inet);
	assert_int_equal(bench->last.damage, TABLE_REMOVED);
}

static void test_others_tables_are_theirs(void **state)
{
	struct bench *bench = *state;

	assert_int_equal(fixture_run("nft add table inet other && nft add table ip segd && "
				     "nft add chain inet other segd && nft delete table ip segd"),
		0);
	settle(bench);
	add_elements(bench, LAYOUT_TABLE, 1, 10);
	settle(bench);
	assert_int_equal(bench->calls, 0);
}

static void test_the_nodes_table(void **state)
{
	struct bench *bench = *state;

	assert_int_equal(fixture_run("nft add table inet segd; nft add table netdev segd"), 0);
	settle(bench);
	assert_int_equal(bench->calls, 0);
	assert_int_equal(fixture_run("nft delete table inet segd_host"), 0);
	settle(bench);
	assert_int_equal(bench->calls, 1);
	assert_string_equal(bench->last.table, LAYOUT_HOST_TABLE);
	assert_int_equal(bench->last.damage, TABLE_REMOVED);
}

/* Changes of our own that nobody reads meanwhile overrun the socket, and are no intrusion. */
static void add_many(struct bench *bench, uint32_t first)
{
	for (uint32_t i = 0; i < MANY; i += FEW)
		add_elements(bench, LAYOUT_TABLE, first + i, FEW);
}

static void test_own_overrun(void **state)
{
	struct bench *bench = *state;

	add_many(bench, 1);
	settle(bench);
	assert_true(watch_overruns(bench->watch) > 0);
	assert_int_equal(bench->calls, 0);
	/* And it goes on as before. */
	assert_int_equal(fixture_run("nft add chain inet segd evil"), 0);
	settle(bench);
	assert_int_equal(bench->calls, 1);
	assert_false(bench->last.overrun);
}

/* One of somebody else's among them, whose announcement is lost, too. */
static void test_foreign_overrun(void **state)
{
	struct bench *bench = *state;

	add_many(bench, 1);
	assert_int_equal(fixture_run("nft add element inet segd many '{ 192.0.2.1 }'"), 0);
	add_elements(bench, LAYOUT_TABLE, MANY + 1, FEW);
	settle(bench);
	assert_true(watch_overruns(bench->watch) > 0);
	assert_int_equal(bench->calls, 1);
	assert_true(bench->last.overrun);
	assert_true(bench->last.inet && bench->last.netdev);
	assert_string_equal(bench->last.who, WATCH_SOMEBODY);
	/* It was told, and is known. */
	add_many(bench, 2 * MANY);
	settle(bench);
	assert_int_equal(bench->calls, 1);
}

/* Nobody listens to a large one, and small ones around it change nothing about that. */
static void test_own_large_change(void **state)
{
	struct bench *bench = *state;

	add_elements(bench, LAYOUT_TABLE, 1, FEW);
	add_elements(bench, LAYOUT_TABLE, MANY, MANY);
	add_elements(bench, LAYOUT_TABLE, 3 * MANY, FEW);
	settle(bench);
	assert_int_equal(watch_overruns(bench->watch), 0);
	assert_int_equal(bench->calls, 0);
	assert_int_equal(fixture_run("nft add chain inet segd evil"), 0);
	settle(bench);
	assert_int_equal(bench->calls, 1);
	assert_false(bench->last.overrun);
}

static void test_foreign_while_nobody_listens(void **state)
{
	struct bench *bench = *state;

	watch_pause();
	assert_int_equal(fixture_run("nft add element inet segd many '{ 192.0.2.1 }'"), 0);
	watch_resume();
	assert_int_equal(bench->calls, 0);
	settle(bench);
	assert_int_equal(bench->calls, 1);
	assert_true(bench->last.overrun);
	assert_true(bench->last.inet && bench->last.netdev);
	/* Once. */
	add_elements(bench, LAYOUT_TABLE, MANY, MANY);
	settle(bench);
	assert_int_equal(bench->calls, 1);
}

static int enter_namespace(void **state)
{
	(void)state;
	if (unshare(CLONE_NEWNET) < 0) {
		print_message("skipped: no network namespace without root\n");
		return -1;
	}
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_tells_who_did_what, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_others_tables_are_theirs, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_the_nodes_table, set_up_host, tear_down),
		cmocka_unit_test_setup_teardown(test_own_overrun, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_foreign_overrun, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_own_large_change, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			test_foreign_while_nobody_listens, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, enter_namespace, NULL);
}
