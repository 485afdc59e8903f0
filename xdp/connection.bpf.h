/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The connection that a packet belongs to: found, checked, counted. All that an established packet
 * costs is here. */
#pragma once

#include "xdp/clock.bpf.h"
#include "xdp/connection_table.bpf.h"
#include "xdp/packet.bpf.h"
#include "xdp/policy.bpf.h"
#include "xdp/sample.bpf.h"

/* What changes in the state of a connection, as one word so that CPUs can OR into it at once. */
union connection_state {
	__u32 word;
	struct {
		__u8 tcp_flags[ABI_SIDES];
		__u8 originator;
		__u8 flags;
	};
};

#define CONNECTION_STATE_WORD(connection) ((__u32 *)(connection)->tcp_flags)

_Static_assert(offsetof(struct abi_connection, tcp_flags) % 4 == 0, "atomics need alignment");
_Static_assert(
	offsetof(struct abi_connection, tcp_flags) + offsetof(union connection_state, flags) ==
		offsetof(struct abi_connection, flags),
	"the state of a connection is one word");

/* And what is beside it, for the same reason. */
union connection_marks {
	__u32 word;
	struct {
		__u16 type_code;
		__u8 samples;
		__u8 seen;
	};
};

#define CONNECTION_MARKS_WORD(connection) ((__u32 *)&(connection)->type_code)

_Static_assert(offsetof(struct abi_connection, type_code) % 4 == 0, "atomics need alignment");
_Static_assert(
	offsetof(struct abi_connection, type_code) + offsetof(union connection_marks, seen) ==
		offsetof(struct abi_connection, seen),
	"the marks of a connection are one word");

/* Whether the end at this hook is still the one that the connection began with. */
static __always_inline int connection_at_hook(struct __sk_buff *skb,
	const struct abi_connection *connection, const struct packet *packet, __u32 sender)
{
	__u32 here = packet->hook == ABI_EGRESS ? sender : !sender;
	const void *start = (void *)(long)skb->data;
	const struct ethhdr *ethernet = start;

	if (connection->ifindex[here & 1] != packet->ifindex)
		return 0;
	if (packet->hook == ABI_INGRESS)
		return 1;
	/* The Ethernet header is always in the linear part; the verifier wants to see it. */
	if (start + sizeof(*ethernet) > (void *)(long)skb->data_end)
		return 0;
	return mac_equal(ethernet->h_source, connection->mac[sender & 1]);
}

/* TCP, and SCTP in TCP's words (see parse_sctp()). */
static __always_inline int has_handshake(__u8 protocol)
{
	return protocol == IPPROTO_TCP || protocol == IPPROTO_SCTP;
}

/* What may be opened anew with the same ports. */
static __always_inline int connection_is_over(const struct abi_connection *connection)
{
	return connection->flags & (ABI_CONNECTION_CLOSING | ABI_CONNECTION_RESET);
}

/* Reclaimable, so no longer there. */
static __always_inline int connection_expired(
	const struct abi_connection *connection, __u8 protocol)
{
	__u64 idle_ns = configuration.other_ns;

	if (has_handshake(protocol)) {
		idle_ns = configuration.tcp_opening_ns;
		if (connection_is_over(connection))
			idle_ns = configuration.tcp_closing_ns;
		else if (connection->flags & ABI_CONNECTION_ESTABLISHED)
			idle_ns = (connection->tcp_flags[0] | connection->tcp_flags[1]) & TCP_FIN
					  ? configuration.tcp_half_closed_ns
					  : configuration.tcp_established_ns;
	} else if (protocol == IPPROTO_UDP) {
		idle_ns = configuration.udp_ns;
	}
	return clock_passed(connection->last_ns, idle_ns);
}

/*
 * A connection lets pass only what is part of it: a packet that opens must be the originator's own
 * repeated one, else the allowed ping or SYN would let the other end open something back.
 */
static __always_inline int connection_owns(
	const struct abi_connection *connection, const struct packet *packet, __u32 sender)
{
	if (packet->kind == PACKET_EITHER)
		return 1;
	if (packet->kind == PACKET_OPENS)
		return sender == ABI_ORIGINATOR && !connection_is_over(connection) &&
		       connection->type_code == packet->type_code;
	return has_handshake(packet->protocol) ||
	       icmp_request_of(packet->protocol, packet->type_code >> 8) ==
		       connection->type_code >> 8;
}

/* A RST that its own sender gives the lie to by going on was a forgery, or not in the window. */
static __always_inline void connection_revive(
	struct abi_connection *connection, const struct packet *packet, __u32 sender)
{
	union connection_state lost = {.flags = ABI_CONNECTION_RESET};

	if (!(connection->flags & ABI_CONNECTION_RESET) ||
		!(connection->tcp_flags[sender & 1] & TCP_RST) ||
		(packet->tcp_flags & (TCP_RST | TCP_SYN | TCP_ACK)) != TCP_ACK)
		return;
	__sync_fetch_and_and(CONNECTION_STATE_WORD(connection), ~lost.word);
}

