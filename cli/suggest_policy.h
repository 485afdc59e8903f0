/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * SegmentPolicies in the making: what has to be allowed to whom, put together so that each subject
 * has one policy, each peer one rule, and peers with the same ports share it.
 */
#pragma once

#include "policies/document.h"
#include "policies/evaluate.h"
#include "suggest_role.h"

#include <jansson.h>
#include <stdio.h>

struct suggest_change {
	const struct suggest_role *subject; /* with a selector, or the host */
	const struct suggest_role *peer;
	enum direction direction;
	enum tier tier; /* application or baseline */
	int priority;   /* inside the baseline tier */
	const struct flow_query *query;
	const char *why;     /* a line of comment above the policy; it stands there once */
	const char *nearest; /* NULL: nothing came near */
};

/* policies: an object, empty at first. */
void suggest_policy_add(json_t *policies, const struct suggest_change *change);

/* As YAML, each with its comments, under names that existing does not have. New string. */
char *suggest_policy_format(const json_t *policies, const struct document_list *existing);

/* "# BEFORE TEXT" as one line of comment, whatever is in text: names come from whoever started a
 * workload or answers its DNS queries, and this is YAML that will be applied. */
void suggest_policy_comment(FILE *stream, const char *before, const char *text);
