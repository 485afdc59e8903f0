// SPDX-License-Identifier: GPL-2.0-or-later
/* A policy that is in force is in force, whatever fails behind the switch to it. */
#include "village_agent.h"

#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/netfilter/nfnetlink.h>
#include <sys/socket.h>

/* While this is set the kernel tells and does nothing about connections. */
static bool conntrack_fails;

/* In the library's place. */
ssize_t mnl_socket_sendto(const struct mnl_socket *socket, const void *bytes, size_t size)
{
	const struct nlmsghdr *message = bytes;

	if (conntrack_fails && NFNL_SUBSYS_ID(message->nlmsg_type) == NFNL_SUBSYS_CTNETLINK) {
		errno = ENOBUFS;
		return -1;
	}
	return send(mnl_socket_get_fd(socket), bytes, size, 0);
}

static void test_what_cannot_be_cut_yet_is_told_and_cut_later(void **state)
{
	struct agent *agent = *state;
	const struct flow_event *event;
	int fd;

	apply(agent, FIXTURE_POLICY);
	fd = open_allowed();

	conntrack_fails = true;
	apply(agent, FIXTURE_POLICY_CLOSED); /* it did not fail */
	assert_non_null(strstr(agent->seen.trouble,
		"the new policy is in force, but: cut connections that policy refuses"));
	assert_false(agent->seen.repaired);
	assert_false(village_reaches("api", SOCK_STREAM, "10.77.0.4", 5432));
	assert_true(village_ask(fd, VILLAGE_HOPE_MS)); /* that one goes on … */

	conntrack_fails = false;
	run(agent, 2500);                                  /* it is tried each second */
	assert_false(village_ask(fd, VILLAGE_SILENCE_MS)); /* … until it can be cut */
	event = find_event(agent, FLOW_END, "10.77.0.3", "10.77.0.4");
	assert_non_null(event);
	assert_int_equal(event->reason, REASON_REVOKED);
	close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			test_what_cannot_be_cut_yet_is_told_and_cut_later, set_up, tear_down),
	};

	if (geteuid() != 0) {
		print_message("skipped: needs root for network namespaces\n");
		return 0;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
