/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The rules by which something is audited. A connection remembers the rules of both directions and
 * that one of them was audited; this tells which.
 */
#pragma once

#include "dataplane/bpf/tables.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct audited {
	uint32_t *rules; /* ids, sorted */
	size_t count;
};

/* From all tables, those of the next generation included. 0 or -ENOMEM. */
int audited_rebuild(struct audited *audited, const struct tables *tables);
bool audited_by(const struct audited *audited, uint32_t rule);
void audited_clear(struct audited *audited);
