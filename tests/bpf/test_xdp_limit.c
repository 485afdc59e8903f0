/* SPDX-License-Identifier: GPL-2.0-or-later */
/* New connections of each source, held back by early dropping. The interval is an hour where the
 * burst alone shall pass, so that nothing here depends on how long the test takes. */
#include "early_world.h"

#include "base/cleanup.h"

#include <netinet/in.h>
#include <string.h>

#define HOUR_NS 3600000000000ULL
#define BURST   5

static void only_the_burst_passes(struct early_world *world, struct frame_description syn)
{
	for (int i = 0; i < BURST; i++) {
		syn.source_port++;
		early_expect_pass(world, &syn);
	}
	for (int i = 0; i < 3; i++) {
		syn.source_port++;
		early_expect_refused(world, &syn, REASON_FLOOD);
	}
}

static void a_source_has_its_burst(void **state)
{
	struct early_world *world = *state;
	struct frame_description syn = early_syn(&world->far, &world->near);

	for (int i = 0; i < 3 * BURST; i++)
		early_expect_pass(world, &syn);
	early_limit(world, HOUR_NS, BURST * HOUR_NS);
	only_the_burst_passes(world, syn);
	/* Another has its own. */
	only_the_burst_passes(world, early_syn(&world->listed, &world->near));
	early_jobs(world, 0, ABI_INGRESS);
	early_expect_pass(world, &syn);
}

static void sctp_counts_too(void **state)
{
	struct early_world *world = *state;
	struct frame_description init = early_syn(&world->far, &world->near);
	struct frame_description data = init;

	init.protocol = data.protocol = IPPROTO_SCTP;
	data.sctp_chunk = 0xff; /* anything but INIT, which is 1 */
	early_limit(world, HOUR_NS, BURST * HOUR_NS);
	for (int i = 0; i < 3 * BURST; i++)
		early_expect_pass(world, &data);
	only_the_burst_passes(world, init);
	/* Both together are one source's. */
	init.protocol = IPPROTO_TCP;
	early_expect_refused(world, &init, REASON_FLOOD);
}

/* What belongs to connections, and what says of no packet that it is the first, is not held back.
 */
static void only_openings_count(void **state)
{
	static const uint8_t flags[] = {
		TCP_SYN | TCP_ACK, TCP_ACK, TCP_RST, TCP_FIN | TCP_ACK, TCP_SYN | TCP_RST, 0};
	struct early_world *world = *state;
	const struct frame_description syn = early_syn(&world->far, &world->near);
	struct frame_description other = syn;

	early_limit(world, HOUR_NS, BURST * HOUR_NS);
	only_the_burst_passes(world, syn);
	for (size_t i = 0; i < ARRAY_SIZE(flags); i++) {
		other.tcp_flags = flags[i];
		early_expect_pass(world, &other);
	}
	other.protocol = IPPROTO_UDP;
	early_expect_pass(world, &other);
	other.protocol = world->ipv6 ? IPPROTO_ICMPV6 : IPPROTO_ICMP;
	early_expect_pass(world, &other);
	other = syn;
	other.fragment = true;
	other.fragment_offset = 1480; /* whatever its bytes look like */
	early_expect_pass(world, &other);
	other.fragment_offset = 0;
	other.fragment_more = true;
	early_expect_refused(world, &other, REASON_FLOOD);
}

static void no_header_hides_an_opening(void **state)
{
	struct early_world *world = *state;
	const struct frame_description syn = early_syn(&world->far, &world->near);
	struct frame_description tagged = syn, long_headers = syn;

	early_limit(world, HOUR_NS, BURST * HOUR_NS);
	only_the_burst_passes(world, syn);
	tagged.vlan_types[0] = 0x88a8;
	tagged.vlan_types[1] = 0x8100;
	early_expect_refused(world, &tagged, REASON_FLOOD);
	long_headers.ipv4_options = 40;
	memset(long_headers.extensions, IPPROTO_DSTOPTS + 1, 3);
	early_expect_refused(world, &long_headers, REASON_FLOOD);
}

/* Time gives back what was used up: here a whole burst between two packets. */
static void time_gives_back(void **state)
{
	struct early_world *world = *state;
	const struct frame_description syn = early_syn(&world->far, &world->near);

	early_limit(world, HOUR_NS, BURST * HOUR_NS);
	only_the_burst_passes(world, syn);
	early_limit(world, 1, HOUR_NS);
	early_expect_refused(world, &syn, REASON_FLOOD); /* it still owes five hours */
	early_limit(world, 1, 6 * HOUR_NS);
	for (int i = 0; i < 10 * BURST; i++)
		early_expect_pass(world, &syn);
}

/* One host has a whole /64. */
static void an_ipv6_source_is_its_network(void **state)
{
	struct early_world *world = *state;
	struct frame_description syn = early_syn(&world->far, &world->near);

	early_limit(world, HOUR_NS, BURST * HOUR_NS);
	only_the_burst_passes(world, syn);
	syn.source.address.bytes[15]++;
	syn.source.address.bytes[8]++;
	early_expect_refused(world, &syn, REASON_FLOOD);
	syn.source.address.bytes[7]++;
	early_expect_pass(world, &syn);
}

static void an_ipv4_source_is_one_address(void **state)
{
	struct early_world *world = *state;
	struct frame_description syn = early_syn(&world->far, &world->near);

	early_limit(world, HOUR_NS, BURST * HOUR_NS);
	only_the_burst_passes(world, syn);
	syn.source.address.bytes[15]++;
	early_expect_pass(world, &syn);
}

/* The table is an LRU: ever new sources push out others, which then begin anew; nothing stops. */
static void ever_new_sources_pass(void **state)
{
	struct early_world *world = *state;
	struct frame_description syn = early_syn(&world->far, &world->near);

	early_limit(world, HOUR_NS, HOUR_NS);
	for (uint32_t i = 0; i < 4096; i++) {
		memcpy(&syn.source.address.bytes[world->ipv6 ? 4 : 12], &i, sizeof(i));
		early_expect_pass(world, &syn);
	}
	early_expect_refused(world, &syn, REASON_FLOOD);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		EARLY_ALL(a_source_has_its_burst),
		EARLY_ALL(sctp_counts_too),
		EARLY_ALL(only_openings_count),
		EARLY_ALL(no_header_hides_an_opening),
		EARLY_ALL(time_gives_back),
		EARLY_IPV6(an_ipv6_source_is_its_network),
		EARLY_IPV4(an_ipv4_source_is_one_address),
		EARLY_ALL(ever_new_sources_pass),
	};

	return early_main(tests, ARRAY_SIZE(tests), "xdp_limit");
}
