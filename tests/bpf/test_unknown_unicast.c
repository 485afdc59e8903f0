/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a bridge floods, since it does not know the MAC: for one workload, and at the hooks of all.
 */
#include "expect.h"

#include <net/if_arp.h>
#include <netinet/icmp6.h>
#include <netinet/in.h>
#include <string.h>

#define VLAN_TAG 0x8100

static const struct abi_decision decision_reject = {
	.rule = RULE_DENY, .verdict = ABI_DENY, .flags = ABI_DECISION_REJECT};

/* Its receiver gets it, and whoever would be allowed to talk to the bystander is not heard by it.
 */
static void bystander_does_not_get_it(void **state)
{
	struct world *world = *state;
	struct frame_description d = udp(&world->web, &world->api, 5000, 53);
	struct frame_description in = udp(&world->internet, &world->api, 5000, 53);

	expect_pass(world, &d);
	expect_kept(world, &d, &world->intruder);
	expect_pass(world, &in);
	expect_kept(world, &in, &world->intruder);
	d.destination = world->intruder;
	expect_pass(world, &d);
}

/* Who forbids the bystander to hear of the sender has forbidden nothing between sender and
 * receiver: no denial, no hit of the rule, no answer. */
static void policy_of_the_bystander_is_not_asked(void **state)
{
	struct world *world = *state;
	struct frame_description d = tcp(&world->web, &world->api, 40000, 8080, TCP_SYN);
	struct frame_description own = tcp(&world->web, &world->intruder, 40000, 8080, TCP_SYN);

	expect_pass(world, &own);
	world_isolate(world, &world->intruder, ABI_INGRESS, decision_reject);
	expect_apply(world);
	expect_pass(world, &d);
	expect_kept(world, &d, &world->intruder);
	assert_int_equal(world_hits(world, RULE_DENY), 0);
	own.source_port++;
	expect_refused(world, &own, REASON_POLICY_DENIED);
	assert_int_equal(world_hits(world, RULE_DENY), 1);
}

static void connection_is_not_harmed(void **state)
{
	struct world *world = *state;
	struct frame_description d = tcp(&world->web, &world->api, 40000, 8080, TCP_SYN);
	uint32_t id;

	expect_handshake(world, &d);
	id = expect_connection(world, &d).id;
	expect_kept(world, &d, &world->intruder);
	d.tcp_flags = TCP_RST;
	expect_kept(world, &d, &world->intruder);
	expect_apply(world);
	d.tcp_flags = TCP_ACK;
	expect_kept(world, &d, &world->intruder);
	assert_int_equal(expect_connection(world, &d).id, id);
	expect_pass(world, &d);
}

static void no_kind_of_frame_is_another(void **state)
{
	static const uint8_t body[64];
	struct world *world = *state;
	const struct end *web = &world->web;
	struct frame_description later = udp(web, &world->api, 5000, 53);
	struct frame_description error = echo(web, &world->api, 1, false);
	struct frame_description type = udp(web, &world->api, 5000, 53);
	struct frame_description tag = type, stray = tcp(web, &world->api, 1, 2, TCP_ACK);
	struct frame reply = frame_arp(ARPOP_REPLY, web, web, &world->api.address);
	struct frame garbled = frame_build(&type);

	later.fragment = true;
	later.fragment_offset = 64;
	later.body = error.body = body;
	later.body_size = error.body_size = sizeof(body);
	error.icmp_type = world->ipv6 ? ICMP6_DST_UNREACH : 3;
	type.ethertype = WORLD_ETHERTYPE;
	tag.vlan_types[0] = VLAN_TAG;
	memcpy(reply.bytes, world->api.mac, sizeof(world->api.mac));
	garbled.bytes[garbled.network] = 0; /* no version */
	expect_kept(world, &later, &world->intruder);
	expect_kept(world, &error, &world->intruder);
	expect_kept(world, &type, &world->intruder);
	expect_kept(world, &tag, &world->intruder);
	expect_kept(world, &stray, &world->intruder);
	expect_frame_kept(world, &reply, &world->intruder);
	expect_frame_kept(world, &garbled, &world->intruder);
	/* And not one of them at the receiver's own hook. */
	expect_pass_at(world, &type, ABI_INGRESS, &world->api);
	expect_frame_pass(world, &reply, ABI_INGRESS, &world->api);
	expect_refused_at(world, &tag, ABI_INGRESS, &world->api, REASON_UNSUPPORTED_ETHERTYPE);
	expect_refused_at(world, &later, ABI_INGRESS, &world->api, REASON_FRAGMENT_WITHOUT_FIRST);
	expect_frame_refused(world, &garbled, ABI_INGRESS, &world->api, REASON_MALFORMED);
}

