/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The part of an IR that the evaluator needs, kept beyond apply(): events that come later are
 * explained by it. An IR belongs to its caller and refers to documents; a snapshot to nothing.
 */
#pragma once

#include "policies/evaluate.h"
#include "policies/ir.h"

#include <stdbool.h>

/* Rules without documents; no names. 0 or -ENOMEM. */
int snapshot_new(const struct ir *ir, struct ir **ret);
void snapshot_free(struct ir *snapshot);

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
