/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Policy changes under running connections. */
#include "expect.h"

#include <string.h>

static void allow_web(struct world *world, uint32_t rule)
{
	world_isolate(world, &world->api, ABI_INGRESS, DECISION_NONE);
	world_rule(world, (struct world_rule){WORLD_API, ABI_INGRESS, WORLD_WEB, ABI_TCP, 8080, 16,
				  {.rule = rule, .verdict = ABI_ALLOW}});
}

/* The same connection, its counters going on, under the new rule. */
static void allowed_connection_goes_on(void **state)
{
	struct world *world = *state;
	struct frame_description d = tcp(&world->web, &world->api, 40000, 8080, TCP_SYN);
	struct abi_connection before, after;

	expect_handshake(world, &d);
	before = expect_connection(world, &d);
	allow_web(world, 55);
	expect_apply(world);
	d.tcp_flags = TCP_ACK;
	expect_pass(world, &d);
	after = expect_connection(world, &d);
	assert_int_equal(after.id, before.id);
	assert_int_equal(after.start_ns, before.start_ns);
	assert_int_equal(after.generation, world->generation);
	assert_int_equal(after.rule[ABI_INGRESS], 55);
	assert_int_equal(after.packets[ABI_ORIGINATOR], before.packets[ABI_ORIGINATOR] + 1);
	assert_true(after.flags & ABI_CONNECTION_ESTABLISHED);
	assert_int_equal(after.tcp_flags[ABI_RESPONDER], before.tcp_flags[ABI_RESPONDER]);
}

/* A reply after the change: judged in the orientation in which the connection was opened. */
static void reply_is_judged_as_the_connection_was(void **state)
{
	struct world *world = *state;
	struct frame_description d = tcp(&world->web, &world->api, 40000, 8080, TCP_SYN);
	struct frame_description back = reversed(&d);

	expect_handshake(world, &d);
	allow_web(world, 55);
	world_isolate(world, &world->api, ABI_EGRESS, DECISION_NONE);
	expect_apply(world);
	back.tcp_flags = TCP_ACK;
	expect_pass(world, &back);
	assert_int_equal(expect_connection(world, &d).generation, world->generation);
}

static void revoked_by(struct world *world, bool reply)
{
	struct frame_description d = tcp(&world->web, &world->api, 40000, 8080, TCP_SYN);
	struct frame_description packet = d;
	struct abi_denial_key key = {0};
	struct abi_denial denial;
	struct world_events events;
	uint32_t id;

	expect_handshake(world, &d);
	packet.tcp_flags = TCP_ACK;
	expect_pass(world, &packet);
	id = expect_connection(world, &d).id;
	world_take_events(world);
	world_isolate(world, &world->api, ABI_INGRESS, DECISION_DENY);
	expect_apply(world);
	if (reply)
		packet = reversed(&packet);
	expect_refused(world, &packet, REASON_REVOKED);
	expect_no_connection(world, &d);
	assert_int_equal(world_denial(world, REASON_REVOKED, &key, &denial), 0);
	assert_int_equal(key.rule, RULE_DENY);
	assert_int_equal(key.direction, ABI_INGRESS);
	assert_memory_equal(key.source, &packet.source.address, 16);
	events = world_take_events(world);
	assert_int_equal(events.count[ABI_EVENT_END], 1);
	assert_int_equal(events.last[ABI_EVENT_END].connection.value.id, id);
	expect_refused(world, &packet, REASON_NO_CONNECTION);
	d.tcp_flags = TCP_SYN;
	expect_refused(world, &d, REASON_POLICY_DENIED);
}

static void next_packet_of_the_originator_is_refused(void **state)
{
	revoked_by(*state, false);
}

static void next_packet_of_the_responder_is_refused(void **state)
{
	revoked_by(*state, true);
}

static void datagrams_are_revoked(void **state)
{
	struct world *world = *state;
	struct frame_description d = udp(&world->internet, &world->api, 5000, 53);

	expect_pass(world, &d);
	expect_pass(world, &d);
	world_isolate(world, &world->api, ABI_INGRESS, DECISION_DENY);
	expect_apply(world);
	expect_refused(world, &d, REASON_REVOKED);
	expect_refused(world, &d, REASON_POLICY_DENIED);
}

static void echo_is_judged_again_by_its_type(void **state)
{
	struct world *world = *state;
	struct frame_description request = echo(&world->web, &world->api, 9, false);
	struct frame_description reply = echo(&world->api, &world->web, 9, true);

	expect_pass(world, &request);
	world_isolate(world, &world->api, ABI_INGRESS, DECISION_NONE);
	world_rule(world, (struct world_rule){WORLD_API, ABI_INGRESS, WORLD_WEB,
				  world->ipv6 ? ABI_ICMPV6 : ABI_ICMP,
				  (uint16_t)(request.icmp_type << 8), 16, DECISION_ALLOW});
	expect_apply(world);
	expect_pass(world, &reply);
	world_forget_policy(world);
	world_isolate(world, &world->api, ABI_INGRESS, DECISION_NONE);
	expect_apply(world);
	expect_refused(world, &reply, REASON_REVOKED);
}

/* A packet on a CPU that read the older generation just before the swap. */
static void newer_decision_stands(void **state)
{
	struct world *world = *state;
	struct frame_description d = udp(&world->web, &world->api, 5000, 53);
	struct abi_connection_key key;
	struct abi_connection c;

	expect_pass(world, &d);
	assert_int_equal(world_connection(world, &d, &key, &c), 0);
	c.generation = world->generation + 1;
	assert_int_equal(world_set_connection(world, &key, &c), 0);
	expect_pass(world, &d);
	assert_int_equal(expect_connection(world, &d).generation, world->generation + 1);
}

static void audit_comes_and_goes(void **state)
{
	struct world *world = *state;
	struct frame_description d = udp(&world->web, &world->api, 5000, 53);

	expect_pass(world, &d);
	world_isolate(world, &world->api, ABI_INGRESS,
		(struct abi_decision){
			.rule = 7, .verdict = ABI_ALLOW, .flags = ABI_DECISION_AUDIT});
	expect_apply(world);
	expect_pass(world, &d);
	assert_true(expect_connection(world, &d).flags & ABI_CONNECTION_AUDITED);
	world_forget_policy(world);
	expect_apply(world);
	expect_pass(world, &d);
	assert_false(expect_connection(world, &d).flags & ABI_CONNECTION_AUDITED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		FOR_BOTH(allowed_connection_goes_on),
		FOR_BOTH(reply_is_judged_as_the_connection_was),
		FOR_BOTH(next_packet_of_the_originator_is_refused),
		FOR_BOTH(next_packet_of_the_responder_is_refused),
		FOR_BOTH(datagrams_are_revoked),
		FOR_BOTH(echo_is_judged_again_by_its_type),
		FOR_BOTH(newer_decision_stands),
		FOR_BOTH(audit_comes_and_goes),
	};

	return expect_main(tests, sizeof(tests) / sizeof(tests[0]), "revoke");
}
