/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "dataplane/nft/connections_private.h"

#include "base/clock.h"
#include "dataplane/nft/netlink.h"
#include "dataplane/nft/orientation.h"

struct orientation connections_orient(
	const struct connections *connections, const struct flow_query *sent, uint16_t source_port)
{
	const struct flow_query queries[] = {
		*sent, {sent->destination, sent->source, sent->protocol, source_port}};
	const struct evaluation evaluations[] = {connections_judge_query(connections, &queries[0]),
		connections_judge_query(connections, &queries[1])};
	const struct connections_options *options = &connections->options;
	enum client_end client = options->client
					 ? options->client(sent, source_port, options->userdata)
					 : client_port_tell(source_port, sent->port);
	int chosen = orientation_choose(queries, evaluations, client);

	return (struct orientation){queries[chosen], evaluations[chosen], chosen};
}

/* Nobody knows any more who opened what an earlier agent has cut. So what policy allows one way
 * alone is refused for the other one, where only a rule speaks for it. */
static struct orientation distrust(const struct connections *connections,
	const struct flow_query *other, struct orientation orientation)
{
	const struct connections_options *options = &connections->options;
	struct evaluation evaluation;

	if (!options->inherited ||
		clock_ns(CLOCK_REALTIME) > connections->opened_ns + options->adoption_ns ||
		client_port_tell(orientation.query.port, other->port) != CLIENT_UNKNOWN)
		return orientation;
	evaluation = connections_judge_query(connections, other);
	return evaluation.verdict == VERDICT_DENY
		       ? (struct orientation){*other, evaluation, !orientation.turned}
		       : orientation;
}

/* What is known of one that policy has cut is still true. */
static struct orientation orient_stray(
	const struct connections *connections, const struct flow_query *sent, uint16_t source_port)
{
	const struct flow_query queries[] = {
		*sent, {sent->destination, sent->source, sent->protocol, source_port}};
	const uint64_t now_ns = clock_ns(CLOCK_MONOTONIC);
	struct orientation orientation;

	for (int i = 0; i < 2; i++) {
		const struct connection_key opened = {.source = queries[i].source,
			.destination = queries[i].destination,
			.source_port = queries[!i].port,
			.destination_port = queries[i].port,
			.protocol = sent->protocol};

		if (revoked_has(&connections->revoked, &opened, now_ns))
			return (struct orientation){
				queries[i], connections_judge_query(connections, &queries[i]), i};
	}
	orientation = connections_orient(connections, sent, source_port);
	return distrust(connections, &queries[!orientation.turned], orientation);
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
	orientation = orient_stray(connections, &sent, packet->source_port);
	if (orientation.evaluation.verdict == VERDICT_DENY)
		return false;
	message = connection_request_seed(buffer, &orientation.query,
		orientation.turned ? packet->destination_port : packet->source_port);
	/* Where it fails (there already, no memory) the packet comes again and is tried again. */
	if (message)
		(void)netlink_query(connections->socket, message, NULL, NULL);
	return true;
}

void connections_put_back(const struct connections *connections, struct connection *connection,
	const struct nlmsghdr *message)
{
	char buffer[CONNECTION_REQUEST_BYTES];
	struct nlmsghdr *request;

	if (connection->key.protocol != IPPROTO_TCP ||
		connection->tcp_state != TCP_CONNTRACK_ESTABLISHED ||
		!connections_judge_again(connections, connection))
		return;
	request = connection_request_put_back(buffer, message, connection->picked_up);
	/* Where it fails (there already, no memory, no room) it is as if nobody had tried. */
	if (request)
		(void)netlink_query(connections->socket, request, NULL, NULL);
}
