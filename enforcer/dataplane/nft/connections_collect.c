/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * All that conntrack has, listed: counters, which no event tells, and what events have missed.
 */
#include "dataplane/nft/connections_private.h"

#include "base/clock.h"
#include "dataplane/nft/netlink.h"

/* The end of a connection is announced, if late where the socket was full; this is for when
 * somebody turns conntrack's events off. */
#define MISSING_S 60

#define MISSED_SHARE 20

void connections_begin_listing(struct connections *connections)
{
	strangers_clear(&connections->strangers);
	connections->complete = true;
	connections->listings++;
}

bool connections_is_ahead(
	const struct connections *connections, const struct connection_entry *entry)
{
	return entry->start_ns > connections->drained_ns;
}

bool connections_meet(struct connections *connections, const struct connection_entry *entry,
	struct connection **ret)
{
	struct connection begun = connections_begin(&entry->key), *connection;

	connection_update(&begun, entry, &connections->timeouts);
	if (!connections_judge(connections, &begun))
		return false;
	*ret = NULL;
	if (connections_is_ahead(connections, entry))
		return true;
	connection = connections_add(connections, &begun);
	if (connection && connection->start_ns >= connections->opened_ns) {
		connection->announced = true; /* its end will be */
		connections_report_before(connections);
		connections_report(connections, connection, FLOW_NEW);
	}
	*ret = connection;
	return true;
}

static void update_known(struct connections *connections, struct connection *connection,
	const struct connection_entry *entry)
{
	connection_update(connection, entry, &connections->timeouts);
	/* Where cutting it has failed. */
	if (connection->judged != connections->policies &&
		!connections_judge_again(connections, connection))
		connections->refused = true;
}

static int read_for_update(const struct nlmsghdr *message, void *userdata)
{
	struct connections *connections = userdata;
	struct connection *connection;
	struct connection_entry entry;

	if (connection_entry_read(message, &entry) < 0)
		return MNL_CB_OK;
	connection = connections_find(connections, &entry.key);
	if (connection && connection_was_replaced(connection, &entry))
		return MNL_CB_OK;
	if (connection && connections_is_ahead(connections, &entry)) {
		connection->round = connections->round;
		return MNL_CB_OK;
	}
	if (connection)
		update_known(connections, connection, &entry);
	else if (!connections_concern(connections, &entry.key))
		connections_meet_stranger(connections, &entry.key);
	else if (!connections_meet(connections, &entry, &connection))
		connections->refused = true;
	if (!connection)
		return MNL_CB_OK;
	connection->round = connections->round;
	connection->missing_s = 0;
	if (!connection->reported)
		connections_report(connections, connection, FLOW_UPDATE);
	return MNL_CB_OK;
}

static void restart_listing(void *userdata)
{
	connections_begin_listing(userdata);
}

/* An end that is announced has the final counters, a listing before it has not. */
static bool end_is_to_come(const struct connections *connections, struct connection *connection)
{
	uint32_t now_s = (uint32_t)(clock_ns(CLOCK_MONOTONIC) / NS_PER_SECOND);

	if (!connections->options.reliable || !connection->announced)
		return false;
	if (!connection->missing_s)
		connection->missing_s = now_s;
	return now_s - connection->missing_s < MISSING_S;
}

static void end_missing(struct connections *connections)
{
	struct connection *connection, *next;

	HASH_ITER (hh, connections->items, connection, next) {
		if (connection->round == connections->round ||
			end_is_to_come(connections, connection))
			continue;
		connections_report(connections, connection, FLOW_END);
		connections_drop(connections, connection);
	}
}

int connections_collect(struct connections *connections, struct error *error)
{
	char buffer[CONNECTION_REQUEST_BYTES];
	int r;

	/* A connection that two listings saw come and go must not begin again with its own event.
	 */
	connections_read(connections);
	connections_report_drops(connections);
	connections->round++;
	timeouts_read(&connections->timeouts);
	r = netlink_dump(connections->socket, connection_request_list(buffer), read_for_update,
		restart_listing, connections);
	connections->complete &= !r;
	connections->missed = r < 0;
	if (r < 0)
		return error_errno(error, r, "list connections");
	end_missing(connections);
	return connections->refused ? connections_revoke(connections, NULL, error) : 0;
}

int connections_find_missed(struct connections *connections, struct error *error)
{
	uint64_t start_ns = clock_ns(CLOCK_MONOTONIC), end_ns;
	int r;

	if (!connections->missed || start_ns < connections->rested_ns)
		return 0;
	r = connections_collect(connections, error);
	end_ns = clock_ns(CLOCK_MONOTONIC);
	connections->rested_ns = end_ns + (end_ns - start_ns) * MISSED_SHARE;
	return r;
}
