/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Decisions: identities, classes, port tables, both directions together, and what a denial tells.
 */
#include "expect.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>

static struct world_rule rule(uint32_t subject, enum abi_direction direction, uint32_t peer,
	uint16_t port, uint8_t length, struct abi_decision decision)
{
	return (struct world_rule){subject, direction, peer, ABI_TCP, port, length, decision};
}

/* Passes; then isolates the subject, and the same is refused by isolation, and says so. */
static void isolation_refuses(struct world *world, const struct end *subject,
	enum abi_direction direction, const struct frame_description *description)
{
	struct abi_denial_key key = {0};
	struct abi_denial denial;

	expect_pass(world, description);
	expect_reset(world);
	world_isolate(world, subject, direction, DECISION_NONE);
	expect_apply(world);
	expect_refused(world, description, REASON_POLICY_DENIED);
	expect_no_connection(world, description);
	assert_int_equal(world_denial(world, REASON_POLICY_DENIED, &key, &denial), 0);
	assert_int_equal(key.rule, RULE_NONE_ALLOWS);
	assert_int_equal(key.direction, direction);
	assert_memory_equal(key.source, &description->source.address, 16);
	assert_memory_equal(key.destination, &description->destination.address, 16);
	assert_int_equal(key.protocol, description->protocol);
	assert_int_equal(key.ethertype, world->ipv6 ? 0x86dd : 0x0800);
	assert_memory_equal(denial.source_mac, description->source.mac, 6);
	assert_memory_equal(denial.destination_mac, description->destination.mac, 6);
}

static void egress_of_the_source(void **state)
{
	struct world *world = *state;
	struct frame_description d = tcp(&world->web, &world->api, 40000, 8080, TCP_SYN);
	struct abi_denial_key key = {0};
	struct abi_denial denial;

	isolation_refuses(world, &world->web, ABI_EGRESS, &d);
	assert_int_equal(world_denial(world, REASON_POLICY_DENIED, &key, &denial), 0);
	assert_int_equal(key.port, 8080);
	assert_int_equal(denial.source_port, 40000);
	assert_int_equal(denial.tcp_flags, TCP_SYN);
}

/* Refused where it leaves: policy of the destination is asked at once. */
static void ingress_of_the_destination(void **state)
{
	struct world *world = *state;
	struct frame_description d = tcp(&world->web, &world->api, 40000, 8080, TCP_SYN);

	isolation_refuses(world, &world->api, ABI_INGRESS, &d);
}

static void ingress_from_outside(void **state)
{
	struct world *world = *state;
	struct frame_description d = tcp(&world->internet, &world->api, 40000, 8080, TCP_SYN);

	isolation_refuses(world, &world->api, ABI_INGRESS, &d);
}

static void egress_to_outside(void **state)
{
	struct world *world = *state;
	struct frame_description d = udp(&world->web, &world->internet, 40000, 443);

	isolation_refuses(world, &world->web, ABI_EGRESS, &d);
}

static void echo_is_judged(void **state)
{
	struct world *world = *state;
	struct frame_description d = echo(&world->web, &world->api, 5, false);
	struct abi_denial_key key = {0};
	struct abi_denial denial;

	isolation_refuses(world, &world->api, ABI_INGRESS, &d);
	assert_int_equal(world_denial(world, REASON_POLICY_DENIED, &key, &denial), 0);
	assert_int_equal(key.port, d.icmp_type << 8);
}

static void sctp_is_judged(void **state)
{
	struct world *world = *state;
	struct frame_description d = udp(&world->web, &world->api, 40000, 3868);

	d.protocol = IPPROTO_SCTP;
	isolation_refuses(world, &world->api, ABI_INGRESS, &d);
	world_rule(world, (struct world_rule){WORLD_API, ABI_INGRESS, WORLD_WEB, ABI_SCTP, 3868, 16,
				  DECISION_ALLOW});
	expect_apply(world);
	expect_pass(world, &d);
}

/* ESP, and the other family's ICMP: protocols without ports. */
static void other_protocols_are_judged(void **state)
{
	struct world *world = *state;
	const uint8_t protocols[] = {
		IPPROTO_ESP, IPPROTO_NONE, world->ipv6 ? IPPROTO_GRE : IPPROTO_ICMPV6};

	for (size_t i = 0; i < sizeof(protocols); i++) {
		struct frame_description d = {.source = world->web,
			.destination = world->api,
			.protocol = protocols[i],
			.body = "12345678",
			.body_size = 8};

		world_forget_policy(world);
		expect_reset(world);
		if (protocols[i] == IPPROTO_ICMPV6)
			d.icmp_type = 200;
		isolation_refuses(world, &world->web, ABI_EGRESS, &d);
	}
}

