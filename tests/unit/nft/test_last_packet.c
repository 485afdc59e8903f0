/* SPDX-License-Identifier: GPL-2.0-or-later */
/* When the last packet of a connection was, as conntrack's timeouts tell. */
#include "dataplane/nft/connection.h"

#include "base/clock.h"
#include "fixture.h"

#include <linux/netfilter/nf_conntrack_common.h>
#include <netinet/in.h>
#include <unistd.h>

#define BEGAN_NS (UINT64_C(1800000000) * NS_PER_SECOND)

static const struct timeouts timeouts = {
	.tcp = {[TCP_CONNTRACK_ESTABLISHED] = 432000,
		[TCP_CONNTRACK_TIME_WAIT] = 120,
		[TCP_CONNTRACK_CLOSE] = 10},
	.udp = 30,
	.udp_stream = 120,
	.icmp = 30,
	.icmpv6 = 31,
};

static uint64_t at(unsigned int seconds)
{
	return BEGAN_NS + seconds * NS_PER_SECOND;
}

static struct connection begun(uint8_t protocol)
{
	return (struct connection){
		.key.protocol = protocol, .start_ns = BEGAN_NS, .last_ns = BEGAN_NS};
}

/* With so many packets one way. */
static struct connection_entry entry(uint64_t packets)
{
	return (struct connection_entry){.counts = {true, true}, .packets = {packets, 0}};
}

static struct connection_entry ended(uint64_t packets, uint8_t tcp_state, unsigned int second)
{
	struct connection_entry ret = entry(packets);

	ret.tcp_state = tcp_state;
	ret.has_tcp_state = true;
	ret.stop_ns = at(second);
	return ret;
}

static void test_an_end_comes_after_the_timeout_of_its_state(void **state)
{
	static const struct {
		uint8_t protocol, tcp_state;
		uint32_t status;
		unsigned int timeout;
	} cases[] = {
		{IPPROTO_TCP, TCP_CONNTRACK_TIME_WAIT, IPS_SEEN_REPLY | IPS_ASSURED, 120},
		{IPPROTO_TCP, TCP_CONNTRACK_CLOSE, IPS_SEEN_REPLY, 10},
		{IPPROTO_TCP, TCP_CONNTRACK_ESTABLISHED, IPS_ASSURED, 432000},
		{IPPROTO_UDP, 0, 0, 30},
		{IPPROTO_UDP, 0, IPS_SEEN_REPLY, 30},
		{IPPROTO_UDP, 0, IPS_SEEN_REPLY | IPS_ASSURED, 120},
		{IPPROTO_ICMP, 0, IPS_SEEN_REPLY, 30},
		{IPPROTO_ICMPV6, 0, 0, 31},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct connection connection = begun(cases[i].protocol);
		struct connection_entry end = ended(7, cases[i].tcp_state, 5 + cases[i].timeout);

		end.status = cases[i].status;
		connection_update(&connection, &end, &timeouts);
		assert_int_equal(connection.last_ns, at(5));
		assert_int_equal(connection_event(&connection, FLOW_END, at(500)).end_ns, at(5));
	}
}

static void test_what_a_timeout_does_not_explain_ends_when_it_was_forgotten(void **state)
{
	struct connection connection = begun(IPPROTO_TCP);
	struct connection_entry end = ended(7, TCP_CONNTRACK_TIME_WAIT, 60);

	(void)state;
	/* As where a new connection takes its place: it would have been before its beginning. */
	connection_update(&connection, &end, &timeouts);
	assert_int_equal(connection.last_ns, at(60));
	/* No timeout is known of it. */
	connection = begun(IPPROTO_SCTP);
	connection_update(&connection, &end, &timeouts);
	assert_int_equal(connection.last_ns, at(60));
	/* Somebody deleted it. */
	connection = begun(IPPROTO_TCP);
	end.stop_ns = at(200);
	connection_update(&connection, &end, &(struct timeouts){0});
	assert_int_equal(connection.last_ns, at(200));
}

static void test_no_earlier_than_when_fewer_packets_were_seen(void **state)
{
	struct connection connection = begun(IPPROTO_TCP);
	struct connection_entry end = ended(7, TCP_CONNTRACK_TIME_WAIT, 200);

	(void)state;
	connection.seen_ns = at(100); /* it would have been at 80 */
	connection_update(&connection, &end, &timeouts);
	assert_int_equal(connection.last_ns, at(200));
	/* The kernel's ticks are no exact clock: a packet with which it began. */
	connection = begun(IPPROTO_UDP);
	end.stop_ns = at(30) - NS_PER_SECOND / 100;
	connection_update(&connection, &end, &timeouts);
	assert_int_equal(connection.last_ns, BEGAN_NS);
}

