/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a workload may send at all: in its own name, as an end and not as a router or a server. */
#include "expect.h"

#include <net/if_arp.h>
#include <netinet/icmp6.h>
#include <netinet/in.h>
#include <string.h>

#define ND_ADVERT       136
#define ND_SOLICIT      135
#define ND_ROUTER       134
#define ND_SOLICIT_R    133
#define ND_REDIRECT_MSG 137
#define MLD_REPORT_2    143

static void own_mac_only(void **state)
{
	struct world *world = *state;
	struct frame_description d = udp(&world->web, &world->api, 5000, 53);

	expect_pass(world, &d);
	memcpy(d.source.mac, world->intruder.mac, sizeof(d.source.mac));
	expect_refused(world, &d, REASON_SPOOFED_MAC); /* also on a connection that stands */
	d.source_port++;
	expect_refused(world, &d, REASON_SPOOFED_MAC);
}

static void own_address_only(void **state)
{
	struct world *world = *state;
	struct frame_description d = udp(&world->web, &world->api, 5000, 53);
	const struct address others[] = {
		world->intruder.address, world->internet.address, world->host.address};

	expect_pass(world, &d);
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
		struct abi_denial_key key = {0};
		struct abi_denial denial;

		d.source.address = others[i];
		expect_refused(world, &d, REASON_SPOOFED_SOURCE);
		assert_int_equal(world_denial(world, REASON_SPOOFED_SOURCE, &key, &denial), 0);
		assert_int_equal(key.rule, 0);
		assert_int_equal(key.direction, ABI_EGRESS);
	}
}

static void no_address_is_nobodys(void **state)
{
	struct world *world = *state;
	struct frame_description d = udp(&world->web, &world->api, 5000, 53);

	expect_pass(world, &d);
	address_parse(world->ipv6 ? "::" : "0.0.0.0", &d.source.address);
	expect_refused(world, &d, REASON_SPOOFED_SOURCE);
	if (!world->ipv6)
		return;
	address_parse("fe80::ff:fe00:10", &d.source.address);
	expect_refused(world, &d, REASON_SPOOFED_SOURCE);
}

static void guard_refuses_everything(void **state)
{
	struct world *world = *state;
	struct frame_description d = udp(&world->web, &world->api, 5000, 53);
	struct frame_description in = reversed(&d);
	struct abi_endpoint endpoint;

	expect_pass(world, &d);
	expect_reset(world);
	assert_int_equal(world_get_endpoint(world, &world->web, &endpoint), 0);
	endpoint.flags = ABI_ENDPOINT_GUARD;
	assert_int_equal(world_set_endpoint(world, &world->web, &endpoint), 0);
	expect_refused_at(world, &d, ABI_EGRESS, &world->web, REASON_UNKNOWN_ENDPOINT);
	expect_refused_at(world, &in, ABI_INGRESS, &world->web, REASON_UNKNOWN_ENDPOINT);
}

static void before_the_first_generation_nothing_passes(void **state)
{
	struct world *world = *state;
	struct frame_description d = udp(&world->web, &world->api, 5000, 53);

	expect_pass(world, &d);
	world->generation = UINT32_MAX; /* so that the next one is 0: none */
	expect_apply(world);
	expect_refused_at(world, &d, ABI_EGRESS, &world->web, REASON_UNKNOWN_ENDPOINT);
	expect_refused_at(world, &d, ABI_INGRESS, &world->api, REASON_UNKNOWN_ENDPOINT);
}

static void unknown_interface_refuses(void **state)
{
	struct world *world = *state;
	struct frame_description d = udp(&world->web, &world->api, 5000, 53);
	struct end elsewhere = {.ifindex = world->web.ifindex - 1}; /* the peer of its veth */

	expect_pass_at(world, &d, ABI_EGRESS, &world->web);
	expect_refused_at(world, &d, ABI_EGRESS, &elsewhere, REASON_UNKNOWN_ENDPOINT);
}

