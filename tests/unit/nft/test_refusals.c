/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Totals stay exact where an agent restarts, and where somebody takes the table away. */
#include "village_agent.h"

#define PORT 5005

static void send_packets(int fd, unsigned int count)
{
	for (unsigned int i = 0; i < count; i++)
		while (send(fd, "word", 4, 0) < 0)
			assert_true(errno == EAGAIN || errno == ENOBUFS);
}

static void test_restart_reports_nothing_twice(void **state)
{
	struct agent *agent = *state;
	int fd;

	apply(agent, FIXTURE_POLICY);
	fd = village_open("web", SOCK_DGRAM, "10.77.0.4", PORT);
	send_packets(fd, 100);
	collect(agent);
	send_packets(fd, 10);
	stop(agent, false);
	assert_int_equal(count_denied(agent, "10.77.0.2", "10.77.0.4", PORT), 110);

	send_packets(fd, 50);
	start(agent);
	apply(agent, FIXTURE_POLICY);
	send_packets(fd, 25);
	collect(agent);
	assert_int_equal(count_denied(agent, "10.77.0.2", "10.77.0.4", PORT), 75);
	close(fd);
}

static void test_removed_table_comes_back(void **state)
{
	struct agent *agent = *state;
	int fd;

	apply(agent, FIXTURE_POLICY);
	fd = village_open("web", SOCK_DGRAM, "10.77.0.4", PORT);
	send_packets(fd, 5);
	collect(agent);
	assert_int_equal(fixture_run("nft delete table inet segd"), 0);
	run(agent, 2500);
	assert_true(agent->seen.repaired);
	assert_non_null(strstr(agent->seen.trouble, "removed table inet segd: it is as it was"));

	/* More than before: a count that started anew must not be taken for one that went on. */
	send_packets(fd, 8);
	collect(agent);
	assert_int_equal(count_denied(agent, "10.77.0.2", "10.77.0.4", PORT), 13);
	assert_int_equal(count_refused(agent), 8);
	assert_true(village_reaches("api", SOCK_STREAM, "10.77.0.4", 5432));
	assert_true(village_is_shut("web", SOCK_STREAM, "10.77.0.4", 5432));
	close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			test_restart_reports_nothing_twice, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_removed_table_comes_back, set_up, tear_down),
	};

	if (geteuid() != 0) {
		print_message("skipped: needs root for network namespaces\n");
		return 0;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
