/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Deny lists and quarantine in early dropping, by the XDP program and by its stand-ins of tc. */
#include "early_world.h"

#include "base/cleanup.h"

#include <linux/if_ether.h>
#include <net/if_arp.h>
#include <netinet/icmp6.h>
#include <netinet/in.h>
#include <netinet/ip_icmp.h>
#include <string.h>

static const char *const list[] = {
	"203.0.113.0/24", "10.200.0.0/16", "2001:db8:bad::/48", "fd00:1::/32"};

static void list_is_in_force(struct early_world *world, enum abi_direction hook)
{
	early_list(world, list, ARRAY_SIZE(list));
	early_jobs(world, ABI_EARLY_DENY_LIST, hook);
}

static void listed_sources_are_refused(void **state)
{
	struct early_world *world = *state;
	struct frame_description syn = early_syn(&world->listed, &world->near);
	struct abi_denial_key key;
	struct abi_denial denial;

	early_expect_pass(world, &syn); /* nobody asks for it */
	early_jobs(world, ABI_EARLY_DENY_LIST, ABI_INGRESS);
	early_expect_pass(world, &syn); /* no list is there */
	list_is_in_force(world, ABI_INGRESS);
	early_expect_refused(world, &syn, REASON_DENY_LIST);
	early_expect_refused(world, &syn, REASON_DENY_LIST);
	early_denial(world, REASON_DENY_LIST, &key, &denial);
	assert_int_equal(denial.packets, 2);
	assert_memory_equal(key.source, world->listed.address.bytes, 16);
	assert_memory_equal(key.destination, world->near.address.bytes, 16);
	assert_int_equal(key.port, 443);
	assert_int_equal(key.protocol, IPPROTO_TCP);
	assert_int_equal(key.ifindex, world->ifindex);
	assert_int_equal(key.hook, ABI_INGRESS);
	assert_int_equal(denial.source_port, 40000);
	assert_memory_equal(denial.source_mac, world->listed.mac, 6);
	syn.source = world->far;
	early_expect_pass(world, &syn);
	/* By an uplink it is the source that counts. */
	syn = early_syn(&world->near, &world->listed);
	early_expect_pass(world, &syn);
}

static void listed_destinations_are_refused_on_the_way_out(void **state)
{
	struct early_world *world = *state;
	struct frame_description syn = early_syn(&world->near, &world->listed);

	world->way = EARLY_LEAVE;
	early_expect_pass(world, &syn);
	list_is_in_force(world, ABI_INGRESS);
	early_expect_refused(world, &syn, REASON_DENY_LIST);
	syn.destination = world->far;
	early_expect_pass(world, &syn);
	syn = early_syn(&world->listed, &world->near);
	early_expect_pass(world, &syn);
	/* Its other jobs concern what comes in. */
	early_jobs(world, ABI_EARLY_QUARANTINE | ABI_EARLY_LIMIT, ABI_INGRESS);
	early_expect_pass(world, &syn);
}

/* Whatever stands between Ethernet and IP, and behind IP, the address is found. */
static void no_header_hides_a_source(void **state)
{
	struct early_world *world = *state;
	const struct frame_description plain = early_syn(&world->listed, &world->near);
	struct frame_description all[12];
	size_t count = 0;

	for (size_t i = 0; i < ARRAY_SIZE(all); i++)
		all[i] = plain;
	all[count++].vlan_types[0] = ETH_P_8021Q;
	all[count].vlan_types[0] = ETH_P_8021AD;
	all[count++].vlan_types[1] = ETH_P_8021Q;
	all[count++].protocol = IPPROTO_UDP;
	all[count++].protocol = IPPROTO_SCTP;
	all[count++].protocol = world->ipv6 ? IPPROTO_ICMPV6 : IPPROTO_ICMP;
	all[count++].protocol = IPPROTO_GRE;
	all[count].fragment = true;
	all[count++].fragment_more = true;
	all[count].fragment = true;
	all[count++].fragment_offset = 1480;
	if (world->ipv6) {
		memset(all[count++].extensions, IPPROTO_HOPOPTS + 1, 1);
		memset(all[count++].extensions, IPPROTO_DSTOPTS + 1, FRAME_EXTENSIONS_MAX);
	} else {
		all[count++].ipv4_options = 4;
		all[count++].ipv4_options = 40;
	}
	for (size_t i = 0; i < count; i++)
		early_expect_pass(world, &all[i]);
	list_is_in_force(world, ABI_INGRESS);
	for (size_t i = 0; i < count; i++)
		early_expect_refused(world, &all[i], REASON_DENY_LIST);
}

