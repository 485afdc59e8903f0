/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Packets that no standing connection carries: judge, open, judge again, adopt, restart.
 * Functions return the reason that becomes the packet's verdict.
 */
#pragma once

#include "xdp/client_port.h"
#include "xdp/connection.bpf.h"
#include "xdp/denial.bpf.h"
#include "xdp/event.bpf.h"
#include "xdp/policy.bpf.h"
#include "xdp/reclaim.bpf.h"

static __u32 connection_ids;

static __always_inline void count_rules(const struct abi_connection *connection)
{
	hit_count(connection->rule[ABI_EGRESS]);
	if (connection->rule[ABI_INGRESS] != connection->rule[ABI_EGRESS])
		hit_count(connection->rule[ABI_INGRESS]);
}

/* To be judged: in the scratch of this CPU, for the stack has no room. */
static __always_inline struct abi_connection *opening_of(
	const struct packet *packet, __u8 originator, __u16 type_code)
{
	struct scratch *scratch = scratch_of_cpu();

	if (!scratch)
		return NULL;
	scratch->opening = (struct abi_connection){
		.originator = originator,
		.type_code = type_code,
		.generation = packet->generation,
	};
	return &scratch->opening;
}

/* Fills in what judge() left open, and enters the connection. */
static __noinline int connection_open(const struct packet *packet,
	const struct abi_connection_key *key, struct abi_connection *connection)
{
	__u32 sender = connection_sender(connection, packet);
	struct abi_connection *first;
	long result;

	connection->start_ns = clock_now_ns();
	connection->last_ns = connection->start_ns;
	connection->id = __sync_fetch_and_add(&connection_ids, 1);
	connection_count(connection, packet, sender);
	connection->owner = packet->ifindex;
	connection->samples = samples_of(packet);
	result = connection_insert(key, connection);
	if (!result) {
		event_connection(key, connection);
		count_rules(connection);
		return 0;
	}
	/* Another CPU may have been first, and taken the last place of the share with it. */
	first = bpf_map_lookup_elem(&connections, key);
	if (first)
		connection_count(first, packet, connection_sender(first, packet));
	else if (result == -EDQUOT)
		return REASON_ENDPOINT_CONNECTIONS_FULL;
	else if (result != -EEXIST)
		return REASON_CONNECTIONS_FULL;
	return 0;
}

/* 0: no more. */
static __always_inline __u64 endpoint_adopts_until(const struct abi_endpoint *endpoint)
{
	if (!endpoint || !endpoint->adoption_ns ||
		clock_passed(endpoint->attached_ns, endpoint->adoption_ns))
		return 0;
	return endpoint->attached_ns + endpoint->adoption_ns;
}

/* Until when connections between these ends may be older than the enforcement, which began lately
 * at either; 0: they are not. */
static __noinline __u64 adoption_until(
	const struct packet *packet, const struct abi_endpoint *endpoint)
{
	const __u64 here_ns = endpoint_adopts_until(endpoint);
	const union address *other = &packet->source;
	const struct abi_address *address;
	__u64 there_ns;

	if (packet->hook == ABI_EGRESS)
		other = &packet->destination;
	address = address_find(other);
	if (!address || !address->ifindex)
		return here_ns;
	there_ns = endpoint_adopts_until(bpf_map_lookup_elem(&endpoints, &address->ifindex));
	return there_ns > here_ns ? there_ns : here_ns;
}

static __always_inline int names_a_rule(const struct abi_connection *connection)
{
	return connection->rule[ABI_EGRESS] > ABI_RULE_FIXED ||
	       connection->rule[ABI_INGRESS] > ABI_RULE_FIXED;
}

static __always_inline enum client_end client_of(const struct abi_connection_key *key)
{
	return client_port_tell(bpf_ntohs(key->port_be[0]), bpf_ntohs(key->port_be[1]));
}

/*
 * Who began a connection whose ports do not tell; connection->originator is a guess, and reason
 * what policy says of it. Where policy allows it both ways it does not matter. Where it allows one
 * way alone, that way counts only if a policy's rule names it: else what a policy refuses at the
 * one end would pass as a connection of the other direction, which no policy binds.
 */
static __noinline int judge_either_way(const struct abi_connection_key *key,
	struct abi_connection *connection, int reason, struct refusal *refusal)
{
	struct refusal other = {};
	int named, turned;

	if (!key || !connection || !refusal) /* demanded where the verifier walks once */
		return REASON_INTERNAL_ERROR;
	named = names_a_rule(connection);
	connection->originator = !connection->originator;
	turned = judge(key, connection, &other);
	if (reason_refuses(reason))
		return reason_refuses(turned) || !names_a_rule(connection) ? reason : turned;
	if (reason_refuses(turned) && !named) {
		*refusal = other;
		return turned;
	}
	connection->originator = !connection->originator;
	return judge(key, connection, refusal);
}

