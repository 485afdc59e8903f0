/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Connections and refusals as the kernel has them. */
#include "dataplane/bpf/dump.h"

#include <netinet/in.h>
#include <netinet/tcp.h>

static const char *connection_state(
	const struct abi_connection_key *key, const struct abi_connection *connection)
{
	uint8_t flags = connection->flags;

	if (key->protocol != IPPROTO_TCP && key->protocol != IPPROTO_SCTP)
		return flags & ABI_CONNECTION_REPLIED ? "answered" : "unanswered";
	if (flags & ABI_CONNECTION_RESET)
		return "reset";
	if (flags & ABI_CONNECTION_CLOSING)
		return "closing";
	if (!(flags & ABI_CONNECTION_ESTABLISHED))
		return "opening";
	return (connection->tcp_flags[0] | connection->tcp_flags[1]) & TH_FIN ? "half-closed"
									      : "established";
}

int dump_connections(
	struct dataplane *dataplane, const struct dump *dump, struct dump_cursor *cursor)
{
	_cleanup_walk_ struct walk walk = WALK_INIT(dataplane->objects.maps.connections,
		struct abi_connection_key, struct abi_connection);
	const struct flow_context *context = &dataplane->report.context;
	uint32_t generation = objects_generation(&dataplane->objects), count;
	const struct abi_connection_key *keys;
	const struct abi_connection *connections;
	bool more;
	int r = dump_read(&walk, cursor, &count, &more);

	if (r < 0)
		return r;
	report_now(&dataplane->report);
	keys = (const void *)walk.keys;
	connections = (const void *)walk.values;
	for (uint32_t i = 0; i < count; i++) {
		const struct abi_connection *connection = &connections[i];
		const struct dump_flow flow = {
			.event = flow_of_connection(FLOW_UPDATE, &keys[i], connection, context),
			.state = connection_state(&keys[i], connection),
			.generation = connection->generation,
			.is_current = connection->generation == generation,
			.idle_ns = context->now_ns > connection->last_ns
					   ? context->now_ns - connection->last_ns
					   : 0,
			.timeout_ns = connection_idle_limit_ns(
				&keys[i], connection, &dataplane->objects.configuration),
		};

		dump->flow(&flow, dump->userdata);
	}
	return more;
}

int dump_denials(struct dataplane *dataplane, const struct dump *dump, struct dump_cursor *cursor)
{
	_cleanup_walk_ struct walk walk = WALK_INIT(
		dataplane->objects.maps.denials, struct abi_denial_key, struct abi_denial);
	const struct flow_context *context = &dataplane->report.context;
	const struct abi_denial_key *keys;
	const struct abi_denial *denials;
	uint32_t count;
	bool more;
	int r = dump_read(&walk, cursor, &count, &more);

	if (r < 0)
		return r;
	report_now(&dataplane->report);
	keys = (const void *)walk.keys;
	denials = (const void *)walk.values;
	for (uint32_t i = 0; i < count; i++) {
		const struct abi_denial *denial = &denials[i];
		const struct dump_flow flow = {
			.event = flow_of_denial(
				&keys[i], denial, denial->packets, denial->bytes, i, context),
			.idle_ns = context->now_ns > denial->last_ns
					   ? context->now_ns - denial->last_ns
					   : 0,
		};

		dump->flow(&flow, dump->userdata);
	}
	return more;
}
