/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which workloads a policy is about. */
#pragma once

#include "policies/model.h"
#include "policies/policy.h"

/* Workloads that share the node's addresses are no subjects. model is finished. */
bool policy_selects(const struct policy *policy, const struct model *model,
	const struct model_workload *workload);
