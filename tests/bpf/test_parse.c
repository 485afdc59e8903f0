/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Frames as they come: tags, options, extension headers, fragments, and what is cut off. */
#include "expect.h"

#include <netinet/in.h>
#include <string.h>

#define ETHERTYPE_8021Q  0x8100
#define ETHERTYPE_8021AD 0x88a8
#define ETHERTYPE_LLDP   0x88cc

/* Extension headers are given as their protocol + 1. */
#define EXTENSION(protocol) ((protocol) + 1)

static void tags_are_refused(void **state)
{
	static const uint16_t tags[][2] = {{ETHERTYPE_8021Q}, {ETHERTYPE_8021AD, ETHERTYPE_8021Q}};
	struct world *world = *state;
	struct frame_description d = tcp(&world->web, &world->api, 40000, 8080, TCP_SYN);

	expect_pass(world, &d);
	for (size_t i = 0; i < 2; i++) {
		struct abi_denial_key key = {0};
		struct abi_denial denial;

		memcpy(d.vlan_types, tags[i], sizeof(d.vlan_types));
		expect_refused_at(world, &d, ABI_EGRESS, &world->web, REASON_UNSUPPORTED_ETHERTYPE);
		key.ifindex = world->web.ifindex;
		key.hook = ABI_EGRESS;
		assert_int_equal(
			world_denial(world, REASON_UNSUPPORTED_ETHERTYPE, &key, &denial), 0);
		expect_refused_at(
			world, &d, ABI_INGRESS, &world->api, REASON_UNSUPPORTED_ETHERTYPE);
	}
}

static void other_ethertypes_are_refused(void **state)
{
	struct world *world = *state;
	struct frame_description d = tcp(&world->web, &world->api, 40000, 8080, TCP_SYN);
	struct abi_denial_key key = {0};
	struct abi_denial denial;

	expect_pass(world, &d);
	d.ethertype = ETHERTYPE_LLDP;
	expect_refused(world, &d, REASON_UNSUPPORTED_ETHERTYPE);
	assert_int_equal(world_denial(world, REASON_UNSUPPORTED_ETHERTYPE, &key, &denial), 0);
	assert_int_equal(key.ethertype, ETHERTYPE_LLDP);
	d.ethertype = world->ipv6 ? 0x0800 : 0x86dd; /* the other family's */
	expect_refused(world, &d, REASON_MALFORMED);
}

/* Whatever policy says, but only from the workload's own MAC. */
static void a_configured_ethertype_passes(void **state)
{
	struct world *world = *state;
	struct frame_description d = tcp(&world->web, &world->api, 40000, 8080, TCP_SYN);

	world_isolate(world, &world->web, ABI_EGRESS, DECISION_NONE);
	world_isolate(world, &world->api, ABI_INGRESS, DECISION_NONE);
	expect_apply(world);
	d.ethertype = WORLD_ETHERTYPE;
	expect_pass(world, &d);
	assert_int_equal(world_connections_count(world), 0);
	d.source = world->intruder;
	expect_refused_at(world, &d, ABI_EGRESS, &world->web, REASON_SPOOFED_MAC);
	d.source = world->web;
	d.ethertype = WORLD_ETHERTYPE + 1;
	expect_refused_at(world, &d, ABI_EGRESS, &world->web, REASON_UNSUPPORTED_ETHERTYPE);
	d.ethertype = WORLD_ETHERTYPE;
	d.vlan_types[0] = ETHERTYPE_8021Q; /* in a tag it is another type */
	expect_refused_at(world, &d, ABI_EGRESS, &world->web, REASON_UNSUPPORTED_ETHERTYPE);
}

