/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What conntrack says of one connection, in an event or in a listing. */
#pragma once

#include "base/address.h"

#include <libmnl/libmnl.h>
#include <linux/netfilter/nf_conntrack_tcp.h>
#include <stdbool.h>
#include <stdint.h>

/* As the inet hooks judge it: before source NAT, behind destination NAT. */
struct connection_key {
	struct address source;
	struct address destination;
	uint16_t source_port; /* ICMP: its identifier */
	uint16_t destination_port;
	uint32_t id; /* conntrack's own */
	uint16_t type_code;
	uint8_t protocol;
	uint8_t pad;
};

struct connection_entry {
	struct connection_key key;
	uint64_t packets[2];
	uint64_t bytes[2];
	uint64_t start_ns; /* CLOCK_REALTIME; 0: it does not say */
	uint64_t stop_ns;  /* when conntrack forgot it; 0: not yet, or it does not say */
	uint32_t left_s;   /* until then, unless a packet comes, rounded down */
	uint32_t status;   /* enum ip_conntrack_status */
	uint8_t tcp_state; /* enum tcp_conntrack */
	bool counts[2];    /* whether it says packets and bytes */
	bool has_left;
	bool has_status;
	bool has_tcp_state;
	bool picked_up; /* TCP: no SYN of it was seen, and who asks is only supposed: by conntrack,
			   the first that sent, or by connection_request_seed() */
	bool put_back;  /* TCP: likewise, but who asks is known: connection_request_put_back() */
};

/* TCP flags that conntrack supposes of both ends where it has not seen what they agreed on
 * (tcp_new() in nf_conntrack_proto_tcp.c). */
#define CONNECTION_SUPPOSED (IP_CT_TCP_FLAG_SACK_PERM | IP_CT_TCP_FLAG_BE_LIBERAL)
/* The same and one more, which is never together with these but where somebody put an entry back.
 */
#define CONNECTION_PUT_BACK (CONNECTION_SUPPOSED | IP_CT_TCP_FLAG_WINDOW_SCALE)

/* -EINVAL: it does not say who talks to whom. */
int connection_entry_read(const struct nlmsghdr *message, struct connection_entry *ret);
