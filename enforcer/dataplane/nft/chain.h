/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Declares and removes chains. */
#pragma once

#include "dataplane/nft/batch.h"

#include <stdint.h>

/* Where a base chain is hooked. */
struct chain_hook {
	uint16_t family; /* NFPROTO_INET or NFPROTO_NETDEV */
	uint32_t number; /* NF_INET_*, NF_NETDEV_* */
	int32_t priority;
	const char *device; /* NFPROTO_NETDEV */
};

/* comment may be NULL; hook is NULL where the chain is only jumped to. In a rewriting batch without
 * the rules that it had. 0 or -ENOMEM. */
int chain_write(
	struct batch *batch, const char *name, const char *comment, const struct chain_hook *hook);
/* Takes the rules out of the chain. */
int chain_write_flush(struct batch *batch, const char *name);
int chain_write_removal(struct batch *batch, uint16_t family, const char *name);