/*
 * TCP (RFC 9293, figure 5, as far as a bystander needs it). The handshake is complete when the
 * originator acknowledges the responder's SYN; nothing else opens. A RST does not end a connection,
 * since we do not follow its window (RFC 5961, 3.2): it goes on, but only for the time that one
 * which is closing has, until the side that sent the RST sends something else.
 */
static __noinline void connection_advance(
	struct abi_connection *connection, const struct packet *packet, __u32 sender)
{
	union connection_state seen = {}, gained = {};

	seen.word = *CONNECTION_STATE_WORD(connection);
	if (sender == ABI_RESPONDER) {
		gained.tcp_flags[ABI_RESPONDER] = packet->tcp_flags;
		gained.flags = ABI_CONNECTION_REPLIED;
	} else {
		gained.tcp_flags[ABI_ORIGINATOR] = packet->tcp_flags;
	}
	seen.word |= gained.word;
	connection_revive(connection, packet, sender);
	if (packet->tcp_flags & TCP_RST)
		gained.flags |= ABI_CONNECTION_RESET;
	else if (seen.tcp_flags[ABI_ORIGINATOR] & seen.tcp_flags[ABI_RESPONDER] & TCP_FIN)
		gained.flags |= ABI_CONNECTION_CLOSING;
	else if (sender == ABI_ORIGINATOR && (packet->tcp_flags & (TCP_ACK | TCP_SYN)) == TCP_ACK &&
		 (seen.tcp_flags[ABI_RESPONDER] & (TCP_ACK | TCP_SYN)) == (TCP_ACK | TCP_SYN))
		gained.flags |= ABI_CONNECTION_ESTABLISHED;
	__sync_fetch_and_or(CONNECTION_STATE_WORD(connection), gained.word);
}

/* An end that sends by its own hook under this very key. As one word, like the state. */
static __always_inline void connection_see(struct abi_connection *connection, __u32 sender)
{
	union connection_marks marks = {.seen = 1 << sender};

	if (!(connection->seen & marks.seen))
		__sync_fetch_and_or(CONNECTION_MARKS_WORD(connection), marks.word);
}

/*
 * A packet passes two hooks where both ends are local: the sender's own counts it. But one to an
 * address that the node translates is of another connection there: so only if that hook has seen
 * this one.
 */
static __always_inline int connection_counts_here(
	const struct abi_connection *connection, const struct packet *packet, __u32 sender)
{
	return packet->hook == ABI_EGRESS || !connection->ifindex[sender & 1] ||
	       !(connection->seen >> (sender & 1) & 1);
}

static __always_inline void connection_count(
	struct abi_connection *connection, const struct packet *packet, __u32 sender)
{
	__u8 known = connection->flags &
		     (ABI_CONNECTION_REPLIED | ABI_CONNECTION_ESTABLISHED | ABI_CONNECTION_RESET);

	connection->last_ns = clock_now_ns();
	if (!connection_counts_here(connection, packet, sender))
		return;
	sender &= 1;
	if (packet->hook == ABI_EGRESS)
		connection_see(connection, sender);
	__sync_fetch_and_add(&connection->packets[sender], 1);
	__sync_fetch_and_add(&connection->bytes[sender], packet->bytes);
	if (has_handshake(packet->protocol)) {
		if (packet->tcp_flags & (~connection->tcp_flags[sender] | TCP_RST) ||
			(known & (ABI_CONNECTION_ESTABLISHED | ABI_CONNECTION_RESET)) !=
				ABI_CONNECTION_ESTABLISHED)
			connection_advance(connection, packet, sender);
	} else if (sender == ABI_RESPONDER && !(known & ABI_CONNECTION_REPLIED)) {
		connection_advance(connection, packet, sender);
	}
}

/* True: the packet is part of a connection that stands, and was counted. */
static __always_inline int connection_carries(struct __sk_buff *skb, struct packet *packet)
{
	struct abi_connection *connection;
	__u32 sender;

	if (packet->kind > PACKET_OPENS)
		return 0;
	connection_key(packet);
	connection = bpf_map_lookup_elem(&connections, &packet->key);
	if (!connection)
		packet->unknown = 1;
	if (!connection || connection->generation != packet->generation)
		return 0;
	sender = connection_sender(connection, packet);
	if (!connection_at_hook(skb, connection, packet, sender) ||
		!connection_owns(connection, packet, sender) ||
		connection_expired(connection, packet->protocol))
		return 0;
	if (packet->first_fragment) /* the others will look for it */
		return 0;
	connection_count(connection, packet, sender);
	if (sample_is_wanted(connection) && connection_counts_here(connection, packet, sender))
		sample_take(skb, packet, connection, sender);
	return 1;
}
