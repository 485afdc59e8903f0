/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How packets are refused, counted and logged.
 *
 *	refuse-X: denied-Y (known: count the element and drop; new: add it), log, drop
 *
 * A refusal is an element of one of the sets below: the first packet adds it and is logged, later
 * ones only count. So a flood costs a lookup and a counter, and totals are exact.
 */
#pragma once

#include "dataplane/nft/batch.h"
#include "xdp/reasons.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define REFUSAL_SET_SIZE 65536
#define REFUSAL_OVERFLOW "denied_overflow" /* counter: refusals that no element was free for */

#define REFUSAL_LOG_WORD  "segd"
#define REFUSAL_LOG_ADOPT "adopt"

/* What a refusal is keyed by behind source and destination. */
enum refusal_kind {
	REFUSAL_PORTS, /* protocol and destination port */
	REFUSAL_ICMP,  /* type and code */
	REFUSAL_OTHER, /* protocol */
	REFUSAL_KINDS,
};

struct refusal_set {
	char name[40];
	enum reason reason;
	enum refusal_kind kind;
	bool ipv4;
};

#define REFUSAL_REASONS 3
#define REFUSAL_SETS    ((size_t)REFUSAL_REASONS * REFUSAL_KINDS * 2)

/* The i-th of REFUSAL_SETS. */
struct refusal_set refusal_set(size_t i);
/* The i-th of REFUSAL_REASONS; their names in xdp/reasons.h are the counters' names, too. */
enum reason refusal_reason(size_t i);
const char *refusal_reason_name(enum reason reason);

/* The sets and the chains that policies have no part in. The counters must be there. */
int refusal_write_layout(struct batch *batch, uint16_t nflog_group);

/* Chain refuse-…: counts under reason, logs the first of a kind with detail behind the reason in
 * the prefix (may be ""), then drops, or answers where reject is set. */
int refusal_write(struct batch *batch, const char *chain, const char *comment, enum reason reason,
	const char *detail, bool reject, uint16_t nflog_group);
