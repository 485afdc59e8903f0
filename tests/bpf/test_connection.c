/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Connections: how they open, what belongs to them, how they are counted. */
#include "expect.h"

#include <netinet/in.h>
#include <string.h>

static void tcp_opens_by_a_handshake(void **state)
{
	struct world *world = *state;
	struct frame_description syn = tcp(&world->web, &world->api, 40000, 8080, TCP_SYN);
	struct abi_connection c;

	expect_pass(world, &syn);
	c = expect_connection(world, &syn);
	assert_false(c.flags & (ABI_CONNECTION_ESTABLISHED | ABI_CONNECTION_REPLIED));
	expect_handshake(world, &syn);
	c = expect_connection(world, &syn);
	assert_true(c.flags & ABI_CONNECTION_ESTABLISHED);
	assert_true(c.flags & ABI_CONNECTION_REPLIED);
	assert_int_equal(c.tcp_flags[ABI_ORIGINATOR], TCP_SYN | TCP_ACK);
	assert_int_equal(c.tcp_flags[ABI_RESPONDER], TCP_SYN | TCP_ACK);
	assert_int_equal(c.generation, world->generation);
}

static void entry_says_who_and_where(void **state)
{
	struct world *world = *state;
	struct frame_description syn = tcp(&world->api, &world->web, 40000, 8080, TCP_SYN);
	struct abi_connection_key key;
	struct abi_connection c;

	expect_pass(world, &syn);
	assert_int_equal(world_connection(world, &syn, &key, &c), 0);
	assert_int_equal(c.originator, 1); /* api's address is the larger one */
	assert_memory_equal(key.address[1], &world->api.address, 16);
	assert_int_equal(c.ifindex[ABI_ORIGINATOR], world->api.ifindex);
	assert_int_equal(c.ifindex[ABI_RESPONDER], world->web.ifindex);
	assert_memory_equal(c.mac[ABI_ORIGINATOR], world->api.mac, 6);
	assert_memory_equal(c.mac[ABI_RESPONDER], world->web.mac, 6);
	assert_in_range(c.start_ns, world_now_ns() - 1000000000, world_now_ns());
}

/* Two hooks, one count; bytes without the Ethernet header. */
static void local_traffic_counts_once(void **state)
{
	struct world *world = *state;
	struct frame_description there = udp(&world->web, &world->api, 5000, 53);
	struct frame_description back = reversed(&there);
	struct abi_connection c;

	for (int i = 0; i < 3; i++)
		expect_pass(world, &there);
	expect_pass(world, &back);
	c = expect_connection(world, &there);
	assert_int_equal(c.packets[ABI_ORIGINATOR], 3);
	assert_int_equal(c.packets[ABI_RESPONDER], 1);
	assert_int_equal(c.bytes[ABI_ORIGINATOR], 3 * (frame_build(&there).size - 14));
	assert_int_equal(c.bytes[ABI_RESPONDER], frame_build(&back).size - 14);
}

static void remote_traffic_counts_where_it_enters(void **state)
{
	struct world *world = *state;
	struct frame_description there = udp(&world->internet, &world->api, 5000, 53);
	struct frame_description back = reversed(&there);
	struct abi_connection c;

	expect_pass(world, &there);
	expect_pass(world, &there);
	expect_pass(world, &back);
	c = expect_connection(world, &there);
	assert_int_equal(c.packets[ABI_ORIGINATOR], 2);
	assert_int_equal(c.packets[ABI_RESPONDER], 1);
	assert_int_equal(c.ifindex[ABI_ORIGINATOR], 0);
}

/*
 * To a service's address that the node translates, or from one: at the other end's hook it is
 * another connection, so this end sees all of both sides, and counts it.
 */
static void expect_counted_at(
	struct world *world, const struct end *end, enum abi_direction there_hook)
{
	const enum abi_direction back_hook = there_hook == ABI_EGRESS ? ABI_INGRESS : ABI_EGRESS;
	struct frame_description there = tcp(&world->web, &world->api, 40000, 8080, TCP_SYN);
	struct frame_description back = reversed(&there);
	struct abi_connection c;

