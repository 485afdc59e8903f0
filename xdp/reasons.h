/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Why a packet was passed or refused: one list for counters, events, flow records, metrics and
 * documentation. X(SYMBOL, "name in records and metrics", "sentence for people").
 * Append only: numbers are part of the ABI.
 */
#pragma once

#define REASONS(X)                                                                                \
	X(POLICY_ALLOWED, "policy_allowed", "a policy or the default posture allows it")          \
	X(ESTABLISHED, "established", "belongs to an allowed connection")                         \
	X(RELATED, "related", "ICMP error about an allowed connection")                           \
	X(ADOPTED, "adopted", "was running when enforcement began, and policy allows it")         \
	X(AUDITED, "audited", "a policy in audit mode would refuse it")                           \
	X(NEIGHBOUR, "neighbour", "truthful ARP or neighbour discovery")                          \
	X(POLICY_DENIED, "policy_denied", "policy refuses it")                                    \
	X(REVOKED, "revoked", "was allowed once; policy has changed")                             \
	X(NO_CONNECTION, "no_connection", "TCP without a known connection that is no SYN")        \
	X(UNKNOWN_ENDPOINT, "unknown_endpoint", "the interface belongs to no known workload yet") \
	X(SPOOFED_MAC, "spoofed_mac", "source MAC is not the workload's")                         \
	X(SPOOFED_SOURCE, "spoofed_source", "source address is not the workload's")               \
	X(SPOOFED_ARP, "spoofed_arp", "ARP claims an address that is not the workload's")         \
	X(SPOOFED_NEIGHBOUR, "spoofed_neighbour",                                                 \
		"neighbour discovery claims an address that is not the workload's")               \
	X(ROUTER_ADVERTISEMENT, "router_advertisement", "workloads do not announce routers")      \
	X(DHCP_SERVER, "dhcp_server", "workloads do not answer DHCP")                             \
	X(MALFORMED, "malformed", "headers that cannot be parsed")                                \
	X(UNSUPPORTED_ETHERTYPE, "unsupported_ethertype", "neither IPv4, IPv6 nor ARP")           \
	X(FRAGMENT_WITHOUT_FIRST, "fragment_without_first", "no first fragment was allowed")      \
	X(UNRELATED_ICMP_ERROR, "unrelated_icmp_error", "ICMP error about no known connection")   \
	X(CONNECTIONS_FULL, "connections_full", "the connection table is full")                   \
	X(ENDPOINT_CONNECTIONS_FULL, "endpoint_connections_full",                                 \
		"the workload's share of the connection table is used up")                        \
	X(INVALID_CONNTRACK_STATE, "invalid_conntrack_state",                                     \
		"the kernel's conntrack calls it invalid")                                        \
	X(INTERNAL_ERROR, "internal_error", "a table that must exist is missing: please report")  \
	X(QUARANTINED, "quarantined", "the workload is in quarantine")                            \
	X(DENY_LIST, "deny_list", "a deny list names the address")                                \
	X(FLOOD, "flood", "the source opens connections faster than its limit")                   \
	X(SECOND_LOCK, "second_lock", "no program judged it; the second lock held")               \
	X(UNKNOWN_UNICAST, "unknown_unicast",                                                     \
		"flooded by a bridge: neither MAC nor address is the workload's")

enum reason {
#define X(symbol, name, sentence) REASON_##symbol,
	REASONS(X)
#undef X
	REASON_COUNT
};