static void ipv4_options_are_passed_over(void **state)
{
	struct world *world = *state;
	struct frame_description d = tcp(&world->web, &world->api, 40000, 8080, TCP_SYN);

	for (uint8_t bytes = 0; bytes <= 40; bytes += 8) {
		d.ipv4_options = bytes;
		d.source_port++;
		expect_handshake(world, &d);
		assert_true(expect_connection(world, &d).flags & ABI_CONNECTION_ESTABLISHED);
	}
	world_isolate(world, &world->api, ABI_INGRESS, DECISION_NONE);
	expect_apply(world);
	d.source_port++;
	d.tcp_flags = TCP_SYN;
	expect_refused(world, &d, REASON_POLICY_DENIED);
}

static void extension_headers_are_passed_over(void **state)
{
	static const uint8_t chains[][FRAME_EXTENSIONS_MAX] = {
		{EXTENSION(IPPROTO_HOPOPTS)},
		{EXTENSION(IPPROTO_ROUTING)},
		{EXTENSION(IPPROTO_DSTOPTS)},
		{EXTENSION(IPPROTO_AH)},
		{EXTENSION(IPPROTO_HOPOPTS), EXTENSION(IPPROTO_DSTOPTS), EXTENSION(IPPROTO_ROUTING),
			EXTENSION(IPPROTO_AH), EXTENSION(IPPROTO_DSTOPTS)},
	};
	struct world *world = *state;
	struct frame_description d = tcp(&world->web, &world->api, 40000, 8080, TCP_SYN);

	for (size_t i = 0; i < sizeof(chains) / sizeof(chains[0]); i++) {
		memcpy(d.extensions, chains[i], sizeof(d.extensions));
		d.source_port++;
		expect_handshake(world, &d);
		assert_true(expect_connection(world, &d).flags & ABI_CONNECTION_ESTABLISHED);
	}
	world_isolate(world, &world->api, ABI_INGRESS, DECISION_NONE);
	expect_apply(world);
	d.source_port++;
	d.tcp_flags = TCP_SYN;
	expect_refused(world, &d, REASON_POLICY_DENIED);
}

static void endless_extension_headers_are_refused(void **state)
{
	struct world *world = *state;
	struct frame_description d = tcp(&world->web, &world->api, 40000, 8080, TCP_SYN);

	for (size_t i = 0; i < 8; i++)
		d.extensions[i] = EXTENSION(IPPROTO_DSTOPTS);
	expect_pass(world, &d);
	d.extensions[8] = EXTENSION(IPPROTO_DSTOPTS);
	expect_refused(world, &d, REASON_MALFORMED);
}

/* A length that is written in the header and reaches beyond the packet. */
static void extension_beyond_the_packet_is_refused(void **state)
{
	struct world *world = *state;
	struct frame_description d = tcp(&world->web, &world->api, 40000, 8080, TCP_SYN);
	struct frame frame;

	d.extensions[0] = EXTENSION(IPPROTO_DSTOPTS);
	expect_pass(world, &d);
	frame = frame_build(&d);
	frame.bytes[frame.network + 40 + 1] = 200;
	expect_frame_refused(world, &frame, ABI_EGRESS, &world->web, REASON_MALFORMED);
}

static void mapped_addresses_are_refused(void **state)
{
	struct world *world = *state;
	struct frame_description d = udp(&world->internet, &world->api, 5000, 53);
	struct frame frame;

	expect_pass(world, &d);
	frame = frame_build(&d);
	memset(frame.bytes + frame.network + 8, 0, 16);
	memset(frame.bytes + frame.network + 18, 0xff, 2);
	expect_frame_refused(world, &frame, ABI_INGRESS, &world->api, REASON_MALFORMED);
	frame = frame_build(&d);
	memset(frame.bytes + frame.network + 24, 0, 16);
	memset(frame.bytes + frame.network + 34, 0xff, 2);
	expect_frame_refused(world, &frame, ABI_INGRESS, &world->api, REASON_MALFORMED);
}

/* Whatever is cut off behind the IP header (test runs refuse shorter frames; test_hooks has them):
 * never passed, never judged by half a header. */
