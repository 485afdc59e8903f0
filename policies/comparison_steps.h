/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The steps of compare(), each a file, in this order:
 *
 *   parties  ends that neither IR can tell apart
 *   spans    for two ends: the ports whose outcome changes
 *   rows     equal changes of many pairs joined into one row
 */
#pragma once

#include "policies/comparison.h"
#include "policies/intern.h"

enum {
	BEFORE,
	AFTER,
	SIDES
};

/* One of a party's addresses stands for all that have its family and its classes. */
struct party_class {
	uint32_t ipv4;
	uint32_t class[SIDES];
};

struct party {
	uint32_t peer_table[SIDES][DIRECTION_COUNT]; /* IR_PEER_TABLE_NONE: no subject */
	struct party_class *classes;
	size_t classes_count;
	struct comparison_party public;
};

/* Ports whose outcome changes from before to after. */
struct span {
	struct comparison_range range;
	enum outcome before, after;
	uint32_t rule;
};

struct spans {
	struct span *items;
	size_t count;
};

/* The pairs of one source, destination and change. */
struct cell {
	uint32_t content;
	uint32_t from, to; /* parties */
};

struct compare {
	const struct model *model;
	const struct ir *ir[SIDES];
	struct party *parties;
	size_t parties_count;

	/* Port tables that meet are looked at once: their spans, by number. */
	struct intern meetings;
	struct spans *meeting_spans;
	size_t meeting_spans_count;

	/* What rows say of their pairs: a struct comparison_row without pairs. */
	struct intern content_keys;
	struct comparison_row *contents;
	size_t contents_count;
	struct cell *cells;
	size_t cells_count;
	size_t pairs[OUTCOME_COUNT];
};

#define PARTY_HAS_NO_TABLE UINT32_MAX

int compare_parties(struct compare *compare);
void party_clear(struct party *party);

/* What changes from an address of one class to an address of another. *ret is borrowed, and valid
 * until the next call. 0 or -ENOMEM. */
int compare_classes(struct compare *compare, const struct party *from,
	const struct party_class *source, const struct party *to,
	const struct party_class *destination, const struct spans **ret);

/* Makes compare->cells and ->pairs from all parties. */
int compare_pairs(struct compare *compare);

/* Makes rows from the cells. */
int compare_rows(const struct compare *compare, struct comparison *comparison);
