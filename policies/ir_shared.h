/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What IRs that follow each other have in common: all but the addresses and the subjects. */
#pragma once

#include "policies/ir.h"

struct ir_shared {
	unsigned int references;
	struct ir *tables; /* without addresses and subjects */
};

/* A copy of ir's rules, tables, prefixes and class names. 0 or -ENOMEM. */
int ir_shared_new(const struct ir *ir, struct ir_shared **ret);
struct ir_shared *ir_shared_reference(struct ir_shared *shared);
void ir_shared_release(struct ir_shared *shared); /* may be NULL */

/* An IR of its own: a reference to shared, and copies of from's addresses and subjects. */
int ir_shared_snapshot(struct ir_shared *shared, const struct ir *from, struct ir **ret);