static void truncated_frames_are_malformed(void **state)
{
	struct world *world = *state;
	const struct frame_description descriptions[] = {
		tcp(&world->internet, &world->api, 40000, 8080, TCP_SYN),
		udp(&world->internet, &world->api, 40000, 53),
		echo(&world->internet, &world->api, 7, false),
	};

	for (size_t i = 0; i < sizeof(descriptions) / sizeof(descriptions[0]); i++) {
		struct frame whole = frame_build(&descriptions[i]);

		expect_frame_pass(world, &whole, ABI_INGRESS, &world->api);
		for (size_t size = whole.transport; size < whole.size; size++) {
			struct frame frame = whole;

			frame.size = size;
			expect_frame_refused(
				world, &frame, ABI_INGRESS, &world->api, REASON_MALFORMED);
		}
	}
}

/* The same, but the IP header's length fits what is there. */
static void short_transport_headers_are_malformed(void **state)
{
	struct world *world = *state;
	const struct frame_description descriptions[] = {
		tcp(&world->internet, &world->api, 40000, 8080, TCP_SYN),
		udp(&world->internet, &world->api, 40000, 53),
		echo(&world->internet, &world->api, 7, false),
	};

	for (size_t i = 0; i < sizeof(descriptions) / sizeof(descriptions[0]); i++) {
		struct frame whole = frame_build(&descriptions[i]);
		const size_t field = whole.network + (world->ipv6 ? 5 : 3);

		expect_frame_pass(world, &whole, ABI_INGRESS, &world->api);
		for (size_t size = whole.transport; size < whole.size; size++) {
			struct frame frame = whole;

			frame.size = size;
			frame.bytes[field] =
				(uint8_t)(size - whole.network - (world->ipv6 ? 40 : 0));
			expect_frame_refused(
				world, &frame, ABI_INGRESS, &world->api, REASON_MALFORMED);
		}
	}
}

static void broken_fields_are_malformed(void **state)
{
	struct world *world = *state;
	struct frame_description stream = tcp(&world->web, &world->api, 40000, 8080, TCP_SYN);
	struct frame_description datagram = udp(&world->web, &world->api, 40000, 53);
	struct frame frame = frame_build(&stream);

	expect_pass(world, &stream);
	expect_pass(world, &datagram);
	frame.bytes[frame.transport + 12] = 4 << 4; /* TCP's own header length: too small */
	expect_frame_refused(world, &frame, ABI_EGRESS, &world->web, REASON_MALFORMED);
	frame.bytes[frame.transport + 12] = 6 << 4; /* larger than the packet */
	expect_frame_refused(world, &frame, ABI_EGRESS, &world->web, REASON_MALFORMED);
	frame = frame_build(&datagram);
	frame.bytes[frame.transport + 5] = 7; /* UDP's length: less than its header */
	expect_frame_refused(world, &frame, ABI_EGRESS, &world->web, REASON_MALFORMED);
	frame = frame_build(&stream);
	frame.bytes[frame.network] = world->ipv6 ? 0x50 : 0x44; /* version; header length */
	expect_frame_refused(world, &frame, ABI_EGRESS, &world->web, REASON_MALFORMED);
}

/* Bytes behind the IP packet, as short frames have on a wire. */
static void padding_is_no_matter(void **state)
{
	struct world *world = *state;
	struct frame_description d = udp(&world->web, &world->api, 40000, 53);
	struct frame frame = frame_build(&d);

	frame.size += 18;
	expect_frame_pass(world, &frame, ABI_EGRESS, &world->web);
	expect_frame_pass(world, &frame, ABI_INGRESS, &world->api);
}

static struct frame_description fragment_of(
	const struct frame_description *d, uint32_t id, uint16_t offset, bool more)
{
	static const uint8_t body[64];
	struct frame_description fragment = *d;

	fragment.fragment = true;
	fragment.fragment_id = id;
	fragment.fragment_offset = offset;
	fragment.fragment_more = more;
	fragment.body = body;
	fragment.body_size = sizeof(body);
	return fragment;
}

