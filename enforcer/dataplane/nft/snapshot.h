/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The part of an IR that the evaluator and the plan need, kept beyond apply(): events that come
 * later are explained by it, and a table that somebody removed is made anew from it. It holds
 * references to documents of its own.
 */
#pragma once

#include "policies/evaluate.h"
#include "policies/ir.h"

#include <stdbool.h>

/* Without names of classes. 0 or -ENOMEM. Of the workloads' policies alone: what binds the node is
 * enforced in a table of its own … */
int snapshot_new(const struct ir *ir, struct ir **ret);
/* … and this one is of the node's alone. */
int snapshot_new_host(const struct ir *ir, struct ir **ret);
void snapshot_free(struct ir *snapshot);

/* Whose address it is; NULL: nobody's that the IR knows. */
const struct ir_address *snapshot_find(const struct ir *snapshot, const struct address *address);

/* Does policy bind what this address sends or gets? */
bool snapshot_is_subject(const struct ir *snapshot, const struct address *address);

/* Which direction and rule to name for a connection: whoever refused it, or audits it; of two that
 * allow, the one that somebody wrote, the source's first. */
void snapshot_explain(const struct ir *snapshot, const struct flow_query *query,
	const struct evaluation *evaluation, enum direction *ret_direction, uint32_t *ret_rule);

static inline void snapshot_freep(struct ir **snapshot)
{
	snapshot_free(*snapshot);
}