	expect_pass_at(world, &there, there_hook, end);
	back.tcp_flags = TCP_SYN | TCP_ACK;
	expect_pass_at(world, &back, back_hook, end);
	there.tcp_flags = TCP_ACK;
	expect_pass_at(world, &there, there_hook, end);
	c = expect_connection(world, &there);
	assert_int_equal(c.tcp_flags[ABI_ORIGINATOR], TCP_SYN | TCP_ACK);
	assert_true(c.flags & ABI_CONNECTION_ESTABLISHED);
	assert_int_equal(c.packets[ABI_ORIGINATOR], 2);
	assert_int_equal(c.packets[ABI_RESPONDER], 1);
}

static void translated_traffic_counts_where_it_enters(void **state)
{
	struct world *world = *state;

	expect_counted_at(world, &world->api, ABI_INGRESS);
}

static void answers_to_a_translated_address_count_where_they_enter(void **state)
{
	struct world *world = *state;

	expect_counted_at(world, &world->web, ABI_EGRESS);
}

static void new_connection_is_an_event(void **state)
{
	struct world *world = *state;
	struct frame_description there = udp(&world->web, &world->api, 5000, 53);
	struct world_events events;
	struct abi_connection c;

	expect_pass(world, &there);
	expect_pass(world, &there);
	events = world_take_events(world);
	assert_int_equal(events.count[ABI_EVENT_NEW], 1);
	c = expect_connection(world, &there);
	assert_int_equal(events.last[ABI_EVENT_NEW].connection.value.id, c.id);
	assert_int_equal(events.last[ABI_EVENT_NEW].connection.value.packets[ABI_ORIGINATOR], 1);
	assert_int_equal(world_counter(world, REASON_POLICY_ALLOWED, ABI_EGRESS, NULL), 1);
}

/* Everything that is no pure SYN opens nothing. The SYN first: the same way is open. */
static void only_a_pure_syn_opens(void **state)
{
	static const uint8_t flags[] = {TCP_ACK, TCP_RST, TCP_FIN, 0, TCP_SYN | TCP_ACK,
		TCP_SYN | TCP_FIN, TCP_SYN | TCP_RST, TCP_ACK | TCP_PSH, TCP_FIN | TCP_ACK,
		TCP_RST | TCP_ACK};
	struct world *world = *state;

	for (size_t i = 0; i < sizeof(flags); i++) {
		struct frame_description d =
			tcp(&world->web, &world->api, (uint16_t)(40000 + i), 8080, TCP_SYN);

		expect_pass(world, &d);
		d.source_port += 100;
		d.tcp_flags = flags[i];
		expect_refused(world, &d, REASON_NO_CONNECTION);
		expect_refused_at(world, &d, ABI_INGRESS, &world->api, REASON_NO_CONNECTION);
		expect_no_connection(world, &d);
	}
}

static void fin_of_both_sides_closes(void **state)
{
	struct world *world = *state;
	struct frame_description there = tcp(&world->web, &world->api, 40000, 8080, TCP_SYN);
	struct frame_description back = reversed(&there);

	expect_handshake(world, &there);
	there.tcp_flags = TCP_FIN | TCP_ACK;
	expect_pass(world, &there);
	assert_false(expect_connection(world, &there).flags & ABI_CONNECTION_CLOSING);
	back.tcp_flags = TCP_FIN | TCP_ACK;
	expect_pass(world, &back);
	assert_true(expect_connection(world, &there).flags & ABI_CONNECTION_CLOSING);
	there.tcp_flags = TCP_ACK; /* the last one is still part of it */
	expect_pass(world, &there);
}

