/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The connections that conntrack knows and no policy binds: what connections.h does not keep. All
 * that is asked of them is whether one has an end at an address that policy has come to bind.
 */
#pragma once

#include "dataplane/nft/connection.h"

#include <stdbool.h>
#include <stddef.h>

#define STRANGERS_MAX ((size_t)65536)

struct stranger {
	struct connection_key key;
	UT_hash_handle hh;
};

struct strangers {
	struct stranger *items; /* the others follow by hh.next */
};

/* One that is there already stays. 0, -ENOMEM or -ENOSPC. */
int strangers_add(struct strangers *strangers, const struct connection_key *key);
/* False: it was not there, which is nobody's mistake. */
bool strangers_remove(struct strangers *strangers, const struct connection_key *key);
size_t strangers_count(const struct strangers *strangers);
void strangers_clear(struct strangers *strangers);