static void workloads_answer_no_dhcp(void **state)
{
	struct world *world = *state;
	struct frame_description client = udp(&world->web, &world->api, 68, 67);
	struct frame_description server = udp(&world->web, &world->api, 67, 68);

	if (world->ipv6) {
		client = udp(&world->web, &world->api, 546, 547);
		server = udp(&world->web, &world->api, 547, 546);
	}
	expect_pass(world, &client);
	expect_refused(world, &server, REASON_DHCP_SERVER);
	server.source = world->host;
	expect_pass(world, &server);
}

static void arp_tells_the_truth(void **state)
{
	struct world *world = *state;
	const struct end *web = &world->web;
	struct end lie = *web;
	struct frame frame = frame_arp(ARPOP_REQUEST, web, web, &world->api.address);

	expect_frame_pass(world, &frame, ABI_EGRESS, web);
	expect_frame_pass(world, &frame, ABI_INGRESS, &world->api);
	assert_int_equal(world_counter(world, REASON_NEIGHBOUR, ABI_EGRESS, NULL), 1);
	frame = frame_arp(ARPOP_REPLY, web, web, &world->api.address);
	expect_frame_pass(world, &frame, ABI_EGRESS, web);

	lie.address = world->host.address;
	frame = frame_arp(ARPOP_REPLY, web, &lie, &world->api.address);
	expect_frame_refused(world, &frame, ABI_EGRESS, web, REASON_SPOOFED_ARP);
	lie = *web;
	memcpy(lie.mac, world->intruder.mac, sizeof(lie.mac));
	frame = frame_arp(ARPOP_REPLY, web, &lie, &world->api.address);
	expect_frame_refused(world, &frame, ABI_EGRESS, web, REASON_SPOOFED_ARP);
	frame = frame_arp(ARPOP_REPLY, &lie, &lie, &world->api.address);
	expect_frame_refused(world, &frame, ABI_EGRESS, web, REASON_SPOOFED_MAC);
}

static void arp_denial_names_the_claim(void **state)
{
	struct world *world = *state;
	struct end lie = world->web;
	struct abi_denial_key key = {0};
	struct abi_denial denial;
	struct frame frame;

	lie.address = world->host.address;
	frame = frame_arp(ARPOP_REPLY, &world->web, &lie, &world->api.address);
	expect_frame_refused(world, &frame, ABI_EGRESS, &world->web, REASON_SPOOFED_ARP);
	assert_int_equal(world_denial(world, REASON_SPOOFED_ARP, &key, &denial), 0);
	assert_memory_equal(key.source, &world->host.address, 16);
	assert_memory_equal(key.destination, &world->api.address, 16);
	assert_int_equal(key.ethertype, 0x0806);
	assert_int_equal(key.protocol, 0);
	assert_int_equal(key.port, 0);
	assert_memory_equal(denial.source_mac, world->web.mac, 6);
}

static void arp_probes_only_its_own(void **state)
{
	struct world *world = *state;
	struct end nobody = world->web;
	struct frame frame;

	address_parse("0.0.0.0", &nobody.address);
	frame = frame_arp(ARPOP_REQUEST, &world->web, &nobody, &world->web.address);
	expect_frame_pass(world, &frame, ABI_EGRESS, &world->web);
	frame = frame_arp(ARPOP_REQUEST, &world->web, &nobody, &world->api.address);
	expect_frame_refused(world, &frame, ABI_EGRESS, &world->web, REASON_SPOOFED_ARP);
}

static void strange_arp_is_malformed(void **state)
{
	struct world *world = *state;
	const struct frame good =
		frame_arp(ARPOP_REQUEST, &world->web, &world->web, &world->api.address);
	static const size_t broken[] = {0, 2, 4, 5, 6}; /* each field of fixed value */

	expect_frame_pass(world, &good, ABI_EGRESS, &world->web);
	for (size_t i = 0; i < sizeof(broken) / sizeof(broken[0]); i++) {
		struct frame frame = good;

		frame.bytes[frame.network + broken[i]] ^= 0x55;
		expect_frame_refused(world, &frame, ABI_EGRESS, &world->web, REASON_MALFORMED);
	}
	for (size_t size = 15; size < good.size; size += 5) {
		struct frame frame = good;

		frame.size = size;
		expect_frame_refused(world, &frame, ABI_EGRESS, &world->web, REASON_MALFORMED);
	}
}

