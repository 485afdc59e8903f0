// SPDX-License-Identifier: GPL-2.0-or-later
#include "probe.h"

#include "policies/ports.h"

#include <netinet/icmp6.h>
#include <netinet/in.h>
#include <netinet/ip_icmp.h>

#define FIRST_SOURCE_PORT 1024
#define SOURCE_PORTS      (65536 - FIRST_SOURCE_PORT)
#define TRIES_PER_PROBE   20
#define ICMP6_NI_QUERY    139 /* RFC 4620 */

struct end {
	unsigned int place;
	struct address address;
};

/* Of a workload only the addresses that the model knows: others it could not even announce. */
static bool draw_end(struct scenario *scenario, bool ipv4, struct end *ret)
{
	struct end candidates[PLACES * PLACE_ADDRESSES_MAX];
	unsigned int number = dice_below(&scenario->dice, PLACES), count = 0;
	struct place place = place_describe(number);
	const struct address *addresses = place.addresses;
	size_t addresses_count = place.addresses_count;

	if (scenario->subjects[number] >= 0) {
		const struct model_workload *workload =
			&scenario->model->workloads[scenario->subjects[number]];

		addresses = workload->addresses;
		addresses_count = workload->addresses_count;
	}
	for (size_t i = 0; i < addresses_count; i++)
		if (address_is_ipv4(&addresses[i]) == ipv4)
			candidates[count++] = (struct end){number, addresses[i]};
	if (!count)
		return false;
	*ret = candidates[dice_below(&scenario->dice, count)];
	return true;
}

/* Those at the edges of what policies say, and a few in between. */
static uint16_t draw_port(struct dice *dice)
{
	static const uint16_t ports[] = {1, 53, 53, 69, 70, 79, 80, 80, 80, 81, 85, 86, 90, 91, 443,
		999, 1000, 1001, 5432, 5433, 8080, 8080, 8081, 8100, 8101, 65535};

	if (dice_one_in(dice, 12))
		return (uint16_t)(1 + dice_below(dice, 65535));
	return ports[dice_below(dice, ARRAY_SIZE(ports))];
}

/* Only types that the kernel's conntrack takes for the start of a conversation. */
static uint16_t draw_icmp_type(struct dice *dice, bool ipv4)
{
	static const uint8_t types[2][5] = {
		{ICMP6_ECHO_REQUEST, ICMP6_ECHO_REQUEST, ICMP6_ECHO_REQUEST, ICMP6_ECHO_REQUEST,
			ICMP6_NI_QUERY},
		{ICMP_ECHO, ICMP_ECHO, ICMP_TIMESTAMP, ICMP_INFO_REQUEST, ICMP_ADDRESS},
	};

	return (uint16_t)(types[ipv4][dice_below(dice, ARRAY_SIZE(types[0]))] << 8);
}

static void draw_service(struct dice *dice, bool ipv4, struct flow_query *query)
{
	static const uint8_t protocols[] = {IPPROTO_TCP, IPPROTO_TCP, IPPROTO_TCP, IPPROTO_TCP,
		IPPROTO_UDP, IPPROTO_UDP, IPPROTO_SCTP, IPPROTO_SCTP, IPPROTO_ICMP, IPPROTO_ICMP,
		PROBE_OTHER_PROTOCOL};

	query->protocol = protocols[dice_below(dice, ARRAY_SIZE(protocols))];
	query->port = draw_port(dice);
	if (query->protocol == IPPROTO_ICMP) {
		query->protocol = ipv4 ? IPPROTO_ICMP : IPPROTO_ICMPV6;
		query->port = draw_icmp_type(dice, ipv4);
	} else if (query->protocol == PROBE_OTHER_PROTOCOL) {
		query->port = 0;
	}
}

static bool is_icmp(uint8_t protocol)
{
	return protocol == IPPROTO_ICMP || protocol == IPPROTO_ICMPV6;
}

/* What decides at one end of the connection; NULL: that end is no subject. */
static const struct ir_port_table *deciding_table(
	const struct ir *ir, int64_t subject, enum direction direction, const struct address *peer)
{
	const struct ir_peer_table *table;
	uint32_t class = evaluate_class(ir, peer);

	if (subject < 0 || ir->subjects[subject].peer_table[direction] == IR_PEER_TABLE_NONE)
		return NULL;
	table = &ir->peer_tables[ir->subjects[subject].peer_table[direction]];
	for (size_t i = 0; i < table->peers_count; i++)
		if (table->peers[i].class == class)
			return &ir->port_tables[table->peers[i].port_table];
	return &ir->port_tables[table->otherwise];
}

/* A packet that can be sent: no port 0, and only messages that can open something. */
static bool is_possible(const struct flow_query *query)
{
	if (is_icmp(query->protocol)) {
		static const uint8_t types[] = {ICMP_ECHO, ICMP_TIMESTAMP, ICMP_INFO_REQUEST,
			ICMP_ADDRESS, ICMP6_ECHO_REQUEST, ICMP6_NI_QUERY};
		bool opens = false;

		for (size_t i = 0; i < ARRAY_SIZE(types); i++)
			opens |= query->port >> 8 == types[i];
		return opens &&
		       address_is_ipv4(&query->source) == (query->protocol == IPPROTO_ICMP);
	}
	return query->port != 0;
}

/* The first or last port of a range by which one of the ends decides, or one beside it. */
static bool draw_edge(struct scenario *scenario, const struct end *from, const struct end *to,
	struct flow_query *query)
{
	bool egress = dice_one_in(&scenario->dice, 2);
	const struct ir_port_table *table =
		deciding_table(scenario->ir, scenario->subjects[egress ? from->place : to->place],
			egress ? DIRECTION_EGRESS : DIRECTION_INGRESS,
			egress ? &to->address : &from->address);
	const struct ir_port_range *range;

