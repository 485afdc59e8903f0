/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Prefixes, of which the longest decides, as disjoint intervals of the address space. */
#pragma once

#include "base/address.h"
#include "dataplane/nft/element.h"
#include "policies/ir.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* first and last are in host order, IPv4 in its mapped form. */
struct interval {
	unsigned __int128 first;
	unsigned __int128 last;
	uint32_t class;
};

struct interval_list {
	struct interval *items; /* ascending, disjoint */
	size_t count;
	size_t size;
};

/* prefixes: by address, shorter first, as in an IR; only those of one family are taken. */
int intervals_from_prefixes(
	const struct ir_prefix *prefixes, size_t count, bool ipv4, struct interval_list *ret);
void intervals_clear(struct interval_list *list);

/* The class of an address; false: no interval holds it. */
bool intervals_find(
	const struct interval_list *list, const struct address *address, uint32_t *ret_class);

/*
 * Elements of an interval set: neighbours with the same target are merged, those whose target is
 * otherwise are left out. targets: by class.
 */
int intervals_to_elements(const struct interval_list *list, bool ipv4, const struct target *targets,
	struct target otherwise, struct element_list *ret);
