/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "dataplane/nft/connections_private.h"

#include "dataplane/nft/netlink.h"
#include "dataplane/nft/orientation.h"

struct orientation connections_orient(
	const struct connections *connections, const struct flow_query *sent, uint16_t source_port)
{
	const struct flow_query queries[] = {
		*sent, {sent->destination, sent->source, sent->protocol, source_port}};
	const struct evaluation evaluations[] = {connections_judge_query(connections, &queries[0]),
		connections_judge_query(connections, &queries[1])};
	int chosen =
		orientation_choose(queries, evaluations, connections->options.lower_port_serves);

	return (struct orientation){queries[chosen], evaluations[chosen], chosen};
}

bool connections_adopt(struct connections *connections, const struct nflog_packet *packet)
{
	const struct flow_query sent = {
		packet->source, packet->destination, IPPROTO_TCP, packet->destination_port};
	char buffer[CONNECTION_REQUEST_BYTES];
	struct orientation orientation;
	struct nlmsghdr *message;

	if (!connections->ir || packet->protocol != IPPROTO_TCP || !packet->has_transport)
		return false;
	orientation = connections_orient(connections, &sent, packet->source_port);
	if (orientation.evaluation.verdict == VERDICT_DENY)
		return false;
	message = connection_request_seed(buffer, &orientation.query,
		orientation.turned ? packet->destination_port : packet->source_port);
	/* Where it fails (there already, no memory) the packet comes again and is tried again. */
	if (message)
		(void)netlink_query(connections->socket, message, NULL, NULL);
	return true;
}
