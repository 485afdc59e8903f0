/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ICMP errors and the packets that they carry. */
#include "expect.h"

#include <netinet/icmp6.h>
#include <netinet/in.h>
#include <netinet/ip_icmp.h>
#include <string.h>

/* carried: the whole packet, of which an error brings the IP headers and 8 bytes. */
struct icmp_error {
	struct frame carried;
	struct frame_description description;
};

static void error_about(struct icmp_error *error, const struct world *world,
	const struct end *reporter, const struct frame_description *carried)
{
	error->carried = frame_build(carried);
	error->description = (struct frame_description){.source = *reporter,
		.destination = carried->source,
		.protocol = world->ipv6 ? IPPROTO_ICMPV6 : IPPROTO_ICMP,
		.icmp_type = world->ipv6 ? ICMP6_DST_UNREACH : ICMP_DEST_UNREACH,
		.icmp_code = world->ipv6 ? ICMP6_DST_UNREACH_NOPORT : ICMP_PORT_UNREACH,
		.body = error->carried.bytes + error->carried.network,
		.body_size = error->carried.transport + 8 - error->carried.network};
}

/* An isolated client still learns that the port is closed. */
static void responder_reports(void **state)
{
	struct world *world = *state;
	struct frame_description d = udp(&world->web, &world->api, 5000, 53);
	struct frame_description unknown = udp(&world->web, &world->api, 5001, 53);
	struct icmp_error error;

	world_isolate(world, &world->web, ABI_INGRESS, DECISION_NONE);
	expect_apply(world);
	expect_pass(world, &d);
	error_about(&error, world, &world->api, &d);
	expect_pass(world, &error.description);
	assert_int_equal(world_counter(world, REASON_RELATED, ABI_EGRESS, NULL), 1);
	assert_int_equal(world_counter(world, REASON_RELATED, ABI_INGRESS, NULL), 1);
	error_about(&error, world, &world->api, &unknown);
	expect_refused(world, &error.description, REASON_UNRELATED_ICMP_ERROR);
	expect_refused_at(
		world, &error.description, ABI_INGRESS, &world->web, REASON_UNRELATED_ICMP_ERROR);
}

/* Path MTU discovery: a router on the way reports to either end. */
static void router_reports(void **state)
{
	struct world *world = *state;
	struct frame_description d = tcp(&world->web, &world->internet, 40000, 443, TCP_SYN);
	struct icmp_error error;

	expect_pass(world, &d);
	d.tcp_flags = TCP_ACK;
	error_about(&error, world, &world->host, &d);
	error.description.icmp_type = world->ipv6 ? ICMP6_PACKET_TOO_BIG : ICMP_DEST_UNREACH;
	error.description.icmp_code = world->ipv6 ? 0 : ICMP_FRAG_NEEDED;
	expect_pass_at(world, &error.description, ABI_INGRESS, &world->web);
	d.destination_port++;
	error_about(&error, world, &world->host, &d);
	expect_refused_at(
		world, &error.description, ABI_INGRESS, &world->web, REASON_UNRELATED_ICMP_ERROR);
}

static void time_exceeded_for_an_echo(void **state)
{
	struct world *world = *state;
	struct frame_description d = echo(&world->web, &world->internet, 99, false);
	struct icmp_error error;

	expect_pass(world, &d);
	error_about(&error, world, &world->host, &d);
	error.description.icmp_type = world->ipv6 ? ICMP6_TIME_EXCEEDED : ICMP_TIME_EXCEEDED;
	expect_pass_at(world, &error.description, ABI_INGRESS, &world->web);
	d.icmp_identifier++;
	error_about(&error, world, &world->host, &d);
	expect_refused_at(
		world, &error.description, ABI_INGRESS, &world->web, REASON_UNRELATED_ICMP_ERROR);
}

/* The error about a reply goes to the responder. */
static void error_about_a_reply(void **state)
{
	struct world *world = *state;
	struct frame_description d = udp(&world->web, &world->api, 5000, 53);
	struct frame_description reply = reversed(&d);
	struct icmp_error error;

	expect_pass(world, &d);
	expect_pass(world, &reply);
	error_about(&error, world, &world->web, &reply);
	expect_pass(world, &error.description);
}

