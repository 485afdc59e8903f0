/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What changes from one compiled policy set to another, in connections that become allowed or
 * refused. Exact: every class of addresses of both is held against every other, over every port.
 */
#pragma once

#include "policies/bitset.h"
#include "policies/ir.h"
#include "policies/model.h"

enum outcome {
	OUTCOME_REFUSED,
	OUTCOME_AUDITED, /* passes, but a policy in audit mode would refuse it */
	OUTCOME_ALLOWED,
	OUTCOME_COUNT
};

const char *outcome_name(enum outcome outcome); /* "refused", … */

/* Ends that neither policy set can tell apart: workloads, the node, or a part of the world. */
struct comparison_party {
	size_t *workloads; /* indexes into the model */
	size_t workloads_count;
	bool host;
	struct prefix *prefixes; /* what is in these, less prefixes of other parties and known
				    addresses */
	size_t prefixes_count;
};

/* IPPROTO_RAW stands for every protocol that policies have no word for. */
#define COMPARISON_PROTOCOL_OTHER 255

struct comparison_range {
	uint8_t protocol;
	uint8_t unused; /* zero: ranges are compared as bytes */
	uint16_t first;
	uint16_t last; /* ICMP: type << 8 | code */
};

enum comparison_family {
	COMPARISON_ALL_FAMILIES, /* that both ends have */
	COMPARISON_IPV4,
	COMPARISON_IPV6,
};

/* All from all of one side to all of the other; a workload that stands on both sides does not lose
 * or gain the way to itself, which is always open. */
struct comparison_row {
	uint64_t *from; /* bitsets of parties */
	uint64_t *to;
	enum outcome before, after;
	enum comparison_family family;
	uint32_t rule;                   /* what decides now; index into the second IR's rules */
	struct comparison_range *ranges; /* by protocol, first; disjoint */
	size_t ranges_count;
};

struct comparison {
	struct comparison_party *parties;
	size_t parties_count;
	struct comparison_row *rows;
	size_t rows_count;
	/* Pairs of a workload with another, with the node or with a part of the world, that have a
	 * port for which this is the outcome now and was not before. */
	size_t pairs[OUTCOME_COUNT];
};

/* Both IRs were compiled from models with the workloads of this one. 0, -ENOMEM, -EINVAL (they were
 * not). */
int compare(const struct model *model, const struct ir *before, const struct ir *after,
	struct comparison *ret);
void comparison_clear(struct comparison *comparison);
