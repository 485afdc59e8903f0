/* SPDX-License-Identifier: GPL-2.0-or-later */
/* TCP connections that are older than the enforcement. */
#include "expect.h"

#define ADOPTION_NS 30000000000ULL

static void attach(struct world *world, const struct end *end, uint64_t attached_ns)
{
	struct abi_endpoint endpoint;

	assert_int_equal(world_get_endpoint(world, end, &endpoint), 0);
	endpoint.attached_ns = attached_ns;
	endpoint.adoption_ns = ADOPTION_NS;
	assert_int_equal(world_set_endpoint(world, end, &endpoint), 0);
}

/* web may speak to api at 8080, and api to nobody. */
static void three_tiers(struct world *world)
{
	world_isolate(world, &world->api, ABI_INGRESS, DECISION_NONE);
	world_isolate(world, &world->api, ABI_EGRESS, DECISION_NONE);
	world_rule(world, (struct world_rule){WORLD_API, ABI_INGRESS, WORLD_WEB, ABI_TCP, 8080, 16,
				  DECISION_ALLOW});
	expect_apply(world);
}

static void midstream_is_adopted_as_sent(void **state)
{
	struct world *world = *state;
	struct frame_description d = tcp(&world->web, &world->api, 40000, 8080, TCP_ACK | TCP_PSH);
	struct abi_connection c;

	three_tiers(world);
	expect_refused(world, &d, REASON_NO_CONNECTION);
	attach(world, &world->web, world_now_ns());
	expect_pass(world, &d);
	c = expect_connection(world, &d);
	assert_true(c.flags & ABI_CONNECTION_ADOPTED);
	assert_true(c.flags & ABI_CONNECTION_ESTABLISHED);
	assert_int_equal(c.originator, 0);
	assert_int_equal(c.rule[ABI_INGRESS], RULE_ALLOW);
	assert_int_equal(c.packets[ABI_ORIGINATOR], 1);
	assert_int_equal(world_counter(world, REASON_ADOPTED, ABI_EGRESS, NULL), 1);
	assert_int_equal(world_take_events(world).count[ABI_EVENT_NEW], 1);
	d = reversed(&d);
	expect_pass(world, &d);
}

/* The server speaks first: policy allows the connection the other way round. */
static void midstream_is_adopted_turned_round(void **state)
{
	struct world *world = *state;
	struct frame_description d = tcp(&world->api, &world->web, 8080, 40000, TCP_ACK | TCP_PSH);
	struct abi_connection c;

	three_tiers(world);
	expect_refused(world, &d, REASON_NO_CONNECTION);
	attach(world, &world->web, world_now_ns()); /* the other end's hook is enough */
	expect_pass(world, &d);
	c = expect_connection(world, &d);
	assert_int_equal(c.originator, 0); /* web */
	assert_int_equal(c.packets[ABI_RESPONDER], 1);
	assert_int_equal(c.packets[ABI_ORIGINATOR], 0);
	assert_true(c.flags & ABI_CONNECTION_ADOPTED);
}

static void forbidden_either_way_is_refused(void **state)
{
	struct world *world = *state;
	struct frame_description d = tcp(&world->api, &world->intruder, 22, 2222, TCP_ACK);
	struct abi_denial_key key = {0};
	struct abi_denial denial;

	attach(world, &world->api, world_now_ns());
	expect_pass(world, &d);
	expect_reset(world);
	attach(world, &world->api, world_now_ns());
	three_tiers(world);
	expect_refused(world, &d, REASON_POLICY_DENIED);
	assert_int_equal(world_denial(world, REASON_POLICY_DENIED, &key, &denial), 0);
	assert_int_equal(key.direction, ABI_EGRESS); /* as it was sent */
	expect_no_connection(world, &d);
}

/* Nothing keeps api from opening something to the intruder; but this is no such connection. */
static void ports_name_the_originator(void **state)
{
	struct world *world = *state;
	struct frame_description d = tcp(&world->api, &world->intruder, 22, 40000, TCP_ACK);
	struct abi_denial_key key = {0};
	struct abi_denial denial;

	attach(world, &world->api, world_now_ns());
	world_isolate(world, &world->api, ABI_INGRESS, DECISION_NONE);
	expect_apply(world);
	expect_refused(world, &d, REASON_POLICY_DENIED);
	assert_int_equal(world_denial(world, REASON_POLICY_DENIED, &key, &denial), 0);
	assert_int_equal(key.direction, ABI_INGRESS);
	d = reversed(&d);
	expect_refused(world, &d, REASON_POLICY_DENIED);
	expect_no_connection(world, &d);
	d = tcp(&world->api, &world->intruder, 40000, 22, TCP_ACK); /* its own */
	expect_pass(world, &d);
}