/*
 * TCP in mid-stream does not say who began. A SYN with ACK does: its receiver; else the ports may.
 * Where both ways are refused, refusal is of the one that it was sent.
 */
static __always_inline int adopt(const struct packet *packet, const struct abi_connection_key *key,
	struct abi_connection *connection, struct refusal *refusal)
{
	enum client_end client = CLIENT_DESTINATION;
	int reason;

	if (packet->protocol != IPPROTO_TCP || !(packet->tcp_flags & (TCP_ACK | TCP_RST)))
		return REASON_NO_CONNECTION;
	if (!(packet->tcp_flags & TCP_SYN))
		client = client_port_tell(
			bpf_ntohs(packet->source_port_be), bpf_ntohs(packet->destination_port_be));
	connection->originator = client == CLIENT_DESTINATION ? !packet->side : packet->side;
	reason = judge(key, connection, refusal);
	if (client == CLIENT_UNKNOWN)
		reason = judge_either_way(key, connection, reason, refusal);
	if (reason_refuses(reason))
		return reason;
	connection->flags |= ABI_CONNECTION_ADOPTED;
	if (packet->tcp_flags & TCP_SYN) /* so that the ACK to come completes the handshake */
		connection->tcp_flags[ABI_ORIGINATOR] = TCP_SYN;
	else
		connection->flags |= ABI_CONNECTION_ESTABLISHED;
	return REASON_ADOPTED;
}

/* Whether policy would answer the connection that a stray segment speaks of, whoever began it: so
 * both ends of one that was revoked hear of it, and not only the one that sends first. */
static __always_inline int reject_stray(const struct packet *packet,
	const struct abi_connection_key *key, struct abi_connection *connection,
	struct refusal *refusal)
{
	struct refusal asked = {};

	if (packet->protocol != IPPROTO_TCP)
		return 0;
	if (!reason_refuses(judge(key, connection, &asked))) {
		connection->originator = !packet->side;
		judge(key, connection, &asked);
	}
	refusal->flags = asked.flags & ABI_DECISION_REJECT;
	return 0;
}

/* No connection, or one that this packet is not part of. */
static __noinline int track_new(struct __sk_buff *skb, const struct packet *packet,
	const struct abi_connection_key *key, const struct abi_endpoint *endpoint,
	struct refusal *refusal)
{
	struct abi_connection *connection = opening_of(packet, packet->side, packet->type_code);
	struct abi_connection *standing = NULL;
	int reason, failed;

	if (!connection)
		return REASON_INTERNAL_ERROR;
	if (packet->kind == PACKET_CONTINUES) {
		if (!adoption_until(packet, endpoint)) {
			reject_stray(packet, key, connection, refusal);
			return REASON_NO_CONNECTION;
		}
		reason = adopt(packet, key, connection, refusal);
	} else {
		reason = judge(key, connection, refusal);
		if (packet->hook == ABI_EGRESS &&
			connection->ifindex[ABI_ORIGINATOR] != packet->ifindex) {
			*refusal = (struct refusal){};
			return REASON_SPOOFED_SOURCE;
		}
	}
	if (reason_refuses(reason))
		return reason;

	if (!packet->unknown)
		standing = bpf_map_lookup_elem(&connections, key);
	if (standing && !connection_is_over(standing)) {
		/* Allowed in its own right beside a connection of the same key. */
		connection_count(standing, packet, connection_sender(standing, packet));
		return reason;
	}
	if (standing)
		connection_end(key, standing);
	share_make_room(packet->ifindex);
	failed = connection_open(packet, key, connection);
	if (failed)
		return failed;
	if (sample_is_wanted(connection))
		sample_take(skb, packet, connection, connection_sender(connection, packet));
	return reason;
}

/* Adopted in mid-stream, and nobody could tell who began it. */
static __always_inline int is_guessed(
	const struct abi_connection_key *key, const struct abi_connection *connection)
{
	return connection->flags & ABI_CONNECTION_ADOPTED &&
	       !(connection->tcp_flags[ABI_ORIGINATOR] & TCP_SYN) &&
	       client_of(key) == CLIENT_UNKNOWN;
}

/* Policy says now that it was the other end who began, which makes it another connection: that one
 * is in the scratch, and begins with this packet. */
static __noinline int connection_turn(const struct packet *packet,
	const struct abi_connection_key *key, const struct abi_connection *connection)
{
	struct scratch *scratch = scratch_of_cpu();
	int failed;

	if (!scratch)
		return REASON_INTERNAL_ERROR;
	scratch->opening.flags |= ABI_CONNECTION_ADOPTED;
	scratch->opening.tcp_flags[ABI_ORIGINATOR] = connection->tcp_flags[ABI_RESPONDER];
	scratch->opening.tcp_flags[ABI_RESPONDER] = connection->tcp_flags[ABI_ORIGINATOR];
	connection_end(key, connection);
	failed = connection_open(packet, key, &scratch->opening);
	return failed ? failed : REASON_ADOPTED;
}

