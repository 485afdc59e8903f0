/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "policies/subject.h"

bool policy_selects(const struct policy *policy, const struct model *model,
	const struct model_workload *workload)
{
	const struct model_namespace *namespace = model_find_namespace(model, workload->namespace);

	return namespace && !policy->host && !workload->host_network &&
	       policy_workloads_match(&policy->subject, workload->namespace, &namespace->labels,
		       &workload->labels);
}