/* Any length of a frame: nothing that is cut short is refused but by address, and nothing crashes.
 */
static void cut_frames_pass_without_an_address(void **state)
{
	struct early_world *world = *state;
	const struct frame_description syn = early_syn(&world->listed, &world->near);
	const struct frame whole = frame_build(&syn);
	const size_t addressed = whole.network + (world->ipv6 ? 40 : 20);

	list_is_in_force(world, ABI_INGRESS);
	for (size_t size = ETH_HLEN + 1; size <= whole.size; size++) {
		struct frame cut = whole;

		cut.size = size;
		/* A tc program never sees less than the IP header: the kernel has looked at it. */
		if (world->way == EARLY_TC && size < addressed)
			continue;
		assert_int_equal(early_passes(world, &cut), size < addressed);
	}
}

static void what_is_no_ip_is_none_of_its_business(void **state)
{
	struct early_world *world = *state;
	struct frame_description frame = early_syn(&world->listed, &world->near);

	list_is_in_force(world, ABI_INGRESS);
	early_expect_refused(world, &frame, REASON_DENY_LIST);
	frame.ethertype = 0x88cc; /* LLDP */
	early_expect_pass(world, &frame);
}

static void other_interfaces_are_left_alone(void **state)
{
	struct early_world *world = *state;
	const struct frame_description syn = early_syn(&world->listed, &world->near);

	list_is_in_force(world, ABI_INGRESS);
	early_expect_refused(world, &syn, REASON_DENY_LIST);
	world->ifindex = 1;
	early_expect_pass(world, &syn);
}

/* --- quarantine --------------------------------------------------------------------------------
 */

static struct frame_description solicitation(
	const struct early_world *world, const struct address *target)
{
	struct frame_description frame = early_syn(&world->near, &world->far);

	frame.protocol = IPPROTO_ICMPV6;
	frame.icmp_type = ND_NEIGHBOR_SOLICIT;
	address_parse("ff02::1:ff00:7", &frame.destination.address);
	frame.body = target;
	frame.body_size = sizeof(*target);
	return frame;
}

static void quarantine(struct early_world *world)
{
	early_investigator(world, "0.0.0.0/0", 0);
	early_investigator(world, "192.0.2.0/24", ABI_INVESTIGATOR_TRAFFIC);
	early_investigator(world, "2001:db8:5afe::/48", ABI_INVESTIGATOR_TRAFFIC);
	early_investigator(world, "10.1.0.254/32", ABI_INVESTIGATOR_NEIGHBOUR);
	early_investigator(world, "2001:db8::fe/128", ABI_INVESTIGATOR_NEIGHBOUR);
	early_jobs(world, ABI_EARLY_QUARANTINE, ABI_EGRESS);
}

static void the_quarantined_reach_only_investigators(void **state)
{
	struct early_world *world = *state;
	struct frame_description syn = early_syn(&world->near, &world->far);
	struct abi_denial_key key;
	struct abi_denial denial;

	early_expect_pass(world, &syn);
	quarantine(world);
	early_expect_refused(world, &syn, REASON_QUARANTINED);
	early_denial(world, REASON_QUARANTINED, &key, &denial);
	assert_int_equal(key.hook, ABI_EGRESS);
	syn.tcp_flags = TCP_ACK; /* connections that run are cut, too */
	early_expect_refused(world, &syn, REASON_QUARANTINED);
	syn.protocol = IPPROTO_UDP;
	early_expect_refused(world, &syn, REASON_QUARANTINED);
	syn.destination = world->guardian;
	early_expect_pass(world, &syn);
	syn.vlan_types[0] = ETH_P_8021Q; /* that is another network */
	early_expect_refused(world, &syn, REASON_QUARANTINED);
}