/* One of the two is its own: a router's next packet, and a neighbour's old entry. */
static void own_mac_or_own_address_is_its_business(void **state)
{
	struct world *world = *state;
	struct end through = world->api, stale = world->api;
	struct frame_description routed, stale_entry;

	through.address = world->internet.address;
	memcpy(stale.mac, world->intruder.mac, sizeof(stale.mac));
	routed = udp(&world->host, &through, 5000, 53);
	stale_entry = udp(&world->host, &stale, 5001, 53);
	expect_pass_at(world, &routed, ABI_INGRESS, &world->api);
	expect_pass_at(world, &stale_entry, ABI_INGRESS, &world->api);
	world_isolate(world, &world->api, ABI_INGRESS, DECISION_NONE);
	expect_apply(world);
	expect_refused_at(world, &routed, ABI_INGRESS, &world->api, REASON_POLICY_DENIED);
	expect_refused_at(world, &stale_entry, ABI_INGRESS, &world->api, REASON_REVOKED);
	assert_int_equal(world_counter(world, REASON_UNKNOWN_UNICAST, ABI_INGRESS, NULL), 0);
}

/* An address of one in a frame to many is still the receiver's policy to judge. */
static void frames_to_many_are_judged(void **state)
{
	struct world *world = *state;
	struct end all = world->api;
	struct frame_description d;

	memset(all.mac, 0xff, sizeof(all.mac));
	d = udp(&world->host, &all, 5000, 53);
	expect_pass_at(world, &d, ABI_INGRESS, &world->intruder);
	world_isolate(world, &world->intruder, ABI_INGRESS, DECISION_NONE);
	expect_apply(world);
	expect_refused_at(world, &d, ABI_INGRESS, &world->intruder, REASON_POLICY_DENIED);
	assert_int_equal(world_counter(world, REASON_UNKNOWN_UNICAST, ABI_INGRESS, NULL), 0);
}

/* Whom a frame is for is asked where it arrives: the sender may not know better, and its policy is
 * asked by address. */
static void sender_is_judged_by_address(void **state)
{
	struct world *world = *state;
	struct end nowhere = world->api;
	struct frame_description d;

	nowhere.mac[5] = 0x77;
	d = udp(&world->web, &nowhere, 5000, 53);
	expect_pass_at(world, &d, ABI_EGRESS, &world->web);
	world_isolate(world, &world->web, ABI_EGRESS, DECISION_NONE);
	expect_apply(world);
	d.source_port++;
	expect_refused_at(world, &d, ABI_EGRESS, &world->web, REASON_POLICY_DENIED);
	assert_int_equal(world_counter(world, REASON_UNKNOWN_UNICAST, ABI_EGRESS, NULL), 0);
}

/* Nothing is known of it, so nothing can be another's. */
static void guard_still_refuses_everything(void **state)
{
	struct world *world = *state;
	struct frame_description d = udp(&world->web, &world->api, 5000, 53);
	struct abi_endpoint endpoint;

	expect_kept(world, &d, &world->intruder);
	assert_int_equal(world_get_endpoint(world, &world->intruder, &endpoint), 0);
	endpoint.flags |= ABI_ENDPOINT_GUARD;
	assert_int_equal(world_set_endpoint(world, &world->intruder, &endpoint), 0);
	expect_refused_at(world, &d, ABI_INGRESS, &world->intruder, REASON_UNKNOWN_ENDPOINT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		FOR_BOTH(bystander_does_not_get_it),
		FOR_BOTH(policy_of_the_bystander_is_not_asked),
		FOR_BOTH(connection_is_not_harmed),
		FOR_BOTH(no_kind_of_frame_is_another),
		FOR_BOTH(own_mac_or_own_address_is_its_business),
		FOR_BOTH(frames_to_many_are_judged),
		FOR_BOTH(sender_is_judged_by_address),
		FOR_BOTH(guard_still_refuses_everything),
	};

	return expect_main(tests, sizeof(tests) / sizeof(tests[0]), "unknown_unicast");
}
