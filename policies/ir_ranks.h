/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Numbers for people. Those inside an IR depend on what was compiled before; a rank counts by first
 * use, in the order of prefixes, addresses and subjects, so IRs that say the same read the same.
 */
#pragma once

#include "policies/ir.h"

#define RANK_NONE UINT32_MAX /* nothing uses it */

struct ranking {
	uint32_t *ranks;   /* by number */
	uint32_t *numbers; /* by rank */
	uint32_t count;
};

struct ir_ranks {
	struct ranking rules; /* by the kind, namespace and name of their documents, as written */
	struct ranking classes;
	struct ranking peer_tables;
	struct ranking port_tables;
	uint32_t *otherwise; /* by rank of a peer table: the port table of most classes */
};

int ir_ranks_new(const struct ir *ir, struct ir_ranks *ret);
void ir_ranks_clear(struct ir_ranks *ranks);

/* The number of the port table that a peer table has for a class. */
uint32_t ir_ranks_port_table(const struct ir_peer_table *table, uint32_t class);