static void allowed_port_passes_and_names_its_rules(void **state)
{
	struct world *world = *state;
	struct frame_description d = tcp(&world->web, &world->api, 40000, 8080, TCP_SYN);
	struct abi_connection c;

	world_isolate(world, &world->web, ABI_EGRESS, DECISION_NONE);
	world_isolate(world, &world->api, ABI_INGRESS, DECISION_NONE);
	world_rule(world, rule(WORLD_WEB, ABI_EGRESS, WORLD_API, 8080, 16, DECISION_ALLOW));
	world_rule(world, rule(WORLD_API, ABI_INGRESS, WORLD_WEB, 8080, 16,
				  (struct abi_decision){.rule = 101, .verdict = ABI_ALLOW}));
	expect_apply(world);
	expect_handshake(world, &d);
	c = expect_connection(world, &d);
	assert_int_equal(c.rule[ABI_EGRESS], RULE_ALLOW);
	assert_int_equal(c.rule[ABI_INGRESS], 101);
	d.destination_port = 8081;
	expect_refused(world, &d, REASON_POLICY_DENIED);
	d = tcp(&world->intruder, &world->api, 40000, 8080, TCP_SYN);
	expect_refused(world, &d, REASON_POLICY_DENIED);
}

/* 8192/8 bits is 8192 to 8447; one port of them is decided by itself. */
static void longest_port_prefix_decides(void **state)
{
	static const struct {
		uint16_t port;
		bool passes;
	} cases[] = {{8191, false}, {8192, true}, {8299, true}, {8300, false}, {8301, true},
		{8447, true}, {8448, false}, {0, false}, {65535, false}};
	struct world *world = *state;

	world_isolate(world, &world->api, ABI_INGRESS, DECISION_NONE);
	world_rule(world, rule(WORLD_API, ABI_INGRESS, WORLD_WEB, 8192, 8, DECISION_ALLOW));
	world_rule(world, rule(WORLD_API, ABI_INGRESS, WORLD_WEB, 8300, 16, DECISION_DENY));
	expect_apply(world);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct frame_description d =
			tcp(&world->web, &world->api, 40000, cases[i].port, TCP_SYN);

		if (cases[i].passes)
			expect_pass(world, &d);
		else
			expect_refused(world, &d, REASON_POLICY_DENIED);
	}
}

static void whole_protocol_is_a_prefix_of_no_bits(void **state)
{
	struct world *world = *state;
	struct frame_description d = tcp(&world->web, &world->api, 40000, 4711, TCP_SYN);
	struct frame_description datagram = udp(&world->web, &world->api, 40000, 4711);

	world_isolate(world, &world->api, ABI_INGRESS, DECISION_NONE);
	world_rule(world, rule(WORLD_API, ABI_INGRESS, WORLD_WEB, 0, 0, DECISION_ALLOW));
	expect_apply(world);
	expect_pass(world, &d);
	expect_refused(world, &datagram, REASON_POLICY_DENIED);
}

static void denials_aggregate(void **state)
{
	struct world *world = *state;
	struct frame_description d = tcp(&world->web, &world->api, 40000, 22, TCP_SYN);
	struct abi_denial_key key = {0};
	struct abi_denial denial;

	world_isolate(world, &world->api, ABI_INGRESS, DECISION_DENY);
	expect_apply(world);
	for (int i = 0; i < 100; i++) {
		expect_refused(world, &d, REASON_POLICY_DENIED);
		d.source_port++;
	}
	assert_int_equal(world_denials_count(world), 1);
	assert_int_equal(world_denial(world, REASON_POLICY_DENIED, &key, &denial), 0);
	assert_int_equal(denial.packets, 100);
	assert_int_equal(denial.bytes, 100 * (frame_build(&d).size - 14));
	assert_int_equal(denial.source_port, 40000);
	assert_int_equal(key.rule, RULE_DENY);
	assert_int_equal(world_take_events(world).count[ABI_EVENT_DENIED], 1);
}

/* More kinds of refusal than the table holds: counted as lost, and exact in the counter. */
static void full_denials_are_counted(void **state)
{
	struct world *world = *state;
	struct frame_description d = tcp(&world->web, &world->api, 40000, 1, TCP_SYN);
	const uint32_t sent = 1500;
	uint32_t verdict;

	world_isolate(world, &world->api, ABI_INGRESS, DECISION_DENY);
	expect_apply(world);
	for (uint32_t i = 0; i < sent; i++) {
		struct frame frame;

		d.destination_port = (uint16_t)(1 + i);
		frame = frame_build(&d);
		assert_int_equal(
			world_send(world, &frame, ABI_EGRESS, world->web.ifindex, &verdict), 0);
		assert_int_equal(verdict, WORLD_REFUSE);
	}
	assert_int_equal(world_counter(world, REASON_POLICY_DENIED, ABI_EGRESS, NULL), sent);
	assert_true(world_denials_count(world) < sent);
	assert_int_equal(
		world_loss(world, ABI_LOSS_DENIAL_AGGREGATE), sent - world_denials_count(world));
}

