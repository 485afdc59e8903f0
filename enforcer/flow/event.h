/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a data plane saw, before names and labels are put to it. The same from both data planes. */
#pragma once

#include "base/address.h"
#include "policies/ir.h"
#include "xdp/reasons.h"

#include <stdint.h>

enum flow_event_type {
	FLOW_NEW,    /* a connection was allowed */
	FLOW_UPDATE, /* its counters so far */
	FLOW_END,    /* it is over; final counters */
	FLOW_DENIED, /* packets were refused; counters since the last event of the same refusal */
	FLOW_GAP,    /* lost events were not reported; only time and lost are set */
};

enum flow_verdict {
	FLOW_ALLOWED,
	FLOW_REFUSED,
	FLOW_AUDITED
};

struct flow_event {
	enum flow_event_type type;
	enum flow_verdict verdict;
	enum reason reason;
	enum direction direction; /* whose policy decided; where both allowed: where it was seen */
	uint32_t rule;            /* id of the deciding rule (ir.h); 0: none */
	uint32_t other_rule; /* connections: the other direction's, where policy binds it, too */
	uint64_t id;         /* of the connection or of the refusal, unique on the node */
	uint64_t lasting_id; /* of a connection that is no longer new: as a later agent calls it */
	uint64_t time_ns;    /* CLOCK_REALTIME, as are start_ns and end_ns */
	uint64_t start_ns;
	uint64_t end_ns; /* last packet so far */

	struct address source; /* of the connection's originator */
	struct address destination;
	uint16_t source_port; /* host byte order; 0 for ICMP */
	uint16_t destination_port;
	uint16_t ethertype; /* host byte order: 0x0800, 0x86dd, 0x0806, … */
	uint8_t protocol;
	uint8_t icmp_type;
	uint8_t icmp_code;
	uint8_t tcp_flags; /* all that were seen, ORed */
	uint8_t source_mac[6];
	uint8_t destination_mac[6];
	uint32_t ifindex;

	uint64_t packets[2]; /* [0] sent by the originator, [1] by the responder */
	uint64_t bytes[2];
	/* TCP, of the socket at each end where it is this node's: smoothed round-trip time, 0: not
	 * known; segments that it sent again. */
	uint32_t round_trip_us[2];
	uint32_t retransmissions[2];
	uint64_t lost; /* FLOW_GAP */
};

/* For who has no better id of a connection: unique for 36 years, and 4 million beginnings in a
 * millisecond, of one clock. In the order of time, so that tables by id grow at their end. */
static inline uint64_t flow_event_id(uint64_t start_ns, uint32_t sequence)
{
	return (start_ns >> 20 & 0xffffffffffULL) << 22 | (sequence & 0x3fffff);
}