static void test_without_a_new_packet_it_stays(void **state)
{
	struct connection connection = begun(IPPROTO_TCP);
	struct connection_entry end = ended(7, TCP_CONNTRACK_TIME_WAIT, 300);

	(void)state;
	connection.packets[0] = 7;
	connection.last_ns = at(2);
	connection.seen_ns = at(30);
	connection_update(&connection, &end, &timeouts);
	assert_int_equal(connection.last_ns, at(2));
	/* Who does not count tells of none. */
	end.counts[0] = end.counts[1] = false;
	connection_update(&connection, &end, NULL);
	assert_int_equal(connection.last_ns, at(2));
}

/* A listing says what is left, in whole seconds: it may have been up to one later than told. */
static void test_what_is_left_tells_too(void **state)
{
	struct connection connection = begun(IPPROTO_UDP);
	struct connection_entry listed = entry(7);
	uint64_t before_ns = clock_ns(CLOCK_REALTIME), after_ns;

	(void)state;
	connection.start_ns = before_ns - 100 * NS_PER_SECOND;
	listed.has_left = true;
	listed.left_s = 10;
	connection_update(&connection, &listed, &timeouts);
	after_ns = clock_ns(CLOCK_REALTIME);
	assert_in_range(
		connection.last_ns, before_ns - 19 * NS_PER_SECOND, after_ns - 19 * NS_PER_SECOND);
	assert_in_range(connection.seen_ns, before_ns, after_ns);
	/* None of these 20 seconds, and a timeout of its own, which is longer. */
	for (listed.left_s = 30; listed.left_s < 300; listed.left_s += 200) {
		listed.packets[0]++;
		before_ns = clock_ns(CLOCK_REALTIME);
		connection_update(&connection, &listed, &timeouts);
		assert_in_range(connection.last_ns, before_ns, clock_ns(CLOCK_REALTIME));
	}
}

/* A clock that was set back makes no connection end before it began. */
static void test_a_clock_that_was_set_back(void **state)
{
	struct connection connection = begun(IPPROTO_UDP);
	struct connection_entry end = ended(7, 0, 0);

	(void)state;
	end.stop_ns = BEGAN_NS - 3600 * NS_PER_SECOND;
	connection_update(&connection, &end, &timeouts);
	assert_int_equal(connection.last_ns, BEGAN_NS);
}

/* Of the kernel that runs. */
static void test_the_kernel_says_its_timeouts(void **state)
{
	struct timeouts read;

	(void)state;
	if (access("/proc/sys/net/netfilter", R_OK) < 0)
		skip(); /* it has no conntrack, or has not loaded it */
	timeouts_read(&read);
	for (unsigned int i = TCP_CONNTRACK_SYN_SENT; i <= TCP_CONNTRACK_CLOSE; i++)
		assert_int_not_equal(timeouts_of(&read, IPPROTO_TCP, (uint8_t)i, true), 0);
	assert_true(timeouts_of(&read, IPPROTO_UDP, 0, false) <
		    timeouts_of(&read, IPPROTO_UDP, 0, true));
	assert_int_not_equal(timeouts_of(&read, IPPROTO_ICMP, 0, false), 0);
	assert_int_not_equal(timeouts_of(&read, IPPROTO_ICMPV6, 0, false), 0);
	assert_int_equal(timeouts_of(&read, IPPROTO_TCP, UINT8_MAX, true), 0);
	assert_int_equal(timeouts_of(&read, IPPROTO_SCTP, 0, true), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_an_end_comes_after_the_timeout_of_its_state),
		cmocka_unit_test(test_what_a_timeout_does_not_explain_ends_when_it_was_forgotten),
		cmocka_unit_test(test_no_earlier_than_when_fewer_packets_were_seen),
		cmocka_unit_test(test_without_a_new_packet_it_stays),
		cmocka_unit_test(test_what_is_left_tells_too),
		cmocka_unit_test(test_a_clock_that_was_set_back),
		cmocka_unit_test(test_the_kernel_says_its_timeouts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
