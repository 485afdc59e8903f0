/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A plan that follows an IR of which only addresses and subjects change (policies/ir.h says when:
 * all else is the same memory). A workload more of a kind that is there already is some elements in
 * maps that are there already; to find these takes no look at the many tables that it has no part
 * in.
 */
#pragma once

#include "dataplane/nft/intervals.h"
#include "dataplane/nft/ruleset.h"
#include "policies/ir.h"

#include <stdbool.h>
#include <stddef.h>

/* Hosts of one address family in a peer table's chain. */
struct plan_hosts {
	size_t count;
	struct target target; /* of all; code TARGET_NONE: of each its own */
};

struct plan_table {
	uint64_t chain; /* id; 0: no subject has the table */
	struct target otherwise;
	bool apart;
	size_t exceptions[2]; /* that there are, or would be, by apart */
	struct plan_hosts hosts[2];
};

/* What plan_build() found out about an IR. */
struct plan_memory {
	struct interval_list space[2];
	struct target *ports[DIRECTION_COUNT];
	struct plan_table *tables; /* by peer table */
	bool apart;
	bool irregular; /* two tables share a chain, or a chain's name depends on its hosts */
};

void plan_memory_clear(struct plan_memory *memory);

/* Elements of one set. Both lists are sorted. */
struct plan_change {
	char set[160];
	struct element_list removed;
	struct element_list added;
};

struct plan_changes {
	struct plan_change *items;
	size_t count;
	size_t size;
};

void plan_changes_clear(struct plan_changes *changes);

/*
 * What changes in the ruleset that plan_build() has made of before, or that has followed since;
 * memory goes along. 1: that is all; 0: it cannot be said this way, and memory is of no use any
 * more; -ENOMEM, likewise.
 */
int plan_follow(struct plan_memory *memory, const struct ir *before, const struct ir *after,
	const struct ruleset *installed, struct plan_changes *ret);
