/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The checks of lint(), by what they look at. Private to it. */
#pragma once

#include "policies/lint.h"
#include "policies/policy.h"
#include "policies/precedence.h"

struct lint_run {
	const struct lint_input *input;
	struct diagnostics *diagnostics;
	const struct document *document; /* the one that is looked at */
};

#define lint_warn(run, code, place, ...)                                                \
	diagnostics_add((run)->diagnostics, DIAGNOSTIC_WARNING, (code),                 \
		(struct location){(run)->document->file, (place).line, (place).column}, \
		__VA_ARGS__)

static inline struct policy_place rule_place(const struct policy_rule *rule)
{
	return (struct policy_place){rule->line, rule->column};
}

/* As policy_workloads_match() for who can be matched by labels; cheap things first. */
bool lint_takes(const struct model *model, const struct policy_workloads *workloads,
	const struct model_workload *workload);

#define LINT_RULE_TEXT_MAX 640
/* "NetworkPolicy shop/api ingress[0] (api.yaml:7)" */
const char *lint_rule_text(const struct written_rule *rule, char text[static LINT_RULE_TEXT_MAX]);

/* One rule by itself: its peers, its ports. */
void lint_rule(struct lint_run *run, const struct policy_rule *rule);
/* A policy against the workloads. */
void lint_workloads(struct lint_run *run);
/* An allow rule against what the other end's policies say. */
void lint_other_end(struct lint_run *run, enum direction direction, const struct policy_rule *rule);
/* A policy and its rules against all others. */
void lint_others(struct lint_run *run);
