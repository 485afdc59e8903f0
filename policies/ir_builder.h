/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How peer tables are made. Private to ir_tables.c and ir_follow_tables.c. */
#pragma once

#include "policies/ir_compile.h"

/* What a peer table was made from, for classes that come later. Same number as in the IR. */
struct origin {
	struct rule_list list;
	uint64_t *names;
	bool dropped;          /* nobody has it any more: one of its policies is gone */
	struct intern views;   /* of classes … */
	uint32_t *view_tables; /* … and the port table of each */
};

/* What building one peer table after the other needs; the arrays are used again and again. */
struct builder {
	struct compile *compile;
	struct intern keys; /* of peer tables */
	struct origin *origins;
	size_t origins_count;
	size_t following_count;
	uint32_t *first;      /* by matcher: its first rule in the list under way … */
	uint32_t *following;  /* … and by rule: the next one of the same matcher */
	uint64_t *mask;       /* matchers of the list under way */
	uint64_t *names_mask; /* named ports of the list under way */
};

void origin_clear(struct origin *origin);
/* The peer table for a list of rules and a subject of this shape; takes what the origin owns where
 * that makes a new one. */
int builder_table_of_list(
	struct builder *builder, const struct shape *shape, struct origin *origin, uint32_t *ret);
/* Makes the arrays ready for a list. */
int builder_prepare(struct builder *builder, const struct rule_list *list);
/* The port table of one class; the builder is prepared for the origin's list. */
int builder_find_port_table(
	struct builder *builder, struct origin *origin, uint32_t class, uint32_t *ret);