/*
 * The connection was judged under an older generation: again, as it was opened. ADOPTED: it is to
 * be turned.
 *
 * The element may be removed and reused by another CPU meanwhile, and then carry a generation that
 * its new owner was not judged under; so whoever owns it now is made to be judged once more.
 */
static __noinline int judge_again(const struct packet *packet, const struct abi_connection_key *key,
	struct abi_connection *connection, struct refusal *refusal)
{
	__u8 decided = ABI_CONNECTION_LOG | ABI_CONNECTION_AUDITED | ABI_CONNECTION_AUDITED_EGRESS;
	struct abi_connection *again =
		opening_of(packet, connection->originator & 1, connection->type_code);
	int reason;

	if (!again)
		return REASON_INTERNAL_ERROR;
	reason = judge(key, again, refusal);
	if (is_guessed(key, connection))
		reason = judge_either_way(key, again, reason, refusal);
	if (reason == REASON_POLICY_DENIED)
		return REASON_REVOKED;
	if (reason_refuses(reason))
		return reason;
	if (!((connection->tcp_flags[0] | connection->tcp_flags[1]) & TCP_RST))
		decided |= ABI_CONNECTION_RESET; /* revoked before, and now allowed again */
	again->flags |= connection->flags & ~decided;
	if (again->originator != connection->originator)
		return REASON_ADOPTED;
	__builtin_memcpy(connection->ifindex, again->ifindex, sizeof(again->ifindex));
	__builtin_memcpy(connection->mac, again->mac, sizeof(again->mac));
	__builtin_memcpy(connection->rule, again->rule, sizeof(again->rule));
	connection->flags = again->flags;
	__sync_lock_test_and_set(&connection->generation, packet->generation);
	if (bpf_map_lookup_elem(&connections, key) != connection)
		connection->generation = 0;
	return REASON_ESTABLISHED;
}

/*
 * Policy refuses a connection that stood. As long as segments of unknown connections are taken in,
 * one of TCP stays in the table as if reset, refused with each of its packets: without it the
 * responder's next segment might be taken for one of a connection that the responder began.
 */
static __noinline int connection_revoke(const struct packet *packet,
	const struct abi_connection_key *key, struct abi_connection *connection,
	const struct abi_endpoint *endpoint)
{
	const union connection_state revoked = {.flags = ABI_CONNECTION_RESET};
	__u64 until_ns = packet->protocol == IPPROTO_TCP ? adoption_until(packet, endpoint) : 0;

	if (!until_ns)
		return connection_end(key, connection);
	__sync_fetch_and_or(CONNECTION_STATE_WORD(connection), revoked.word);
	connection->last_ns = until_ns;
	return 0;
}

#define TRACK_NEW REASON_COUNT /* no connection that the packet is part of */

/* The connection of the packet's key, if it stands and the packet is part of it. */
static __noinline int track_standing(struct __sk_buff *skb, const struct packet *packet,
	const struct abi_connection_key *key, const struct abi_endpoint *endpoint,
	struct refusal *refusal)
{
	struct abi_connection *connection = bpf_map_lookup_elem(&connections, key);
	__u32 sender;
	int reason;

	if (!connection)
		return TRACK_NEW;
	sender = connection_sender(connection, packet);
	if (!connection_at_hook(skb, connection, packet, sender) ||
		connection_expired(connection, packet->protocol)) {
		connection_end(key, connection);
		return TRACK_NEW;
	}
	if (!connection_owns(connection, packet, sender))
		return TRACK_NEW;
	/* Another CPU may have judged it under a generation that came after this packet. */
	if ((__s32)(packet->generation - connection->generation) > 0) {
		reason = judge_again(packet, key, connection, refusal);
		if (reason_refuses(reason)) {
			connection_revoke(packet, key, connection, endpoint);
			return reason;
		}
		if (reason == REASON_ADOPTED)
			return connection_turn(packet, key, connection);
	}
	connection_count(connection, packet, sender);
	return REASON_ESTABLISHED;
}

/* Any packet that may belong to a connection or open one, at the hook of one of its ends. */
static __always_inline int track(struct __sk_buff *skb, const struct packet *packet,
	const struct abi_endpoint *endpoint, struct refusal *refusal)
{
	const union connection_key key = packet->key;
	int reason = TRACK_NEW;

	if (!packet->unknown)
		reason = track_standing(skb, packet, &key.value, endpoint, refusal);

	return reason == TRACK_NEW ? track_new(skb, packet, &key.value, endpoint, refusal) : reason;
}
