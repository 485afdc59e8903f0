/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "dataplane/nft/strangers.h"

#include <errno.h>
#include <stdlib.h>

static struct stranger *find(const struct strangers *strangers, const struct connection_key *key)
{
	struct stranger *stranger;

	HASH_FIND(hh, strangers->items, key, sizeof(*key), stranger);
	return stranger;
}

static void drop(struct strangers *strangers, struct stranger *stranger)
{
	HASH_DEL(strangers->items, stranger);
	free(stranger);
}

int strangers_add(struct strangers *strangers, const struct connection_key *key)
{
	struct stranger *stranger;

	if (find(strangers, key))
		return 0;
	if (strangers_count(strangers) >= STRANGERS_MAX)
		return -ENOSPC;
	stranger = calloc(1, sizeof(*stranger));
	if (!stranger)
		return -ENOMEM;
	stranger->key = *key;
	HASH_ADD(hh, strangers->items, key, sizeof(stranger->key), stranger);
	if (HASH_ADDED(stranger))
		return 0;
	free(stranger);
	return -ENOMEM;
}

bool strangers_remove(struct strangers *strangers, const struct connection_key *key)
{
	struct stranger *stranger = find(strangers, key);

	if (stranger)
		drop(strangers, stranger);
	return stranger;
}

size_t strangers_count(const struct strangers *strangers)
{
	return HASH_COUNT(strangers->items);
}

void strangers_clear(struct strangers *strangers)
{
	struct stranger *stranger, *next;

	HASH_ITER (hh, strangers->items, stranger, next)
		drop(strangers, stranger);
}
