/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Tables that fit the terminal (libsmartcols, plus shortening that keeps names apart). */
#pragma once

#include "base/cleanup.h"
#include "settings.h"

enum table_flags {
	TABLE_RIGHT = 1 << 0,  /* numbers */
	TABLE_SHRINK = 1 << 1, /* may be shortened where the terminal is narrow */
	TABLE_NOTE = 1 << 2,   /* the last column: a sentence that moves to a line of its own below
				  the row where the terminal is narrow */
};

struct table_column {
	const char *name;
	unsigned int flags;
};

enum table_color {
	TABLE_PLAIN,
	TABLE_GOOD,
	TABLE_WARNING,
	TABLE_BAD,
};

struct table;

/* columns (borrowed) ends with one that has no name. */
struct table *table_new(const struct settings *settings, const struct table_column *columns);
void table_free(struct table *table);

/* A new row; its cells are set from the left by table_cell(), which takes text. */
void table_row(struct table *table);
void table_cell(struct table *table, enum table_color color, char *text);
/* As table_cell(), but copies. */
void table_cell_text(struct table *table, enum table_color color, const char *text);
/* Numbers: short for a person ("1.2M", "98 KiB"), exact where nothing has to be shortened. */
void table_count(struct table *table, double count);
void table_bytes(struct table *table, double bytes);

void table_print(struct table *table);

DEFINE_CLEANUP(struct table *, table_free)
#define _cleanup_table_ _cleanup_(table_freep)