/* Nobody can tell who began: it is not api's own for want of a policy on what api opens. */
static void unnamed_one_way_is_refused(void **state)
{
	struct world *world = *state;
	struct frame_description d = tcp(&world->api, &world->intruder, 22, 2222, TCP_ACK);
	struct abi_denial_key key = {0};
	struct abi_denial denial;

	attach(world, &world->api, world_now_ns());
	expect_pass(world, &d); /* allowed either way */
	expect_reset(world);
	attach(world, &world->api, world_now_ns());
	world_isolate(world, &world->api, ABI_INGRESS, DECISION_NONE);
	expect_apply(world);
	expect_refused(world, &d, REASON_POLICY_DENIED);
	assert_int_equal(world_denial(world, REASON_POLICY_DENIED, &key, &denial), 0);
	assert_int_equal(key.direction, ABI_INGRESS);
	d = reversed(&d);
	expect_refused(world, &d, REASON_POLICY_DENIED);
	expect_no_connection(world, &d);
}

static void named_one_way_is_adopted(void **state)
{
	struct world *world = *state;
	struct frame_description d = tcp(&world->api, &world->web, 8080, 2222, TCP_ACK);
	struct abi_connection c;

	attach(world, &world->api, world_now_ns());
	three_tiers(world);
	expect_pass(world, &d);
	c = expect_connection(world, &d);
	assert_int_equal(c.rule[ABI_INGRESS], RULE_ALLOW);
	assert_int_equal(c.packets[ABI_RESPONDER], 1);
	d = tcp(&world->web, &world->api, 2223, 8080, TCP_ACK); /* the other end speaks first */
	expect_pass(world, &d);
	assert_int_equal(expect_connection(world, &d).packets[ABI_ORIGINATOR], 1);
}

static void syn_ack_names_the_originator(void **state)
{
	struct world *world = *state;
	struct frame_description d = tcp(&world->api, &world->web, 8080, 40000, TCP_SYN | TCP_ACK);
	struct abi_connection c;

	attach(world, &world->api, world_now_ns());
	expect_pass(world, &d); /* allowed both ways, and yet */
	c = expect_connection(world, &d);
	assert_int_equal(c.originator, 0); /* web */
	assert_false(c.flags & ABI_CONNECTION_ESTABLISHED);
	d = tcp(&world->web, &world->api, 40000, 8080, TCP_ACK);
	expect_pass(world, &d);
	assert_true(expect_connection(world, &d).flags & ABI_CONNECTION_ESTABLISHED);
}

static void adoption_ends(void **state)
{
	struct world *world = *state;
	struct frame_description d = tcp(&world->web, &world->api, 40000, 8080, TCP_ACK);

	attach(world, &world->web, world_now_ns());
	expect_pass(world, &d);
	expect_reset(world);
	attach(world, &world->web, world_now_ns() - ADOPTION_NS - 1000000000);
	expect_refused(world, &d, REASON_NO_CONNECTION);
}

/* A FIN or nothing at all is a scan; a RST belongs to something that ends. */
static void scans_are_not_adopted(void **state)
{
	struct world *world = *state;
	struct frame_description d = tcp(&world->web, &world->api, 40000, 8080, TCP_FIN);

	attach(world, &world->web, world_now_ns());
	expect_refused(world, &d, REASON_NO_CONNECTION);
	d.tcp_flags = 0;
	expect_refused(world, &d, REASON_NO_CONNECTION);
	d.tcp_flags = TCP_RST;
	expect_pass(world, &d);
	assert_true(expect_connection(world, &d).flags & ABI_CONNECTION_RESET);
}

static void adopted_at_the_hook_it_enters(void **state)
{
	struct world *world = *state;
	struct frame_description d = tcp(&world->internet, &world->api, 40000, 8080, TCP_ACK);

	expect_refused(world, &d, REASON_NO_CONNECTION);
	attach(world, &world->api, world_now_ns());
	expect_pass(world, &d);
	assert_int_equal(expect_connection(world, &d).packets[ABI_ORIGINATOR], 1);
}

static void expect_generation(struct world *world, uint8_t verdict_of_web)
{
	world_forget_policy(world);
	world_isolate(world, &world->api, ABI_INGRESS, DECISION_NONE);
	if (verdict_of_web == ABI_ALLOW)
		world_rule(world, (struct world_rule){WORLD_API, ABI_INGRESS, WORLD_WEB, ABI_TCP,
					  8080, 16, DECISION_ALLOW});
	expect_apply(world);
}

