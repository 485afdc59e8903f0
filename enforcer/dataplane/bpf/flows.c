/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "dataplane/bpf/flows.h"

#include "xdp/connection_times.h"

#include <arpa/inet.h>
#include <linux/if_ether.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>

/* Ids of refusals must differ from those of connections, and both fit a signed number. */
#define DENIAL_ID (1ULL << 62)

static uint64_t realtime(uint64_t boottime_ns, const struct flow_context *context)
{
	return boottime_ns + context->realtime_offset_ns;
}

/* The kernel holds one that was revoked until adoption is over: last_ns is then to come. */
static uint64_t last_seen_ns(
	const struct abi_connection *connection, const struct flow_context *context)
{
	return connection->last_ns < context->now_ns ? connection->last_ns : context->now_ns;
}

static bool is_icmp(uint8_t protocol)
{
	return protocol == IPPROTO_ICMP || protocol == IPPROTO_ICMPV6;
}

static uint16_t ethertype_of(const struct address *address)
{
	return address_is_ipv4(address) ? ETH_P_IP : ETH_P_IPV6;
}

/*
 * The direction that says most: the one that audited it, else the one whose rule somebody wrote,
 * the originator's egress first. Where one had no policy to ask, the other.
 */
static enum direction deciding_direction(const struct abi_connection *connection)
{
	uint32_t egress = connection->rule[ABI_EGRESS], ingress = connection->rule[ABI_INGRESS];

	if (!egress || !ingress)
		return egress ? DIRECTION_EGRESS : DIRECTION_INGRESS;
	if (connection->flags & ABI_CONNECTION_AUDITED)
		return connection->flags & ABI_CONNECTION_AUDITED_EGRESS ? DIRECTION_EGRESS
									 : DIRECTION_INGRESS;
	return ir_rule_id_is_written(egress) || !ir_rule_id_is_written(ingress) ? DIRECTION_EGRESS
										: DIRECTION_INGRESS;
}

static enum reason connection_reason(const struct abi_connection *connection)
{
	if (connection->flags & ABI_CONNECTION_AUDITED)
		return REASON_AUDITED;
	if (connection->flags & ABI_CONNECTION_ADOPTED)
		return REASON_ADOPTED;
	return REASON_POLICY_ALLOWED;
}

static uint32_t connection_ifindex(const struct abi_connection *connection)
{
	return connection->ifindex[ABI_ORIGINATOR] ? connection->ifindex[ABI_ORIGINATOR]
						   : connection->ifindex[ABI_RESPONDER];
}

static void set_connection_ports(struct flow_event *event, const struct abi_connection_key *key,
	const struct abi_connection *connection)
{
	if (is_icmp(key->protocol)) {
		event->icmp_type = connection->type_code >> 8;
		event->icmp_code = connection->type_code & 0xff;
		return;
	}
	event->source_port = ntohs(key->port_be[connection->originator & 1]);
	event->destination_port = ntohs(key->port_be[!(connection->originator & 1)]);
}

struct flow_event flow_of_connection(enum flow_event_type type,
	const struct abi_connection_key *key, const struct abi_connection *connection,
	const struct flow_context *context)
{
	unsigned int originator = connection->originator & 1;
	struct flow_event event = {
		.type = type,
		.verdict = connection->flags & ABI_CONNECTION_AUDITED ? FLOW_AUDITED : FLOW_ALLOWED,
		.reason = connection_reason(connection),
		.direction = deciding_direction(connection),
		.id = flow_event_id(connection->start_ns, connection->id),
		.time_ns = realtime(
			type == FLOW_NEW ? connection->start_ns : context->now_ns, context),
		.start_ns = realtime(connection->start_ns, context),
		.end_ns = realtime(last_seen_ns(connection, context), context),
		.source = address_from_ipv6(key->address[originator]),
		.destination = address_from_ipv6(key->address[!originator]),
		.protocol = key->protocol,
		.tcp_flags = connection->tcp_flags[0] | connection->tcp_flags[1],
		.ifindex = connection_ifindex(connection),
	};

	event.lasting_id = event.id;
	event.rule = connection->rule[event.direction];
	event.other_rule = connection->rule[!event.direction];
	event.ethertype = ethertype_of(&event.source);
	set_connection_ports(&event, key, connection);
	memcpy(event.source_mac, connection->mac[ABI_ORIGINATOR], sizeof(event.source_mac));
	memcpy(event.destination_mac, connection->mac[ABI_RESPONDER],
		sizeof(event.destination_mac));
	for (unsigned int side = 0; side < ABI_SIDES; side++) {
		event.packets[side] = connection->packets[side];
		event.bytes[side] = connection->bytes[side];
		event.round_trip_us[side] = connection->round_trip_us[side];
		event.retransmissions[side] = connection->retransmissions[side];
	}
	return event;
}