	if (!table || !table->ranges_count)
		return false;
	range = &table->ranges[dice_below(&scenario->dice, (unsigned int)table->ranges_count)];
	query->protocol = range->protocol;
	query->port = dice_one_in(&scenario->dice, 2) ? range->first : range->last;
	if (dice_one_in(&scenario->dice, 2))
		query->port = query->port == range->first ? range->first - 1 : range->last + 1;
	return is_possible(query);
}

/* What Linux answers. */
static bool is_answered(const struct flow_query *query)
{
	if (query->protocol == IPPROTO_ICMPV6)
		return query->port == ICMP6_ECHO_REQUEST << 8;
	return query->port == ICMP_ECHO << 8 || query->port == ICMP_TIMESTAMP << 8;
}

/*
 * Without ports, what one model opened carries packets both ways for as long as a model after it
 * allows that. So between two addresses only one of them ever begins.
 */
static bool may_begin(const struct flow_query *query)
{
	unsigned int sum = address_compare(&query->source, &query->destination) < 0;

	if (query->protocol != PROBE_OTHER_PROTOCOL)
		return true;
	for (size_t i = 0; i < sizeof(query->source.bytes); i++)
		sum += query->source.bytes[i] + query->destination.bytes[i];
	return sum % 2;
}

static bool draw(struct scenario *scenario, struct probe *probe)
{
	bool ipv4 = dice_one_in(&scenario->dice, 2), subject;
	struct end from, to;

	if (!draw_end(scenario, ipv4, &from) || !draw_end(scenario, ipv4, &to))
		return false;
	subject = scenario->subjects[from.place] >= 0 || scenario->subjects[to.place] >= 0;
	if (from.place == to.place ? !subject : !subject && !dice_one_in(&scenario->dice, 8))
		return false;
	*probe = (struct probe){.from = from.place, .to = to.place};
	probe->query.source = from.address;
	probe->query.destination = to.address;
	if (!dice_one_in(&scenario->dice, 2) || !draw_edge(scenario, &from, &to, &probe->query))
		draw_service(&scenario->dice, ipv4, &probe->query);
	if (!may_begin(&probe->query))
		return false;
	probe->expected = evaluate(scenario->ir, &probe->query);
	switch (probe->query.protocol) {
	case IPPROTO_TCP:
	case IPPROTO_UDP:
		probe->expects_reply = true; /* nobody listens */
		break;
	case IPPROTO_ICMP:
	case IPPROTO_ICMPV6:
		probe->expects_reply = is_answered(&probe->query);
	}
	probe->expects_connection =
		subject && from.place != to.place &&
		(probe->query.protocol == IPPROTO_TCP || probe->query.protocol == IPPROTO_UDP ||
			probe->query.protocol == IPPROTO_SCTP);
	return true;
}

static bool same_query(const struct flow_query *a, const struct flow_query *b)
{
	return a->protocol == b->protocol && a->port == b->port &&
	       address_equal(&a->source, &b->source) &&
	       address_equal(&a->destination, &b->destination);
}

static bool is_new(const struct probe *probe, const struct probe *probes, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (same_query(&probe->query, &probes[i].query))
			return false;
	return true;
}

size_t probes_draw(struct scenario *scenario, uint32_t first, struct probe *probes, size_t count)
{
	size_t found = 0;

	for (size_t tries = 0; found < count && tries < count * TRIES_PER_PROBE; tries++) {
		struct probe *probe = &probes[found];

		if (!draw(scenario, probe) || !is_new(probe, probes, found))
			continue;
		probe->number = first + (uint32_t)found;
		probe->source_port = (uint16_t)(FIRST_SOURCE_PORT + probe->number % SOURCE_PORTS);
		found++;
	}
	return found;
}

static uint16_t event_port(const struct flow_event *event)
{
	if (is_icmp(event->protocol))
		return (uint16_t)(event->icmp_type << 8 | event->icmp_code);
	return event->destination_port;
}

void probe_take_event(struct probe *probe, const struct flow_event *event)
{
	const struct flow_query told = {
		event->source, event->destination, event->protocol, event_port(event)};

	if (!same_query(&probe->query, &told))
		return;
	if (event->type == FLOW_DENIED) {
		probe->denials += (unsigned int)event->packets[0];
		probe->denial = *event;
	} else if (event->source_port == probe->source_port && !probe->connections++) {
		probe->connection = *event;
	}
}

bool probe_is_settled(const struct probe *probe)
{
	if (probe->denials)
		return true;
	if (!probe->arrived)
		return false;
	return probe->expected.verdict == VERDICT_DENY ||
	       ((probe->replied || !probe->expects_reply) &&
		       (probe->connections || !probe->expects_connection));
}

void probe_print(const struct probe *probe, FILE *stream)
{
	struct place from = place_describe(probe->from), to = place_describe(probe->to);
	const char *protocol = protocol_name(probe->query.protocol);
	char source[ADDRESS_TEXT_MAX], destination[ADDRESS_TEXT_MAX];

	fprintf(stream, "%s %s -> %s %s %s", from.name,
		address_format(&probe->query.source, source), to.name,
		address_format(&probe->query.destination, destination),
		protocol ? protocol : "other");
	if (is_icmp(probe->query.protocol))
		fprintf(stream, "/%u/%u", probe->query.port >> 8, probe->query.port & 0xff);
	else
		fprintf(stream, "/%u from port %u", probe->query.port, probe->source_port);
}