/* The server spoke first, and policy told who it is that connected. */
static void judged_again_as_it_was_adopted(void **state)
{
	struct world *world = *state;
	struct frame_description d = tcp(&world->api, &world->web, 8080, 40000, TCP_ACK | TCP_PSH);
	struct abi_connection c;

	three_tiers(world);
	attach(world, &world->web, world_now_ns());
	expect_pass(world, &d);
	for (int i = 0; i < 3; i++) {
		expect_apply(world);
		expect_pass(world, &d);
		c = expect_connection(world, &d);
		assert_int_equal(c.originator, 0); /* web */
		assert_int_equal(c.generation, world->generation);
		assert_int_equal(c.rule[ABI_INGRESS], RULE_ALLOW);
		assert_int_equal(c.packets[ABI_RESPONDER], i + 2);
	}
	assert_int_equal(world_take_events(world).count[ABI_EVENT_NEW], 1);
}

/* As midstream_is_adopted_turned_round(), but for the ports: nobody can tell who began. Policy,
 * when it comes, does not take the server's word for its own connection. */
static void guessed_one_is_cut_with_its_client(void **state)
{
	struct world *world = *state;
	struct frame_description d = tcp(&world->api, &world->web, 50051, 40000, TCP_ACK | TCP_PSH);
	struct frame_description back = reversed(&d);

	attach(world, &world->api, world_now_ns());
	expect_pass(world, &d); /* allowed either way */
	expect_pass(world, &back);
	attach(world, &world->api, world_now_ns() - ADOPTION_NS - 1000000000);
	world_isolate(world, &world->api, ABI_INGRESS, DECISION_NONE);
	expect_apply(world);
	expect_refused(world, &d, REASON_REVOKED);
	expect_refused(world, &back, REASON_NO_CONNECTION);
	expect_refused(world, &d, REASON_NO_CONNECTION);
}

/* Where a rule names the way that was not guessed, it goes on as another connection. */
static void guessed_one_turns_to_what_policy_names(void **state)
{
	struct world *world = *state;
	struct frame_description d = tcp(&world->api, &world->web, 8080, 2222, TCP_ACK | TCP_PSH);
	struct frame_description back = reversed(&d), syn = d;
	struct abi_connection before, after;
	struct world_events events;

	attach(world, &world->api, world_now_ns());
	expect_pass(world, &d);
	expect_pass(world, &d);
	expect_pass(world, &back);
	before = expect_connection(world, &d);
	assert_int_equal(before.originator, 1); /* api */
	attach(world, &world->api, world_now_ns() - ADOPTION_NS - 1000000000);
	world_take_events(world);
	three_tiers(world);
	expect_pass(world, &d);
	after = expect_connection(world, &d);
	assert_int_equal(after.originator, 0); /* web */
	assert_int_equal(after.packets[ABI_ORIGINATOR], 0);
	assert_int_equal(after.packets[ABI_RESPONDER], 1);
	assert_int_equal(after.ifindex[ABI_ORIGINATOR], before.ifindex[ABI_RESPONDER]);
	assert_int_equal(after.rule[ABI_INGRESS], RULE_ALLOW);
	assert_true(after.flags & ABI_CONNECTION_ESTABLISHED);
	assert_true(after.flags & ABI_CONNECTION_ADOPTED);
	events = world_take_events(world);
	assert_int_equal(events.count[ABI_EVENT_END], 1);
	assert_int_equal(events.last[ABI_EVENT_END].connection.value.id, before.id);
	assert_int_equal(events.last[ABI_EVENT_END].connection.value.packets[ABI_ORIGINATOR], 2);
	assert_int_equal(events.count[ABI_EVENT_NEW], 1);
	assert_int_equal(events.last[ABI_EVENT_NEW].connection.value.id, after.id);
	expect_pass(world, &back);
	assert_int_equal(expect_connection(world, &d).packets[ABI_ORIGINATOR], 1);
	/* What api would open it is asked for, as for any other. */
	syn.tcp_flags = TCP_SYN;
	expect_refused(world, &syn, REASON_POLICY_DENIED);
}

