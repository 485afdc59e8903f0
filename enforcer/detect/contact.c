// SPDX-License-Identifier: GPL-2.0-or-later
#include "detect/contact.h"

#include "detect/party.h"
#include "flow/protocol.h"

#include <netinet/in.h>

#define EPHEMERAL_PORT 32768 /* and above: where Linux takes client ports from */

/* A RST carries no options, the SYN-ACK of any stack that is in use does. */
#define BARE_IPV4_BYTES 40
#define BARE_IPV6_BYTES 60

static bool has_only_resets(const struct flow_event *event)
{
	uint64_t bare = address_is_ipv4(&event->source) ? BARE_IPV4_BYTES : BARE_IPV6_BYTES;

	return event->protocol == IPPROTO_TCP && event->packets[0] <= 4 && event->packets[1] <= 4 &&
	       event->bytes[1] <= event->packets[1] * bare;
}

/* A server's late packets to its clients are without a connection, too: those go to high ports. */
static bool is_stray_probe(const struct flow_event *event)
{
	return (event->reason == REASON_NO_CONNECTION ||
		       event->reason == REASON_INVALID_CONNTRACK_STATE) &&
	       event->protocol == IPPROTO_TCP && event->destination_port < EPHEMERAL_PORT;
}

static enum contact outcome(const struct flow_event *event)
{
	if (event->reason == REASON_ADOPTED || event->reason == REASON_REVOKED)
		return CONTACT_NONE;
	if (!event->packets[1])
		return CONTACT_FAILED;
	if (has_only_resets(event))
		return event->type == FLOW_END ? CONTACT_FAILED : CONTACT_NONE;
	return CONTACT_ANSWERED;
}

/* Errors, and neighbour discovery, are no attempts. */
static bool is_attempt(const struct flow_event *event)
{
	if (!protocol_is_ip(event->ethertype) || party_is_group(&event->destination))
		return false;
	if (event->protocol == IPPROTO_ICMP)
		return event->icmp_type == 8;
	if (event->protocol == IPPROTO_ICMPV6)
		return event->icmp_type == 128;
	return true;
}

enum contact contact_of(const struct record *record)
{
	const struct flow_event *event = &record->event;

	if (!is_attempt(event))
		return CONTACT_NONE;
	switch (event->type) {
	case FLOW_NEW:
		return event->reason == REASON_ADOPTED ? CONTACT_NONE : CONTACT_OPENED;
	case FLOW_UPDATE:
	case FLOW_END:
		return outcome(event);
	case FLOW_DENIED:
		return event->reason == REASON_POLICY_DENIED || is_stray_probe(event)
			       ? CONTACT_REFUSED
			       : CONTACT_NONE;
	case FLOW_GAP:
		break;
	}
	return CONTACT_NONE;
}
