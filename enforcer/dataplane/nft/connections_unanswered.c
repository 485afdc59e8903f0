/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Conntrack has no event for an answer that does not come. So connections are asked about when they
 * are 2 seconds old: in one listing of all that are not answered, if there is one of that age that
 * no earlier listing has covered.
 */
#include "dataplane/nft/connections.h"

#include "base/clock.h"
#include "dataplane/nft/connection.h"
#include "dataplane/nft/connections_private.h"
#include "dataplane/nft/netlink.h"
#include "xdp/connection_times.h"

/* A listing walks all of conntrack's table: where that is large, more seldom, so that it takes a
 * 400th of a CPU. */
#define ASKING_SHARE 400

struct question {
	struct connections *connections;
	uint64_t now_ns;
};

static bool is_of_age(const struct connection *connection, uint64_t now_ns)
{
	return connection->start_ns + CONNECTION_UNANSWERED_NS <= now_ns;
}

/* The place of the latest that is of age; 0: there is none. They stand in the order in which they
 * came. */
static uint64_t latest_of_age(const struct connections *connections, uint64_t now_ns)
{
	const struct connection *connection = connections->items;

	if (connection)
		connection = ELMT_FROM_HH(connection->hh.tbl, connection->hh.tbl->tail);
	while (connection && connection->place > connections->asked &&
		!is_of_age(connection, now_ns))
		connection = connection->hh.prev;
	return connection ? connection->place : 0;
}

static int read_unanswered(const struct nlmsghdr *message, void *userdata)
{
	const struct question *question = userdata;
	struct connection *connection;
	struct connection_entry entry;

	if (connection_entry_read(message, &entry) < 0)
		return MNL_CB_OK;
	connection = connections_find(question->connections, &entry.key);
	if (!connection || connection->told || !is_of_age(connection, question->now_ns))
		return MNL_CB_OK;
	if (connection_was_replaced(connection, &entry) ||
		connections_is_ahead(question->connections, &entry))
		return MNL_CB_OK;
	connection_update(connection, &entry, &question->connections->timeouts);
	if (connection->replied)
		return MNL_CB_OK;
	connection->told = true;
	connections_report(question->connections, connection, FLOW_UPDATE);
	return MNL_CB_OK;
}

int connections_tell_unanswered(struct connections *connections, struct error *error)
{
	struct question question = {connections, clock_ns(CLOCK_REALTIME)};
	uint64_t now_ns = clock_ns(CLOCK_MONOTONIC), spent_ns, latest;
	char buffer[CONNECTION_REQUEST_BYTES];
	int r;

	if (now_ns < connections->asking_ns)
		return 0;
	latest = latest_of_age(connections, question.now_ns);
	if (latest <= connections->asked)
		return 0;
	spent_ns = clock_ns(CLOCK_THREAD_CPUTIME_ID);
	r = netlink_dump(connections->socket, connection_request_unanswered(buffer),
		read_unanswered, NULL, &question);
	if (r < 0)
		return error_errno(error, r, "list connections without an answer");
	spent_ns = clock_ns(CLOCK_THREAD_CPUTIME_ID) - spent_ns;
	connections->asking_ns = now_ns + spent_ns * ASKING_SHARE;
	connections->asked = latest;
	return 0;
}