static void the_quarantined_say_nothing_else(void **state)
{
	struct early_world *world = *state;
	const struct frame_description syn = early_syn(&world->near, &world->guardian);
	struct frame_description other = syn;
	struct frame cut = frame_build(&syn);

	other.ethertype = 0x88cc;
	early_expect_pass(world, &other);
	assert_true(early_passes(world, &cut));
	quarantine(world);
	early_expect_refused(world, &other, REASON_QUARANTINED);
	assert_true(early_passes(world, &cut));
	if (world->way == EARLY_XDP) { /* of a cut one nobody knows where it goes */
		cut.size = cut.network + 12;
		assert_false(early_passes(world, &cut));
	}
}

static void the_quarantined_ask_only_for_their_way_there(void **state)
{
	struct early_world *world = *state;
	const char *const wanted[] = {"10.1.0.254", "192.0.2.77"};
	struct address target;
	struct frame arp;

	address_parse("10.1.0.9", &target);
	arp = frame_arp(ARPOP_REQUEST, &world->near, &world->near, &target);
	assert_true(early_passes(world, &arp));
	quarantine(world);
	assert_false(early_passes(world, &arp));
	for (size_t i = 0; i < ARRAY_SIZE(wanted); i++) {
		address_parse(wanted[i], &target);
		arp = frame_arp(ARPOP_REQUEST, &world->near, &world->near, &target);
		assert_true(early_passes(world, &arp));
	}
	/* A gratuitous one tells all, and asks for nobody. */
	arp = frame_arp(ARPOP_REQUEST, &world->near, &world->near, &world->near.address);
	assert_false(early_passes(world, &arp));
}

static void the_quarantined_discover_only_their_way_there(void **state)
{
	struct early_world *world = *state;
	const char *const wanted[] = {"2001:db8::fe", "2001:db8:5afe::77", "fe80::1"};
	struct frame_description frame;
	struct address target;

	address_parse("2001:db8::9", &target);
	frame = solicitation(world, &target);
	early_expect_pass(world, &frame);
	quarantine(world);
	early_expect_refused(world, &frame, REASON_QUARANTINED);
	for (size_t i = 0; i < ARRAY_SIZE(wanted); i++) {
		address_parse(wanted[i], &target);
		frame = solicitation(world, &target);
		early_expect_pass(world, &frame);
	}
	frame.icmp_type = ND_NEIGHBOR_ADVERT; /* to all nodes */
	early_expect_refused(world, &frame, REASON_QUARANTINED);
	address_parse("2001:db8::fe", &frame.destination.address);
	early_expect_pass(world, &frame);
	frame.icmp_type = ND_ROUTER_ADVERT;
	early_expect_refused(world, &frame, REASON_QUARANTINED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		EARLY_ALL(listed_sources_are_refused),
		EARLY_ALL(listed_destinations_are_refused_on_the_way_out),
		EARLY_ALL(no_header_hides_a_source),
		EARLY_ALL(cut_frames_pass_without_an_address),
		EARLY_ALL(what_is_no_ip_is_none_of_its_business),
		EARLY_ALL(other_interfaces_are_left_alone),
		EARLY_ALL(the_quarantined_reach_only_investigators),
		EARLY_ALL(the_quarantined_say_nothing_else),
		EARLY_IPV4(the_quarantined_ask_only_for_their_way_there),
		EARLY_IPV6(the_quarantined_discover_only_their_way_there),
	};

	return early_main(tests, ARRAY_SIZE(tests), "xdp");
}
