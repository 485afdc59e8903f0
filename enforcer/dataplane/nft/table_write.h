/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Messages that make table inet segd what a plan says. */
#pragma once

#include "dataplane/nft/batch.h"
#include "dataplane/nft/ruleset.h"
#include "dataplane/nft/touched.h"
#include "policies/ir.h"

#include <stdint.h>

enum table_presence {
	TABLE_ABSENT,
	TABLE_FOREIGN, /* of another version, or with things in it that are not ours: to be replaced
			  as a whole */
	TABLE_DOUBTED, /* ours, but what chains and sets hold may not be what their names say */
	TABLE_OURS,
};

struct table_change {
	enum table_presence presence;
	struct ruleset *installed; /* known to be in the kernel, if presence says that it is ours */
	const struct ir *ir;
	struct ruleset *plan;                                         /* of this ir */
	int (*write_path)(struct batch *batch, uint16_t nflog_group); /* as in table.h */
	const char *comment;                                          /* of a new table */
	struct touched *touched; /* where table_write_elements() says whom it concerns */
	uint16_t nflog_group;
};

/*
 * What the plan has and the kernel does not. Of a table in doubt everything is written again, in
 * place: a packet that is between two hooks meets the rules in each, and counters go on. 0 or
 * -ENOMEM.
 */
int table_write_new(const struct table_change *change, struct batch *batch);
/* Elements of maps that are there: what is to go, and what is to come. */
int table_write_elements(const struct table_change *change, struct batch *batch);
int table_write_removal(struct batch *batch);