static void rst_closes_from_either_side(void **state)
{
	struct world *world = *state;

	for (int from_responder = 0; from_responder < 2; from_responder++) {
		struct frame_description d = tcp(&world->web, &world->api,
			(uint16_t)(40000 + from_responder), 8080, TCP_SYN);
		struct frame_description rst = d;

		expect_handshake(world, &d);
		if (from_responder)
			rst = reversed(&d);
		rst.tcp_flags = TCP_RST;
		expect_pass(world, &rst);
		assert_true(expect_connection(world, &d).flags & ABI_CONNECTION_RESET);
	}
}

/* Ports are used again: a new connection with new counters, and the end of the old one is told. */
static void syn_on_a_closed_connection_restarts_it(void **state)
{
	struct world *world = *state;
	struct frame_description syn = tcp(&world->web, &world->api, 40000, 8080, TCP_SYN);
	struct frame_description rst = syn;
	struct abi_connection old, new;
	struct world_events events;

	expect_handshake(world, &syn);
	rst.tcp_flags = TCP_RST;
	expect_pass(world, &rst);
	old = expect_connection(world, &syn);
	world_take_events(world);
	expect_pass(world, &syn);
	new = expect_connection(world, &syn);
	assert_int_not_equal(new.id, old.id);
	assert_int_equal(new.packets[ABI_ORIGINATOR], 1);
	assert_int_equal(new.packets[ABI_RESPONDER], 0);
	assert_false(new.flags &(ABI_CONNECTION_CLOSING | ABI_CONNECTION_ESTABLISHED));
	events = world_take_events(world);
	assert_int_equal(events.count[ABI_EVENT_END], 1);
	assert_int_equal(events.last[ABI_EVENT_END].connection.value.id, old.id);
	assert_int_equal(events.last[ABI_EVENT_END].connection.value.packets[ABI_ORIGINATOR], 3);
	assert_int_equal(events.count[ABI_EVENT_NEW], 1);
}

static void udp_answers_belong(void **state)
{
	struct world *world = *state;
	struct frame_description there = udp(&world->web, &world->api, 5000, 53);
	struct frame_description back = reversed(&there);
	struct frame_description other = back;

	world_isolate(world, &world->api, ABI_EGRESS, DECISION_NONE);
	expect_apply(world);
	expect_pass(world, &there);
	expect_pass(world, &back);
	assert_true(expect_connection(world, &there).flags & ABI_CONNECTION_REPLIED);
	other.destination_port++;
	expect_refused(world, &other, REASON_POLICY_DENIED);
}

static void echo_belongs_by_identifier(void **state)
{
	struct world *world = *state;
	struct frame_description request = echo(&world->web, &world->api, 77, false);
	struct frame_description reply = echo(&world->api, &world->web, 77, true);
	struct frame_description stray = echo(&world->api, &world->web, 78, true);

	expect_pass(world, &request);
	expect_pass(world, &reply);
	assert_true(expect_connection(world, &request).flags & ABI_CONNECTION_REPLIED);
	expect_refused(world, &stray, REASON_NO_CONNECTION);
	expect_refused_at(world, &stray, ABI_INGRESS, &world->web, REASON_NO_CONNECTION);
}

/* What is allowed in one direction lets nothing be opened in the other. */
static void responder_cannot_open_back(void **state)
{
	struct world *world = *state;
	struct frame_description syn = tcp(&world->web, &world->api, 40000, 8080, TCP_SYN);
	struct frame_description request = echo(&world->web, &world->api, 77, false);
	struct frame_description syn_back = reversed(&syn), request_back;

	request_back = echo(&world->api, &world->web, 77, false);
	expect_handshake(world, &syn);
	expect_pass(world, &request);
	expect_pass(world, &syn_back); /* as long as policy has nothing against it */
	expect_pass(world, &request_back);

	world_isolate(world, &world->api, ABI_EGRESS, DECISION_NONE);
	expect_apply(world);
	expect_refused(world, &syn_back, REASON_POLICY_DENIED);
	expect_refused(world, &request_back, REASON_POLICY_DENIED);
	syn.tcp_flags = TCP_ACK; /* and the connection stands */
	expect_pass(world, &syn);
}