static void audit_passes_and_is_marked(void **state)
{
	struct world *world = *state;
	struct frame_description d = tcp(&world->web, &world->api, 40000, 8080, TCP_SYN);
	struct abi_connection c;

	world_isolate(world, &world->api, ABI_INGRESS,
		(struct abi_decision){.rule = 7,
			.verdict = ABI_ALLOW,
			.flags = ABI_DECISION_AUDIT | ABI_DECISION_LOG});
	expect_apply(world);
	expect_pass(world, &d);
	c = expect_connection(world, &d);
	assert_true(c.flags & ABI_CONNECTION_AUDITED);
	assert_false(c.flags & ABI_CONNECTION_AUDITED_EGRESS);
	assert_true(c.flags & ABI_CONNECTION_LOG);
	assert_int_equal(c.rule[ABI_INGRESS], 7);
	assert_int_equal(world_counter(world, REASON_AUDITED, ABI_EGRESS, NULL), 1);
	assert_int_equal(world_counter(world, REASON_POLICY_ALLOWED, ABI_EGRESS, NULL), 0);
}

static void denial_keeps_the_flags_of_its_decision(void **state)
{
	struct world *world = *state;
	struct frame_description d = tcp(&world->web, &world->api, 40000, 8080, TCP_SYN);
	struct abi_denial_key key = {0};
	struct abi_denial denial;

	expect_pass(world, &d);
	expect_reset(world);
	world_isolate(world, &world->api, ABI_INGRESS,
		(struct abi_decision){.rule = 7,
			.verdict = ABI_DENY,
			.flags = ABI_DECISION_REJECT | ABI_DECISION_LOG});
	expect_apply(world);
	expect_refused(world, &d, REASON_POLICY_DENIED);
	assert_int_equal(world_denial(world, REASON_POLICY_DENIED, &key, &denial), 0);
	assert_int_equal(denial.decision_flags, ABI_DECISION_REJECT | ABI_DECISION_LOG);
}

static void workload_reaches_itself(void **state)
{
	struct world *world = *state;
	struct frame_description d = tcp(&world->web, &world->web, 40000, 8080, TCP_SYN);

	world_isolate(world, &world->web, ABI_INGRESS, DECISION_DENY);
	world_isolate(world, &world->web, ABI_EGRESS, DECISION_DENY);
	expect_apply(world);
	expect_pass(world, &d);
	d.destination = world->api;
	expect_refused(world, &d, REASON_POLICY_DENIED);
}

static struct end group(const struct world *world)
{
	struct end end = {.mac = {1, 0, 0x5e, 0, 0, 0xfb}};

	address_parse(world->ipv6 ? "ff02::fb" : "224.0.0.251", &end.address);
	return end;
}

/* The sender's egress where it leaves, each receiver's own ingress where it enters. */
static void multicast_asks_each_receiver(void **state)
{
	struct world *world = *state;
	struct end to = group(world);
	struct frame_description d = udp(&world->web, &to, 5353, 5353);
	struct frame_description outside = udp(&world->internet, &to, 5353, 5353);

	expect_pass_at(world, &d, ABI_EGRESS, &world->web);
	expect_pass_at(world, &d, ABI_INGRESS, &world->api);
	expect_pass_at(world, &d, ABI_INGRESS, &world->intruder);
	expect_pass_at(world, &outside, ABI_INGRESS, &world->api);
	world_isolate(world, &world->api, ABI_INGRESS, DECISION_NONE);
	expect_apply(world);
	expect_pass_at(world, &d, ABI_EGRESS, &world->web);
	expect_refused_at(world, &d, ABI_INGRESS, &world->api, REASON_POLICY_DENIED);
	expect_refused_at(world, &outside, ABI_INGRESS, &world->api, REASON_POLICY_DENIED);
	expect_pass_at(world, &d, ABI_INGRESS, &world->intruder);
	world_isolate(world, &world->web, ABI_EGRESS, DECISION_NONE);
	expect_apply(world);
	expect_refused_at(world, &d, ABI_EGRESS, &world->web, REASON_REVOKED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		FOR_BOTH(egress_of_the_source),
		FOR_BOTH(ingress_of_the_destination),
		FOR_BOTH(ingress_from_outside),
		FOR_BOTH(egress_to_outside),
		FOR_BOTH(echo_is_judged),
		FOR_BOTH(sctp_is_judged),
		FOR_BOTH(other_protocols_are_judged),
		FOR_BOTH(allowed_port_passes_and_names_its_rules),
		FOR_BOTH(longest_port_prefix_decides),
		FOR_BOTH(whole_protocol_is_a_prefix_of_no_bits),
		FOR_BOTH(denials_aggregate),
		FOR_BOTH(full_denials_are_counted),
		FOR_BOTH(audit_passes_and_is_marked),
		FOR_BOTH(denial_keeps_the_flags_of_its_decision),
		FOR_BOTH(workload_reaches_itself),
		FOR_BOTH(multicast_asks_each_receiver),
	};

	return expect_main(tests, sizeof(tests) / sizeof(tests[0]), "policy");
}