/* A message about target with a link-layer address option; target NULL: none. */
struct discovery {
	uint8_t type;
	struct address target;
	bool has_target;
	uint8_t option; /* 0: none; 1: source, 2: target */
	uint8_t mac[6];
	uint8_t hop_limit;
};

static struct frame discovery_frame(
	const struct end *from, const struct end *to, const struct discovery *discovery)
{
	uint8_t body[24];
	size_t size = 0;
	struct frame_description d = {.source = *from,
		.destination = *to,
		.protocol = IPPROTO_ICMPV6,
		.icmp_type = discovery->type,
		.hop_limit = discovery->hop_limit ? discovery->hop_limit : 255};

	if (discovery->has_target) {
		memcpy(body, &discovery->target, 16);
		size = 16;
	}
	if (discovery->option) {
		body[size] = discovery->option;
		body[size + 1] = 1;
		memcpy(body + size + 2, discovery->mac, 6);
		size += 8;
	}
	d.body = body;
	d.body_size = size;
	return frame_build(&d);
}

static struct discovery about(uint8_t type, const struct end *end, uint8_t option)
{
	struct discovery discovery = {.type = type,
		.target = end->address,
		.has_target = type != ND_SOLICIT_R && type != ND_ROUTER,
		.option = option};

	memcpy(discovery.mac, end->mac, sizeof(discovery.mac));
	return discovery;
}

static void advertisement_tells_the_truth(void **state)
{
	struct world *world = *state;
	struct discovery discovery = about(ND_ADVERT, &world->web, 2);
	struct frame frame = discovery_frame(&world->web, &world->api, &discovery);

	expect_frame_pass(world, &frame, ABI_EGRESS, &world->web);
	expect_frame_pass(world, &frame, ABI_INGRESS, &world->api);
	discovery = about(ND_ADVERT, &world->host, 2);
	memcpy(discovery.mac, world->web.mac, sizeof(discovery.mac));
	frame = discovery_frame(&world->web, &world->api, &discovery);
	expect_frame_refused(world, &frame, ABI_EGRESS, &world->web, REASON_SPOOFED_NEIGHBOUR);
	discovery = about(ND_ADVERT, &world->web, 2);
	memcpy(discovery.mac, world->intruder.mac, sizeof(discovery.mac));
	frame = discovery_frame(&world->web, &world->api, &discovery);
	expect_frame_refused(world, &frame, ABI_EGRESS, &world->web, REASON_SPOOFED_NEIGHBOUR);
}

static void solicitation_tells_the_truth(void **state)
{
	struct world *world = *state;
	struct discovery discovery = about(ND_SOLICIT, &world->api, 1);
	struct frame frame;

	memcpy(discovery.mac, world->web.mac, sizeof(discovery.mac));
	frame = discovery_frame(&world->web, &world->api, &discovery);
	expect_frame_pass(world, &frame, ABI_EGRESS, &world->web);
	memcpy(discovery.mac, world->intruder.mac, sizeof(discovery.mac));
	frame = discovery_frame(&world->web, &world->api, &discovery);
	expect_frame_refused(world, &frame, ABI_EGRESS, &world->web, REASON_SPOOFED_NEIGHBOUR);
}

static void duplicate_detection_only_of_its_own(void **state)
{
	struct world *world = *state;
	struct discovery discovery = about(ND_SOLICIT, &world->web, 0);
	struct end nobody = world->web;
	struct frame frame;

	address_parse("::", &nobody.address);
	frame = discovery_frame(&nobody, &world->api, &discovery);
	expect_frame_pass(world, &frame, ABI_EGRESS, &world->web);
	discovery = about(ND_SOLICIT, &world->api, 0);
	frame = discovery_frame(&nobody, &world->api, &discovery);
	expect_frame_refused(world, &frame, ABI_EGRESS, &world->web, REASON_SPOOFED_NEIGHBOUR);
}