struct flow_event flow_of_denial(const struct abi_denial_key *key, const struct abi_denial *denial,
	uint64_t packets, uint64_t bytes, uint32_t sequence, const struct flow_context *context)
{
	struct flow_event event = {
		.type = FLOW_DENIED,
		.verdict = FLOW_REFUSED,
		.reason = key->reason,
		.direction = (enum direction)key->direction,
		.rule = key->rule,
		.id = DENIAL_ID | flow_event_id(denial->first_ns, sequence),
		.time_ns = realtime(denial->last_ns, context),
		.start_ns = realtime(denial->first_ns, context),
		.end_ns = realtime(denial->last_ns, context),
		.source = address_from_ipv6(key->source),
		.destination = address_from_ipv6(key->destination),
		.ethertype = key->ethertype,
		.protocol = key->protocol,
		.tcp_flags = denial->tcp_flags,
		.ifindex = key->ifindex,
		.packets = {packets},
		.bytes = {bytes},
	};

	if (is_icmp(key->protocol)) {
		event.icmp_type = key->port >> 8;
		event.icmp_code = key->port & 0xff;
	} else {
		event.source_port = denial->source_port;
		event.destination_port = key->port;
	}
	memcpy(event.source_mac, denial->source_mac, sizeof(event.source_mac));
	memcpy(event.destination_mac, denial->destination_mac, sizeof(event.destination_mac));
	return event;
}

struct flow_event flow_of_loss(uint64_t lost, const struct flow_context *context)
{
	return (struct flow_event){
		.type = FLOW_GAP,
		.time_ns = realtime(context->now_ns, context),
		.lost = lost,
	};
}

/* The target has refused it before anything was said. Whoever looks for scans wants to hear of it
 * soon, and of its packets none is still to come. */
static bool is_refused_opening(const struct abi_connection *connection)
{
	return !(connection->flags & ABI_CONNECTION_ESTABLISHED) &&
	       connection->tcp_flags[ABI_RESPONDER] & TH_RST;
}

uint64_t connection_idle_limit_ns(const struct abi_connection_key *key,
	const struct abi_connection *connection, const struct abi_configuration *configuration)
{
	switch (key->protocol) {
	case IPPROTO_TCP:
	case IPPROTO_SCTP:
		if (is_refused_opening(connection) &&
			configuration->tcp_closing_ns > CONNECTION_TCP_REFUSED_NS)
			return CONNECTION_TCP_REFUSED_NS;
		if (connection->flags & (ABI_CONNECTION_CLOSING | ABI_CONNECTION_RESET))
			return configuration->tcp_closing_ns;
		if (!(connection->flags & ABI_CONNECTION_ESTABLISHED))
			return configuration->tcp_opening_ns;
		return (connection->tcp_flags[0] | connection->tcp_flags[1]) & TH_FIN
			       ? configuration->tcp_half_closed_ns
			       : configuration->tcp_established_ns;
	case IPPROTO_UDP:
		return configuration->udp_ns;
	default:
		return configuration->other_ns;
	}
}