static void fragments_follow_the_first(void **state)
{
	struct world *world = *state;
	struct frame_description d = udp(&world->web, &world->api, 5000, 53);
	struct frame_description first = fragment_of(&d, 7, 0, true);
	struct frame_description last = fragment_of(&d, 7, 72, false);
	struct frame_description other = fragment_of(&d, 8, 72, false);

	expect_pass(world, &first);
	expect_pass(world, &last);
	expect_refused(world, &other, REASON_FRAGMENT_WITHOUT_FIRST);
	expect_refused_at(world, &other, ABI_INGRESS, &world->api, REASON_FRAGMENT_WITHOUT_FIRST);
	expect_pass(world, &first); /* also once the connection stands */
	assert_int_equal(expect_connection(world, &d).packets[ABI_ORIGINATOR], 2);
}

static void fragments_of_a_refused_first_are_refused(void **state)
{
	struct world *world = *state;
	struct frame_description d = udp(&world->web, &world->api, 5000, 53);
	struct frame_description first = fragment_of(&d, 7, 0, true);
	struct frame_description last = fragment_of(&d, 7, 72, false);

	expect_pass(world, &first);
	expect_pass(world, &last);
	expect_reset(world);
	world_isolate(world, &world->web, ABI_EGRESS, DECISION_NONE);
	expect_apply(world);
	expect_refused(world, &first, REASON_POLICY_DENIED);
	expect_refused(world, &last, REASON_FRAGMENT_WITHOUT_FIRST);
}

/* Another hook has not seen the first one. */
/* The number of a packet that was passed does not carry the pieces of one that was not. */
static void a_refused_first_ends_what_followed(void **state)
{
	struct world *world = *state;
	struct frame_description d = udp(&world->web, &world->api, 40000, 53);
	struct frame_description first = fragment_of(&d, 7, 0, true);
	struct frame_description last = fragment_of(&d, 7, 72, false);

	world_isolate(world, &world->web, ABI_EGRESS, DECISION_NONE);
	world_rule(world, (struct world_rule){.subject = WORLD_WEB,
				  .direction = ABI_EGRESS,
				  .peer = WORLD_API,
				  .protocol = ABI_UDP,
				  .port = 53,
				  .length = 16,
				  .decision = DECISION_ALLOW});
	expect_apply(world);
	expect_pass_at(world, &first, ABI_EGRESS, &world->web);
	expect_pass_at(world, &last, ABI_EGRESS, &world->web);
	first.destination_port = 54;
	expect_refused_at(world, &first, ABI_EGRESS, &world->web, REASON_POLICY_DENIED);
	expect_refused_at(world, &last, ABI_EGRESS, &world->web, REASON_FRAGMENT_WITHOUT_FIRST);
}

/* Extension headers behind the fragment header are part of what was judged, too. */
static void fragments_reach_into_no_extension_header(void **state)
{
	struct world *world = *state;
	struct frame_description d = udp(&world->web, &world->api, 40000, 53);
	struct frame_description first, over;
	uint8_t start[48] = {IPPROTO_UDP, 1};

	start[16] = start[18] = 0x20; /* ports 0x2000 */
	start[21] = sizeof(start) - 16;
	d.protocol = IPPROTO_DSTOPTS;
	first = fragment_of(&d, 7, 0, true);
	first.body = start;
	first.body_size = sizeof(start);
	over = fragment_of(&d, 7, 8, true);
	expect_pass_at(world, &first, ABI_EGRESS, &world->web);
	expect_refused_at(world, &over, ABI_EGRESS, &world->web, REASON_MALFORMED);
	over.fragment_offset = 16;
	expect_refused_at(world, &over, ABI_EGRESS, &world->web, REASON_MALFORMED);
	over.fragment_offset = 24;
	expect_pass_at(world, &over, ABI_EGRESS, &world->web);
}

