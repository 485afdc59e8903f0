/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * TCP connections that policy has cut, as they were opened. While others are taken in in mid-stream
 * they are known by this: their next segment, which may be the server's, does not say who opened
 * them, and policy may allow the server what it does not allow the client.
 */
#pragma once

#include "base/hash.h"
#include "dataplane/nft/connection_entry.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Beyond that the oldest are forgotten. */
#define REVOKED_MAX ((size_t)65536)

struct revoked_connection {
	struct connection_key opened; /* of no id */
	uint64_t until_ns;
	UT_hash_handle hh;
};

struct revoked {
	struct revoked_connection *items; /* the oldest first */
};

/* Until then it is known by its ends and ports; not before now_ns those go whose time is over. Any
 * clock. Without memory it is not remembered. */
void revoked_add(struct revoked *revoked, const struct connection_key *opened, uint64_t now_ns,
	uint64_t until_ns);
bool revoked_has(
	const struct revoked *revoked, const struct connection_key *opened, uint64_t now_ns);
void revoked_clear(struct revoked *revoked);