/* Someone who was never sent the packet cannot have received it. */
static void bystander_reports_nothing(void **state)
{
	struct world *world = *state;
	struct frame_description d = udp(&world->web, &world->api, 5000, 53);
	struct icmp_error error;

	expect_pass(world, &d);
	error_about(&error, world, &world->api, &d);
	expect_pass(world, &error.description);
	error_about(&error, world, &world->intruder, &d);
	expect_refused(world, &error.description, REASON_UNRELATED_ICMP_ERROR);
}

/* The carried packet must be the receiver's own, at its hook and by its address. */
static void error_goes_to_who_sent(void **state)
{
	struct world *world = *state;
	struct frame_description d = udp(&world->api, &world->internet, 5000, 53);
	struct icmp_error error;

	expect_pass(world, &d);
	error_about(&error, world, &world->host, &d);
	expect_pass_at(world, &error.description, ABI_INGRESS, &world->api);
	error.description.destination.address = world->intruder.address; /* flooded to api */
	expect_refused_at(
		world, &error.description, ABI_INGRESS, &world->api, REASON_UNRELATED_ICMP_ERROR);
	error.description.destination = world->web;
	expect_refused_at(
		world, &error.description, ABI_INGRESS, &world->web, REASON_UNRELATED_ICMP_ERROR);
}

static void error_under_an_older_generation(void **state)
{
	struct world *world = *state;
	struct frame_description d = udp(&world->web, &world->api, 5000, 53);
	struct icmp_error error;

	expect_pass(world, &d);
	error_about(&error, world, &world->api, &d);
	expect_pass(world, &error.description);
	expect_apply(world);
	expect_refused(world, &error.description, REASON_UNRELATED_ICMP_ERROR);
	expect_pass(world, &d);
	expect_pass(world, &error.description);
}

static void cut_off_errors_are_unrelated(void **state)
{
	struct world *world = *state;
	struct frame_description d = udp(&world->web, &world->api, 5000, 53);
	struct icmp_error error;

	expect_pass(world, &d);
	error_about(&error, world, &world->api, &d);
	expect_pass(world, &error.description);
	for (size_t size = error.description.body_size; size-- > 0;) {
		error.description.body_size = size;
		expect_refused(world, &error.description, REASON_UNRELATED_ICMP_ERROR);
	}
}

static void workloads_redirect_nobody(void **state)
{
	struct world *world = *state;
	struct frame_description d = udp(&world->web, &world->api, 5000, 53);
	struct icmp_error error;

	expect_pass(world, &d);
	error_about(&error, world, &world->api, &d);
	expect_pass(world, &error.description);
	error.description.icmp_type = ICMP_REDIRECT;
	expect_refused(world, &error.description, REASON_UNRELATED_ICMP_ERROR);
}

/* With options or extension headers in what is carried. */
static void carried_headers_are_passed_over(void **state)
{
	struct world *world = *state;
	struct frame_description d = udp(&world->web, &world->api, 5000, 53);
	struct icmp_error error;

	d.ipv4_options = 8;
	d.extensions[0] = IPPROTO_DSTOPTS + 1;
	expect_pass(world, &d);
	error_about(&error, world, &world->api, &d);
	expect_pass(world, &error.description);
	d.source_port++;
	error_about(&error, world, &world->api, &d);
	expect_refused(world, &error.description, REASON_UNRELATED_ICMP_ERROR);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		FOR_BOTH(responder_reports),
		FOR_BOTH(router_reports),
		FOR_BOTH(time_exceeded_for_an_echo),
		FOR_BOTH(error_about_a_reply),
		FOR_BOTH(bystander_reports_nothing),
		FOR_BOTH(error_goes_to_who_sent),
		FOR_BOTH(error_under_an_older_generation),
		FOR_BOTH(cut_off_errors_are_unrelated),
		FOR_IPV4(workloads_redirect_nobody),
		FOR_BOTH(carried_headers_are_passed_over),
	};

	return expect_main(tests, sizeof(tests) / sizeof(tests[0]), "related");
}