/* It was opened before our eyes, if late. */
static void what_a_syn_ack_says_is_no_guess(void **state)
{
	struct world *world = *state;
	struct frame_description d = tcp(&world->api, &world->web, 8080, 2222, TCP_SYN | TCP_ACK);
	struct frame_description back = reversed(&d);

	attach(world, &world->api, world_now_ns());
	expect_pass(world, &d);
	back.tcp_flags = TCP_ACK;
	expect_pass(world, &back);
	world_isolate(world, &world->web, ABI_EGRESS, DECISION_NONE);
	world_isolate(world, &world->web, ABI_INGRESS, DECISION_NONE);
	world_rule(world, (struct world_rule){WORLD_WEB, ABI_INGRESS, WORLD_API, ABI_TCP, 2222, 16,
				  DECISION_ALLOW});
	expect_apply(world);
	expect_refused(world, &d, REASON_REVOKED);
}

/* Nothing keeps api from opening connections to web, and the ports do not tell who opened this one:
 * still the server's segments are not the first ones of a connection of its own. */
static void revoked_is_not_adopted_turned_round(void **state)
{
	struct world *world = *state;
	struct frame_description d = tcp(&world->web, &world->api, 3000, 8080, TCP_ACK);
	struct frame_description back = reversed(&d);
	struct abi_connection c;

	expect_generation(world, ABI_ALLOW);
	attach(world, &world->web, world_now_ns());
	expect_pass(world, &d);
	expect_pass(world, &back);
	expect_generation(world, ABI_DENY);
	for (int i = 0; i < 3; i++) {
		expect_refused(world, &back, REASON_REVOKED);
		expect_refused(world, &d, REASON_REVOKED);
	}
	/* Allowed again it goes on, as any that adoption meets. */
	expect_generation(world, ABI_ALLOW);
	expect_pass(world, &back);
	c = expect_connection(world, &d);
	assert_int_equal(c.originator, 0);
	assert_false(c.flags & ABI_CONNECTION_RESET);
}

static void revoked_gives_way_to_what_is_opened(void **state)
{
	struct world *world = *state;
	struct frame_description d = tcp(&world->web, &world->api, 3000, 8080, TCP_ACK);
	struct frame_description syn = tcp(&world->api, &world->web, 8080, 3000, TCP_SYN);

	attach(world, &world->web, world_now_ns());
	expect_pass(world, &d);
	expect_generation(world, ABI_DENY);
	expect_refused(world, &d, REASON_REVOKED);
	d.tcp_flags = TCP_SYN;
	expect_refused(world, &d, REASON_POLICY_DENIED);
	expect_handshake(world, &syn);
	assert_int_equal(expect_connection(world, &syn).originator, 1); /* api */
}

static void revoked_leaves_with_adoption(void **state)
{
	struct world *world = *state;
	struct frame_description d = tcp(&world->web, &world->api, 3000, 8080, TCP_ACK);
	const uint64_t attached_ns = world_now_ns();
	struct abi_connection c;

	attach(world, &world->api, attached_ns); /* the other end's is enough */
	expect_pass(world, &d);
	expect_generation(world, ABI_DENY);
	expect_refused(world, &d, REASON_REVOKED);
	c = expect_connection(world, &d);
	assert_true(c.flags & ABI_CONNECTION_RESET);
	assert_int_equal(c.last_ns, attached_ns + ADOPTION_NS);
	attach(world, &world->api, attached_ns - ADOPTION_NS - 1000000000);
	expect_refused(world, &d, REASON_REVOKED); /* and with that it is gone */
	expect_no_connection(world, &d);
	expect_refused(world, &d, REASON_NO_CONNECTION);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		FOR_BOTH(midstream_is_adopted_as_sent),
		FOR_BOTH(midstream_is_adopted_turned_round),
		FOR_BOTH(forbidden_either_way_is_refused),
		FOR_BOTH(ports_name_the_originator),
		FOR_BOTH(unnamed_one_way_is_refused),
		FOR_BOTH(named_one_way_is_adopted),
		FOR_BOTH(syn_ack_names_the_originator),
		FOR_BOTH(adoption_ends),
		FOR_BOTH(scans_are_not_adopted),
		FOR_BOTH(adopted_at_the_hook_it_enters),
		FOR_BOTH(judged_again_as_it_was_adopted),
		FOR_BOTH(guessed_one_is_cut_with_its_client),
		FOR_BOTH(guessed_one_turns_to_what_policy_names),
		FOR_BOTH(what_a_syn_ack_says_is_no_guess),
		FOR_BOTH(revoked_is_not_adopted_turned_round),
		FOR_BOTH(revoked_gives_way_to_what_is_opened),
		FOR_BOTH(revoked_leaves_with_adoption),
	};

	return expect_main(tests, sizeof(tests) / sizeof(tests[0]), "adopt");
}
