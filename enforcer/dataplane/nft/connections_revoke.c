/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Cuts connections that policy does not allow any more. To list all that conntrack has costs a walk
 * over its whole table, many thousand locks, however few there are. So what the agent knows of is
 * asked first: where it knows all, and none of those that a change concerns is refused, there is
 * nothing to list.
 */
#include "dataplane/nft/connections_private.h"

#include "base/cleanup.h"
#include "dataplane/nft/condemned.h"
#include "dataplane/nft/netlink.h"

#include <errno.h>

struct revocation {
	struct connections *connections;
	struct condemned condemned;
};

static void revocation_clear(struct revocation *revocation)
{
	condemned_clear(&revocation->condemned);
}

static void restart(void *userdata)
{
	struct revocation *revocation = userdata;

	connections_begin_listing(revocation->connections);
}

static int read_for_revocation(const struct nlmsghdr *message, void *userdata)
{
	struct revocation *revocation = userdata;
	struct connections *connections = revocation->connections;
	struct connection *connection;
	struct connection_entry entry;

	if (connection_entry_read(message, &entry) < 0)
		return MNL_CB_OK;
	connection = connections_find(connections, &entry.key);
	if (!connections_concern(connections, &entry.key)) {
		if (!connection)
			connections_meet_stranger(connections, &entry.key);
		return MNL_CB_OK;
	}
	if (connection ? connections_judge_again(connections, connection)
		       : connections_meet(connections, &entry, &connection))
		return MNL_CB_OK;
	if (condemned_add(&revocation->condemned, message) < 0) {
		errno = ENOMEM;
		return MNL_CB_ERROR;
	}
	return MNL_CB_OK;
}

static int cut(struct connections *connections, const struct nlmsghdr *message)
{
	struct connection connection, *known;
	struct connection_entry entry;
	int r = connection_entry_read(message, &entry);

	if (!r)
		r = connections_delete(connections, message);
	if (r < 0 && r != -ENOENT)
		return r;
	/* It is over already, and its own end is to come. */
	if (r < 0 && connections->options.reliable)
		return 0;
	known = connections_find(connections, &entry.key);
	connection = known ? *known : connections_begin(&entry.key);
	connection_update(&connection, &entry, &connections->timeouts);
	connections_judge(connections, &connection);
	connections_bar(connections, &connection);
	connections_report(connections, &connection, FLOW_END);
	if (known)
		connections_drop(connections, known);
	return 0;
}

static int list_and_cut(struct connections *connections)
{
	_cleanup_(revocation_clear) struct revocation revocation = {.connections = connections};
	char buffer[CONNECTION_REQUEST_BYTES];
	int r = netlink_dump(connections->socket, connection_request_list(buffer),
		read_for_revocation, restart, &revocation);

	connections->complete &= !r;
	/* One that cannot be cut keeps no other one, nor does what was not listed. */
	for (size_t i = 0; i < revocation.condemned.count; i++) {
		int failed = cut(connections, revocation.condemned.items[i]);

		r = r ? r : failed;
	}
	return r;
}

static bool touches(const struct touched *touched, const struct connection_key *key)
{
	return !touched || touched_has(touched, &key->source) ||
	       touched_has(touched, &key->destination);
}

/*
 * The number is the kernel's own word for it: where somebody keeps conntrack from announcing some
 * connections, it is higher.
 */
static bool knows_all(struct connections *connections)
{
	char buffer[CONNECTION_REQUEST_BYTES];
	uint32_t total = UINT32_MAX;

	return connections->complete && connections_catch_up(connections) &&
	       connections->complete &&
	       !netlink_query(connections->socket, connection_request_total(buffer),
		       connection_parse_total, &total) &&
	       total == connections_count(connections) + strangers_count(&connections->strangers);
}

static bool allows_all_known(struct connections *connections, const struct touched *touched)
{
	const struct stranger *stranger;
	struct connection *connection;

	for (connection = connections->items; connection; connection = connection->hh.next)
		if (touches(touched, &connection->key) &&
			!connections_judge_again(connections, connection))
			return false;
	for (stranger = connections->strangers.items; stranger; stranger = stranger->hh.next)
		if (touches(touched, &stranger->key) &&
			connections_concern(connections, &stranger->key))
			return false;
	return true;
}

int connections_revoke(
	struct connections *connections, const struct touched *touched, struct error *error)
{
	int r = 0;

	if (!connections->ir)
		return 0;
	if (touched && touched_is_empty(touched) && !connections->refused)
		return 0;
	if (connections->refused || !knows_all(connections) ||
		!allows_all_known(connections, touched))
		r = list_and_cut(connections);
	connections->refused = r < 0;
	return r < 0 ? error_errno(error, r, "cut connections that policy refuses") : 0;
}
