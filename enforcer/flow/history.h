/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The last records, in memory: bounded by number and by bytes, names included. */
#pragma once

#include "flow/record.h"

#include <stddef.h>

struct history;

int history_new(size_t records_max, size_t bytes_max, struct history **ret);
void history_free(struct history *history);

/* The record's references are the history's from now on. The oldest records go. */
void history_take(struct history *history, const struct record *record);
size_t history_count(const struct history *history);
size_t history_bytes(const struct history *history);
/* index 0 is the oldest. Valid until the next addition. */
const struct record *history_at(const struct history *history, size_t index);

static inline void history_freep(struct history **history)
{
	history_free(*history);
}
