/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Port ranges as prefixes, so that one hash look-up per prefix length decides a port in the kernel.
 */
#pragma once

#include "policies/ir.h"

#include <stddef.h>
#include <stdint.h>

struct port_prefix {
	uint16_t port; /* host order, bits behind the prefix are zero */
	uint8_t length;
	struct decision decision;
};

bool decision_equal(const struct decision *a, const struct decision *b);

/*
 * The fewest prefixes of which the longest match gives each port the decision of its range, where
 * no prefix at all means otherwise: Draves et al., "Constructing optimal IP routing tables",
 * INFOCOM 1999, over 16 bits. Ranges are of one protocol, sorted and disjoint. The caller frees
 * *ret. 0 or -ENOMEM.
 */
int port_prefixes_compile(const struct ir_port_range *ranges, size_t ranges_count,
	const struct decision *otherwise, struct port_prefix **ret, size_t *ret_count);