/* An echo whose identifier is another message's type and code has the same key. */
static void echo_does_not_cover_other_messages(void **state)
{
	struct world *world = *state;
	struct frame_description request = echo(&world->web, &world->api, 0x0d00, false);
	struct frame_description timestamp = request;
	struct world_rule rule = {.subject = WORLD_WEB,
		.direction = ABI_EGRESS,
		.peer = WORLD_API,
		.protocol = world->ipv6 ? ABI_ICMPV6 : ABI_ICMP,
		.port = (uint16_t)(request.icmp_type << 8),
		.length = 16,
		.decision = DECISION_ALLOW};

	timestamp.icmp_type = 0x0d;
	if (world->ipv6) {
		request.icmp_identifier = 0xd000;
		timestamp.icmp_type = 0xd0;
	}
	expect_pass(world, &timestamp);
	expect_reset(world);
	world_isolate(world, &world->web, ABI_EGRESS, DECISION_NONE);
	world_rule(world, rule);
	expect_apply(world);
	expect_pass(world, &request);
	expect_refused(world, &timestamp, REASON_POLICY_DENIED);
}

/* Not only an echo: the answer to any query is part of it, and an answer to none is refused. */
static void reply_belongs_to_its_query(void **state)
{
	static const uint8_t ipv4_queries[] = {8, 13, 15, 17}, ipv6_queries[] = {128, 139};
	static const uint8_t ipv4_replies[] = {0, 14, 16, 18}, ipv6_replies[] = {129, 140};
	struct world *world = *state;
	const uint8_t *queries = world->ipv6 ? ipv6_queries : ipv4_queries;
	const uint8_t *replies = world->ipv6 ? ipv6_replies : ipv4_replies;

	world_isolate(world, &world->api, ABI_EGRESS, DECISION_NONE);
	expect_apply(world);
	for (uint16_t i = 0; i < (world->ipv6 ? 2 : 4); i++) {
		struct frame_description query = echo(&world->web, &world->api, 70 + i, false);
		struct frame_description reply = reversed(&query), stray;

		query.icmp_type = queries[i];
		reply.icmp_type = replies[i];
		expect_refused(world, &reply, REASON_NO_CONNECTION);
		expect_pass(world, &query);
		expect_pass(world, &reply);
		stray = reply;
		stray.icmp_type = replies[i ? i - 1 : 1];
		expect_refused(world, &stray, REASON_NO_CONNECTION);
	}
}

static void idle_connection_is_no_more(void **state)
{
	struct world *world = *state;
	struct frame_description there = udp(&world->web, &world->api, 5000, 53);
	struct frame_description back = reversed(&there);
	struct abi_connection_key key;
	struct abi_connection c;

	world_isolate(world, &world->api, ABI_EGRESS, DECISION_NONE);
	expect_apply(world);
	expect_pass(world, &there);
	expect_pass(world, &back);
	assert_int_equal(world_connection(world, &there, &key, &c), 0);
	c.last_ns -= 3600ULL * 1000000000;
	assert_int_equal(world_set_connection(world, &key, &c), 0);
	world_take_events(world);
	expect_refused(world, &back, REASON_POLICY_DENIED);
	expect_no_connection(world, &there);
	assert_int_equal(world_take_events(world).count[ABI_EVENT_END], 1);
}

/* The address went to another workload: nothing is inherited. */
static void moved_address_inherits_nothing(void **state)
{
	struct world *world = *state;
	struct frame_description syn = tcp(&world->web, &world->api, 40000, 8080, TCP_SYN);
	struct abi_address moved = {.identity = WORLD_INTRUDER, .ifindex = world->intruder.ifindex};
	struct frame_description data = syn;

	data.tcp_flags = TCP_ACK;
	expect_handshake(world, &syn);
	expect_pass(world, &data);
	memcpy(moved.mac, world->intruder.mac, sizeof(moved.mac));
	assert_int_equal(world_set_address(world, &world->web.address, &moved), 0);
	memcpy(data.source.mac, world->intruder.mac, sizeof(moved.mac));
	expect_refused_at(world, &data, ABI_EGRESS, &world->intruder, REASON_NO_CONNECTION);
	expect_no_connection(world, &syn);
}

