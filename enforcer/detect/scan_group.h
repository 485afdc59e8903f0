/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A scan that is spread over several sources, each of which fails too seldom to be accused. Looked
 * at from the other side: of one target, or of one service on many targets, ever new things are
 * tried and fail, and no single source accounts for most of it.
 */
#pragma once

#include "detect/attempts.h"
#include "detect/detector.h"
#include "detect/walk.h"

struct scan_groups {
	struct ledger ledger;
	struct seen tried; /* target and service, whoever it was */
	const struct walk_limits *limits;
	const struct detect_context *context;
};

/* limits and context are borrowed. -ENOMEM */
int scan_groups_open(struct scan_groups *groups, const struct walk_limits *limits,
	const struct detect_context *context);
void scan_groups_answered(struct scan_groups *groups, const struct attempt *attempt);
void scan_groups_failed(
	struct scan_groups *groups, const struct attempt *attempt, const struct record *record);
void scan_groups_close(struct scan_groups *groups);
