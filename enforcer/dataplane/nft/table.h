/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Table inet segd, or another one of its layout, in the kernel, and what is known to be in it.
 *
 * A change takes two transactions. The first adds what the new policy needs and no packet can reach
 * yet: chains and sets under names of their own. The second moves addresses to it, elements of hash
 * maps that the kernel switches with one store. So a packet on its way sees complete chains of the
 * old policy or of the new. What nothing leads to any more is taken out later, when no packet can
 * still be inside it.
 */
#pragma once

#include "base/error.h"
#include "dataplane/nft/plan_follow.h"
#include "dataplane/nft/ruleset.h"
#include "dataplane/nft/touched.h"
#include "policies/ir.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct table;

/* What tells our tables apart. */
struct table_kind {
	const char *name;
	/* Base chains, and all else that no policy changes. 0 or -ENOMEM. */
	int (*write_path)(struct batch *batch, uint16_t nflog_group);
};

/* inet segd. */
extern const struct table_kind table_of_workloads;

struct table_statistics {
	uint64_t generation; /* changes that took effect since table_open() */
	size_t chains;
	size_t sets;
	size_t elements;      /* of the maps that change */
	size_t last_messages; /* sent by the last change */
	size_t last_bytes;
};

/* Finds what an earlier agent left. note: words to keep in the table's comment when it is made;
 * table_note() gives those of the table that was found. */
int table_open(const struct table_kind *kind, uint16_t nflog_group, struct table **ret,
	struct error *error);
void table_free(struct table *table);

/* Was the table there when it was opened, and in our form? */
bool table_adopted(const struct table *table);
/* Is it now, as far as is known? */
bool table_is_there(const struct table *table);
/* And, as far as is known, what it should be? */
bool table_is_sound(const struct table *table);
/* "" where there was no table. One of another layout keeps its note, too. */
const char *table_note(const struct table *table);

/*
 * Makes what plan says true. now_ns: any monotonic clock. *ret_changed: something was different.
 * On failure packets see what they saw before.
 */
int table_apply(struct table *table, const struct ir *ir, struct ruleset *plan, const char *note,
	uint64_t now_ns, bool *ret_changed, struct error *error);

/*
 * The same where the plan in force stays, but for these elements; in one transaction. Only where
 * the table is sound. On failure nothing has changed, and table_apply() is to try.
 */
int table_follow(struct table *table, const struct plan_changes *changes, struct error *error);

/* Whom the calls of table_apply() and table_follow() concern since table_forget_touched(). Sorted.
 */
const struct touched *table_touched(struct table *table);
void table_forget_touched(struct table *table);

/* Takes out what was not needed any more for a second. -ENOENT, once: somebody removed the table.
 */
int table_sweep(struct table *table, uint64_t now_ns, struct error *error);

/* Lets mid-stream TCP of these addresses be adopted for so long, also by the table that comes where
 * somebody removes this one. now_ns: as of table_apply(). */
int table_adopt(struct table *table, const struct address *addresses, size_t count,
	uint64_t duration_ns, uint64_t now_ns, struct error *error);

/* What somebody else has done to the table. */
enum table_damage {
	TABLE_EDITED,   /* rules, elements, or something of ours is missing */
	TABLE_EXTENDED, /* something is in it that is not ours */
	TABLE_REMOVED,
};

/* The next table_apply() puts it right. */
void table_doubt(struct table *table, enum table_damage damage);

/* Removes the table, if it is there. */
int table_remove(struct table *table, struct error *error);

struct table_statistics table_statistics(const struct table *table);
/* What is in it, as far as is known. Valid until the next change. */
const struct ruleset *table_installed(const struct table *table);

static inline void table_freep(struct table **table)
{
	table_free(*table);
}