#define FIRST_PORT 2000

/* Sends connections until one is refused; *d is that one then. */
static void fill(struct world *world, struct frame_description *d)
{
	uint32_t verdict;

	do {
		struct frame frame;

		d->source_port++;
		frame = frame_build(d);
		assert_int_equal(
			world_send(world, &frame, ABI_EGRESS, world->web.ifindex, &verdict), 0);
	} while (verdict == WORLD_PASS && d->source_port < 5000);
}

static void full_table_refuses(void **state)
{
	struct world *world = *state;
	struct frame_description d = udp(&world->web, &world->api, FIRST_PORT - 1, 53);

	fill(world, &d);
	assert_in_range(d.source_port - FIRST_PORT, 1000, 1100); /* as the table was made */
	expect_refused(world, &d, REASON_CONNECTIONS_FULL);
	assert_int_equal(world_counter(world, REASON_CONNECTIONS_FULL, ABI_EGRESS, NULL), 2);
}

/* Room is made of idle connections, at most once in a second. */
static void full_table_recovers(void **state)
{
	struct world *world = *state;
	struct frame_description d = udp(&world->web, &world->api, FIRST_PORT - 1, 53);
	const uint64_t deadline_ns = world_now_ns() + 3000000000;
	uint32_t verdict = WORLD_REFUSE;
	struct abi_connection_key key;
	struct abi_connection c;
	struct frame frame;

	fill(world, &d);
	for (uint16_t port = FIRST_PORT; port < FIRST_PORT + 10; port++) {
		struct frame_description old = udp(&world->web, &world->api, port, 53);

		assert_int_equal(world_connection(world, &old, &key, &c), 0);
		c.last_ns -= 3600ULL * 1000000000;
		assert_int_equal(world_set_connection(world, &key, &c), 0);
	}
	world_take_events(world);
	frame = frame_build(&d);
	while (verdict != WORLD_PASS && world_now_ns() < deadline_ns)
		assert_int_equal(
			world_send(world, &frame, ABI_EGRESS, world->web.ifindex, &verdict), 0);
	assert_int_equal(verdict, WORLD_PASS);
	assert_int_equal(world_take_events(world).count[ABI_EVENT_END], 10);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		FOR_BOTH(tcp_opens_by_a_handshake),
		FOR_BOTH(entry_says_who_and_where),
		FOR_BOTH(local_traffic_counts_once),
		FOR_BOTH(remote_traffic_counts_where_it_enters),
		FOR_BOTH(translated_traffic_counts_where_it_enters),
		FOR_BOTH(answers_to_a_translated_address_count_where_they_enter),
		FOR_BOTH(new_connection_is_an_event),
		FOR_BOTH(only_a_pure_syn_opens),
		FOR_BOTH(fin_of_both_sides_closes),
		FOR_BOTH(rst_closes_from_either_side),
		FOR_BOTH(syn_on_a_closed_connection_restarts_it),
		FOR_BOTH(udp_answers_belong),
		FOR_BOTH(echo_belongs_by_identifier),
		FOR_BOTH(responder_cannot_open_back),
		FOR_BOTH(echo_does_not_cover_other_messages),
		FOR_BOTH(reply_belongs_to_its_query),
		FOR_BOTH(idle_connection_is_no_more),
		FOR_BOTH(moved_address_inherits_nothing),
		FOR_BOTH(full_table_refuses),
		FOR_BOTH(full_table_recovers),
	};

	return expect_main(tests, sizeof(tests) / sizeof(tests[0]), "connection");
}
