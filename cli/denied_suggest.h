/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The shortest policies that would allow what was refused, and nothing else. */
#pragma once

#include "settings.h"

#include <jansson.h>

/*
 * Asks the agent for its policies and workloads, and prints SegmentPolicies for the refusals, with
 * each refusal and the rule that came nearest as comments; what no policy of these tiers can
 * overrule, or no policy is about, is said in comments, too. The output is for segctl policy lint
 * and apply. EXIT_NO: there is nothing to suggest.
 */
int denied_suggest(const struct settings *settings, const json_t *refusals);