static void fragments_are_known_by_hook(void **state)
{
	struct world *world = *state;
	struct frame_description d = udp(&world->web, &world->api, 5000, 53);
	struct frame_description first = fragment_of(&d, 7, 0, true);
	struct frame_description last = fragment_of(&d, 7, 72, false);

	expect_pass_at(world, &first, ABI_EGRESS, &world->web);
	expect_pass_at(world, &last, ABI_EGRESS, &world->web);
	expect_refused_at(world, &last, ABI_INGRESS, &world->api, REASON_FRAGMENT_WITHOUT_FIRST);
}

/* RFC 1858 and 3128: neither a first fragment without the header, nor a second one over it. */
static void tiny_and_overlapping_fragments_are_malformed(void **state)
{
	struct world *world = *state;
	struct frame_description d = tcp(&world->web, &world->api, 40000, 8080, TCP_SYN);
	struct frame_description first = fragment_of(&d, 7, 0, true);
	struct frame_description over = fragment_of(&d, 7, 8, true);
	struct frame_description beyond = fragment_of(&d, 7, 65528, false);
	struct frame_description tiny = fragment_of(&d, 9, 0, true);
	struct frame frame;

	expect_pass(world, &first);
	expect_refused(world, &over, REASON_MALFORMED);
	over.fragment_offset = 16;
	expect_refused(world, &over, REASON_MALFORMED);
	over.fragment_offset = 24;
	expect_pass(world, &over);
	expect_refused(world, &beyond, REASON_MALFORMED);
	tiny.body_size = 0;
	frame = frame_build(&tiny);
	frame.size -= 12;
	frame.bytes[frame.network + (world->ipv6 ? 5 : 3)] -= 12;
	expect_frame_refused(world, &frame, ABI_EGRESS, &world->web, REASON_MALFORMED);
}

/* RFC 6946: a fragment header and no fragments. */
static void atomic_fragment_is_a_whole_packet(void **state)
{
	struct world *world = *state;
	struct frame_description d = udp(&world->web, &world->api, 5000, 53);
	struct frame_description atomic = fragment_of(&d, 7, 0, false);
	struct frame_description last = fragment_of(&d, 7, 72, false);

	expect_pass(world, &atomic);
	expect_refused(world, &last, REASON_FRAGMENT_WITHOUT_FIRST);
}

/* A spoofed source is no better in a later fragment. */
static void fragments_come_from_their_own_source(void **state)
{
	struct world *world = *state;
	struct frame_description d = udp(&world->web, &world->api, 5000, 53);
	struct frame_description last = fragment_of(&d, 7, 72, false);

	last.source.address = world->intruder.address;
	expect_refused(world, &last, REASON_SPOOFED_SOURCE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		FOR_BOTH(tags_are_refused),
		FOR_BOTH(other_ethertypes_are_refused),
		FOR_BOTH(a_configured_ethertype_passes),
		FOR_IPV4(ipv4_options_are_passed_over),
		FOR_IPV6(extension_headers_are_passed_over),
		FOR_IPV6(endless_extension_headers_are_refused),
		FOR_IPV6(extension_beyond_the_packet_is_refused),
		FOR_IPV6(mapped_addresses_are_refused),
		FOR_BOTH(truncated_frames_are_malformed),
		FOR_BOTH(short_transport_headers_are_malformed),
		FOR_BOTH(broken_fields_are_malformed),
		FOR_BOTH(padding_is_no_matter),
		FOR_BOTH(fragments_follow_the_first),
		FOR_BOTH(fragments_of_a_refused_first_are_refused),
		FOR_BOTH(a_refused_first_ends_what_followed),
		FOR_IPV6(fragments_reach_into_no_extension_header),
		FOR_BOTH(fragments_are_known_by_hook),
		FOR_BOTH(tiny_and_overlapping_fragments_are_malformed),
		FOR_IPV6(atomic_fragment_is_a_whole_packet),
		FOR_BOTH(fragments_come_from_their_own_source),
	};

	return expect_main(tests, sizeof(tests) / sizeof(tests[0]), "parse");
}
