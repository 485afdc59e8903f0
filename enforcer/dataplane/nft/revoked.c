/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "dataplane/nft/revoked.h"

#include <stdlib.h>

/* Whichever entry of conntrack it had. */
static struct connection_key key_of(const struct connection_key *opened)
{
	struct connection_key key = *opened;

	key.id = 0;
	return key;
}

static struct revoked_connection *find(
	const struct revoked *revoked, const struct connection_key *opened)
{
	const struct connection_key key = key_of(opened);
	struct revoked_connection *connection;

	HASH_FIND(hh, revoked->items, &key, sizeof(key), connection);
	return connection;
}

static void drop(struct revoked *revoked, struct revoked_connection *connection)
{
	HASH_DEL(revoked->items, connection);
	free(connection);
}

void revoked_add(struct revoked *revoked, const struct connection_key *opened, uint64_t now_ns,
	uint64_t until_ns)
{
	struct revoked_connection *connection = find(revoked, opened);

	if (connection)
		drop(revoked, connection);
	while (revoked->items &&
		(revoked->items->until_ns <= now_ns || HASH_COUNT(revoked->items) >= REVOKED_MAX))
		drop(revoked, revoked->items);
	connection = calloc(1, sizeof(*connection));
	if (!connection)
		return;
	connection->opened = key_of(opened);
	connection->until_ns = until_ns;
	HASH_ADD(hh, revoked->items, opened, sizeof(connection->opened), connection);
	if (!HASH_ADDED(connection))
		free(connection);
}

bool revoked_has(
	const struct revoked *revoked, const struct connection_key *opened, uint64_t now_ns)
{
	const struct revoked_connection *connection = find(revoked, opened);

	return connection && connection->until_ns > now_ns;
}

void revoked_clear(struct revoked *revoked)
{
	struct revoked_connection *connection, *next;

	HASH_ITER (hh, revoked->items, connection, next)
		drop(revoked, connection);
}