/* web's MAC is 02:00:00:00:00:10, so its own link-local address is fe80::ff:fe00:10. */
static void link_local_is_that_of_the_mac(void **state)
{
	struct world *world = *state;
	struct end local = world->web;
	struct discovery discovery;
	struct frame frame;

	address_parse("fe80::ff:fe00:10", &local.address);
	discovery = about(ND_ADVERT, &local, 2);
	frame = discovery_frame(&local, &world->api, &discovery);
	expect_frame_pass(world, &frame, ABI_EGRESS, &world->web);
	address_parse("fe80::1", &local.address); /* some router's */
	discovery = about(ND_ADVERT, &local, 2);
	frame = discovery_frame(&local, &world->api, &discovery);
	expect_frame_refused(world, &frame, ABI_EGRESS, &world->web, REASON_SPOOFED_NEIGHBOUR);
}

static void workloads_announce_no_routers(void **state)
{
	struct world *world = *state;
	struct discovery solicit = about(ND_SOLICIT_R, &world->web, 1);
	struct discovery advert = about(ND_ROUTER, &world->web, 1);
	struct discovery redirect = about(ND_REDIRECT_MSG, &world->web, 2);
	struct frame frame = discovery_frame(&world->web, &world->api, &solicit);

	expect_frame_pass(world, &frame, ABI_EGRESS, &world->web);
	frame = discovery_frame(&world->web, &world->api, &advert);
	expect_frame_refused(world, &frame, ABI_EGRESS, &world->web, REASON_ROUTER_ADVERTISEMENT);
	frame = discovery_frame(&world->web, &world->api, &redirect);
	expect_frame_refused(world, &frame, ABI_EGRESS, &world->web, REASON_SPOOFED_NEIGHBOUR);
	frame = discovery_frame(&world->host, &world->web, &advert); /* the real router */
	expect_frame_pass(world, &frame, ABI_INGRESS, &world->web);
}

static void discovery_from_afar_is_malformed(void **state)
{
	struct world *world = *state;
	struct discovery discovery = about(ND_ADVERT, &world->host, 2);
	struct frame frame = discovery_frame(&world->host, &world->web, &discovery);

	expect_frame_pass(world, &frame, ABI_INGRESS, &world->web);
	discovery.hop_limit = 254;
	frame = discovery_frame(&world->host, &world->web, &discovery);
	expect_frame_refused(world, &frame, ABI_INGRESS, &world->web, REASON_MALFORMED);
}

static void discovery_options_are_read_to_the_end(void **state)
{
	struct world *world = *state;
	uint8_t body[16 + 24] = {0};
	struct frame_description d = {.source = world->web,
		.destination = world->api,
		.protocol = IPPROTO_ICMPV6,
		.icmp_type = ND_ADVERT,
		.hop_limit = 255,
		.body = body,
		.body_size = sizeof(body)};

	memcpy(body, &world->web.address, 16);
	memcpy(body + 16, (uint8_t[]){14, 2}, 2); /* a nonce of 16 bytes */
	memcpy(body + 32, (uint8_t[]){2, 1}, 2);
	memcpy(body + 34, world->web.mac, 6);
	expect_pass_at(world, &d, ABI_EGRESS, &world->web);
	body[34] ^= 4; /* another MAC, behind */
	expect_refused_at(world, &d, ABI_EGRESS, &world->web, REASON_SPOOFED_NEIGHBOUR);
	body[17] = 0;
	expect_refused_at(world, &d, ABI_EGRESS, &world->web, REASON_MALFORMED);
	body[17] = 9;
	expect_refused_at(world, &d, ABI_EGRESS, &world->web, REASON_MALFORMED);
}

static void discovery_hides_in_no_fragment(void **state)
{
	struct world *world = *state;
	uint8_t body[16];
	struct frame_description d = {.source = world->web,
		.destination = world->api,
		.protocol = IPPROTO_ICMPV6,
		.icmp_type = ND_ADVERT,
		.hop_limit = 255,
		.body = body,
		.body_size = sizeof(body)};

	memcpy(body, &world->web.address, sizeof(body));
	expect_pass_at(world, &d, ABI_EGRESS, &world->web);
	d.fragment = true;
	d.fragment_more = true;
	expect_refused_at(world, &d, ABI_EGRESS, &world->web, REASON_MALFORMED);
}

