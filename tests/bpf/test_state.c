/* SPDX-License-Identifier: GPL-2.0-or-later */
/* States of connections beyond the handshake: resets, half-closed ones, SCTP. */
#include "expect.h"

#include <netinet/in.h>

#define TCP_URG 0x20

/* RFC 9260, 3.2. */
enum {
	SCTP_DATA,
	SCTP_INIT,
	SCTP_INIT_ACK,
	SCTP_HEARTBEAT = 4,
	SCTP_ABORT = 6,
	SCTP_SHUTDOWN,
	SCTP_SHUTDOWN_ACK,
	SCTP_COOKIE_ECHO = 10,
	SCTP_COOKIE_ACK,
};

static void set_idle(struct world *world, const struct frame_description *d, uint64_t idle_ns)
{
	struct abi_connection_key key;
	struct abi_connection c;

	assert_int_equal(world_connection(world, d, &key, &c), 0);
	c.last_ns = world_now_ns() - idle_ns;
	assert_int_equal(world_set_connection(world, &key, &c), 0);
}

static void christmas_tree_opens_nothing(void **state)
{
	struct world *world = *state;
	struct frame_description d = tcp(&world->web, &world->api, 40000, 8080, TCP_SYN);

	expect_pass(world, &d);
	d.source_port++;
	d.tcp_flags = TCP_FIN | TCP_PSH | TCP_URG;
	expect_refused(world, &d, REASON_NO_CONNECTION);
	expect_no_connection(world, &d);
}

/* Nobody follows its window here, so whoever sent it must not be believed to have ended it. */
static void reset_that_its_sender_belies_is_forgotten(void **state)
{
	struct world *world = *state;
	struct frame_description d = tcp(&world->web, &world->api, 40000, 8080, TCP_SYN);
	struct frame_description rst = reversed(&d), data = reversed(&d);

	expect_handshake(world, &d);
	rst.tcp_flags = TCP_RST;
	expect_pass(world, &rst);
	assert_true(expect_connection(world, &d).flags & ABI_CONNECTION_RESET);
	d.tcp_flags = TCP_ACK; /* may have been on its way already: says nothing */
	expect_pass(world, &d);
	assert_true(expect_connection(world, &d).flags & ABI_CONNECTION_RESET);
	data.tcp_flags = TCP_ACK | TCP_PSH;
	expect_pass(world, &data);
	assert_false(expect_connection(world, &d).flags & ABI_CONNECTION_RESET);
	set_idle(world, &d, 600000000000);
	expect_pass(world, &data);
}

static void reset_shortens_the_time(void **state)
{
	struct world *world = *state;
	struct frame_description d = tcp(&world->web, &world->api, 40000, 8080, TCP_SYN);
	struct frame_description data = d;

	data.tcp_flags = TCP_ACK;
	expect_handshake(world, &d);
	set_idle(world, &d, 600000000000);
	expect_pass(world, &data);
	d.tcp_flags = TCP_RST;
	expect_pass(world, &d);
	set_idle(world, &d, 600000000000);
	expect_refused(world, &data, REASON_NO_CONNECTION);
}

static void half_closed_has_its_own_time(void **state)
{
	struct world *world = *state;
	struct frame_description d = tcp(&world->web, &world->api, 40000, 8080, TCP_SYN);
	struct frame_description back = reversed(&d);

	back.tcp_flags = TCP_ACK;
	expect_handshake(world, &d);
	d.tcp_flags = TCP_FIN | TCP_ACK;
	expect_pass(world, &d);
	set_idle(world, &d, 1800000000000);
	expect_pass(world, &back);
	set_idle(world, &d, 7200000000000);
	expect_refused(world, &back, REASON_NO_CONNECTION);
}

static void sctp_opens_by_init(void **state)
{
	struct world *world = *state;
	struct frame_description d = tcp(&world->web, &world->api, 3000, 4000, 0);
	struct frame_description back;

	d.protocol = IPPROTO_SCTP;
	d.sctp_chunk = SCTP_COOKIE_ECHO;
	expect_refused(world, &d, REASON_NO_CONNECTION);
	d.sctp_chunk = SCTP_ABORT;
	expect_refused(world, &d, REASON_NO_CONNECTION);
	d.sctp_chunk = SCTP_SHUTDOWN;
	expect_refused(world, &d, REASON_NO_CONNECTION);
	back = reversed(&d);
	back.sctp_chunk = SCTP_INIT_ACK;
	expect_refused(world, &back, REASON_NO_CONNECTION);
	d.sctp_chunk = SCTP_INIT;
	expect_pass(world, &d);
	expect_pass(world, &back);
	assert_false(expect_connection(world, &d).flags & ABI_CONNECTION_ESTABLISHED);
	d.sctp_chunk = SCTP_COOKIE_ECHO;
	expect_pass(world, &d);
	assert_true(expect_connection(world, &d).flags & ABI_CONNECTION_ESTABLISHED);
	back.sctp_chunk = SCTP_COOKIE_ACK;
	expect_pass(world, &back);
	d.sctp_chunk = SCTP_SHUTDOWN;
	expect_pass(world, &d);
	assert_false(expect_connection(world, &d).flags & ABI_CONNECTION_CLOSING);
	back.sctp_chunk = SCTP_SHUTDOWN_ACK;
	expect_pass(world, &back);
	assert_true(expect_connection(world, &d).flags & ABI_CONNECTION_CLOSING);
}

static void sctp_heartbeat_asks_policy(void **state)
{
	struct world *world = *state;
	struct frame_description d = tcp(&world->web, &world->api, 3000, 4000, 0);

	d.protocol = IPPROTO_SCTP;
	d.sctp_chunk = SCTP_HEARTBEAT;
	expect_pass(world, &d);
	expect_reset(world);
	world_isolate(world, &world->api, ABI_INGRESS, DECISION_NONE);
	expect_apply(world);
	expect_refused(world, &d, REASON_POLICY_DENIED);
}

/* Nothing keeps api from opening associations to web; but this is no such thing. */
static void sctp_heartbeat_of_a_server_opens_nothing(void **state)
{
	struct world *world = *state;
	struct frame_description d = tcp(&world->web, &world->api, 40000, 3868, 0);
	struct frame_description back = reversed(&d);

	d.protocol = back.protocol = IPPROTO_SCTP;
	world_isolate(world, &world->api, ABI_INGRESS, DECISION_NONE);
	expect_apply(world);
	back.sctp_chunk = SCTP_HEARTBEAT;
	expect_refused(world, &back, REASON_NO_CONNECTION);
	d.sctp_chunk = SCTP_HEARTBEAT;
	expect_refused(world, &d, REASON_POLICY_DENIED);
	expect_reset(world);
	expect_refused(world, &back, REASON_NO_CONNECTION);
	expect_pass(world, &d);
	expect_pass(world, &back);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		FOR_BOTH(christmas_tree_opens_nothing),
		FOR_BOTH(reset_that_its_sender_belies_is_forgotten),
		FOR_BOTH(reset_shortens_the_time),
		FOR_BOTH(half_closed_has_its_own_time),
		FOR_BOTH(sctp_opens_by_init),
		FOR_BOTH(sctp_heartbeat_asks_policy),
		FOR_BOTH(sctp_heartbeat_of_a_server_opens_nothing),
	};

	return expect_main(tests, sizeof(tests) / sizeof(tests[0]), "state");
}
