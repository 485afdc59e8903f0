/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "dataplane/nft/connections_private.h"

#include "dataplane/nft/netlink.h"
#include "dataplane/nft/orientation.h"

static bool choose_orientation(const struct connections *connections,
	const struct nflog_packet *packet, struct flow_query *ret, uint16_t *ret_source_port)
{
	const struct flow_query queries[] = {
		{packet->source, packet->destination, IPPROTO_TCP, packet->destination_port},
		{packet->destination, packet->source, IPPROTO_TCP, packet->source_port},
	};
	const struct evaluation evaluations[] = {connections_judge_query(connections, &queries[0]),
		connections_judge_query(connections, &queries[1])};
	int chosen =
		orientation_choose(queries, evaluations, connections->options.lower_port_serves);

	if (chosen < 0)
		return false;
	*ret = queries[chosen];
	*ret_source_port = queries[!chosen].port;
	return true;
}

bool connections_adopt(struct connections *connections, const struct nflog_packet *packet)
{
	char buffer[CONNECTION_REQUEST_BYTES];
	struct flow_query query;
	struct nlmsghdr *message;
	uint16_t source_port;

	if (!connections->ir || packet->protocol != IPPROTO_TCP || !packet->has_transport)
		return false;
	if (!choose_orientation(connections, packet, &query, &source_port))
		return false;
	message = connection_request_seed(buffer, &query, source_port);
	/* Where it fails (there already, no memory) the packet comes again and is tried again. */
	if (message)
		(void)netlink_query(connections->socket, message, NULL, NULL);
	return true;
}