static struct end all_listeners(void)
{
	struct end end = {.mac = {0x33, 0x33, 0, 0, 0, 0x16}};

	address_parse("ff02::16", &end.address);
	return end;
}

static void listener_reports_pass(void **state)
{
	struct world *world = *state;
	struct frame_description d = {.source = world->web,
		.destination = all_listeners(),
		.protocol = IPPROTO_ICMPV6,
		.icmp_type = MLD_REPORT_2,
		.hop_limit = 1,
		.extensions = {IPPROTO_HOPOPTS + 1}};

	address_parse("fe80::ff:fe00:10", &d.source.address);
	expect_pass_at(world, &d, ABI_EGRESS, &world->web);
	address_parse("::", &d.source.address);
	expect_pass_at(world, &d, ABI_EGRESS, &world->web);
	expect_pass_at(world, &d, ABI_INGRESS, &world->api);
	d.source.address = world->api.address;
	expect_refused_at(world, &d, ABI_EGRESS, &world->web, REASON_SPOOFED_SOURCE);
}

static void listener_reports_are_for_groups(void **state)
{
	struct world *world = *state;
	struct frame_description d = {.source = world->web,
		.destination = world->api,
		.protocol = IPPROTO_ICMPV6,
		.icmp_type = MLD_REPORT_2,
		.hop_limit = 1};

	expect_refused_at(world, &d, ABI_EGRESS, &world->web, REASON_MALFORMED);
	expect_refused_at(world, &d, ABI_INGRESS, &world->api, REASON_MALFORMED);
}

/* One that a router would pass on carries whatever it likes to whomever it likes. */
static void listener_reports_stay_on_the_link(void **state)
{
	static const uint8_t limits[] = {2, 64, 255};
	struct world *world = *state;
	struct frame_description there = {.source = world->web,
		.destination = all_listeners(),
		.protocol = IPPROTO_ICMPV6,
		.icmp_type = MLD_REPORT_2};
	struct frame_description back = there;

	back.source = world->internet;

	for (size_t i = 0; i < sizeof(limits); i++) {
		there.hop_limit = limits[i];
		back.hop_limit = limits[i];
		expect_refused_at(world, &there, ABI_EGRESS, &world->web, REASON_MALFORMED);
		expect_refused_at(world, &back, ABI_INGRESS, &world->web, REASON_MALFORMED);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		FOR_BOTH(own_mac_only),
		FOR_BOTH(own_address_only),
		FOR_BOTH(no_address_is_nobodys),
		FOR_BOTH(guard_refuses_everything),
		FOR_BOTH(before_the_first_generation_nothing_passes),
		FOR_BOTH(unknown_interface_refuses),
		FOR_BOTH(workloads_answer_no_dhcp),
		FOR_IPV4(arp_tells_the_truth),
		FOR_IPV4(arp_denial_names_the_claim),
		FOR_IPV4(arp_probes_only_its_own),
		FOR_IPV4(strange_arp_is_malformed),
		FOR_IPV6(advertisement_tells_the_truth),
		FOR_IPV6(solicitation_tells_the_truth),
		FOR_IPV6(duplicate_detection_only_of_its_own),
		FOR_IPV6(link_local_is_that_of_the_mac),
		FOR_IPV6(workloads_announce_no_routers),
		FOR_IPV6(discovery_from_afar_is_malformed),
		FOR_IPV6(discovery_options_are_read_to_the_end),
		FOR_IPV6(discovery_hides_in_no_fragment),
		FOR_IPV6(listener_reports_pass),
		FOR_IPV6(listener_reports_are_for_groups),
		FOR_IPV6(listener_reports_stay_on_the_link),
	};

	return expect_main(tests, sizeof(tests) / sizeof(tests[0]), "source");
}
