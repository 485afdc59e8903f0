/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How long conntrack keeps a connection without a packet, by protocol and state: its end, or what
 * is left of that time, says when its last packet was. Settings of the kernel
 * (nf_conntrack-sysctl), which a rule may replace for some connections (CT --timeout, "ct
 * timeout"): who calculates with them looks whether the result can be (connection.c).
 */
#pragma once

#include <linux/netfilter/nf_conntrack_tcp.h>
#include <stdbool.h>
#include <stdint.h>

/* Seconds; 0: not known. */
struct timeouts {
	uint32_t tcp[TCP_CONNTRACK_MAX]; /* by enum tcp_conntrack */
	uint32_t udp;
	uint32_t udp_stream; /* packets both ways, for some seconds */
	uint32_t icmp;
	uint32_t icmpv6;
};

/* Of the calling thread's network namespace. */
void timeouts_read(struct timeouts *ret);
/* assured: IPS_ASSURED of the entry. Other protocols than those above: 0. */
uint32_t timeouts_of(
	const struct timeouts *timeouts, uint8_t protocol, uint8_t tcp_state, bool assured);
