/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Whom a change of a table concerns. What a chain says is part of its name, and only elements keyed
 * by address lead from one to another; so between two addresses whose elements stay, every verdict
 * stays, too.
 */
#pragma once

#include "base/address.h"
#include "dataplane/nft/element.h"
#include "dataplane/nft/set.h"

#include <stdbool.h>
#include <stddef.h>

struct touched {
	struct address *items; /* in no order, and some more than once, until touched_sort() */
	size_t count;
	size_t size;
	bool all; /* whoever it is */
};

/* The addresses that these elements of a set of that shape are keyed by. Keys of anything else, and
 * want of memory, touch all. */
void touched_add(
	struct touched *touched, const struct shape *shape, const struct element_list *elements);
void touched_sort(struct touched *touched);
/* Sorted. */
bool touched_has(const struct touched *touched, const struct address *address);
bool touched_is_empty(const struct touched *touched);
void touched_clear(struct touched *touched);
