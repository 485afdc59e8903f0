/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Workloads that run here and are not enforced, by name. */
#include "doctor/check.h"

static bool is_located(const struct workload *workload)
{
	for (size_t i = 0; i < workload->interfaces_count; i++)
		if (workload->interfaces[i].ifindex)
			return true;
	return false;
}

/* macvlan and ipvlan: no end of the interface is on the node, and no hook of it sees a packet. */
static bool is_out_of_reach(const struct doctor_view *view, const struct workload *workload)
{
	for (size_t i = 0; i < workload->interfaces_count; i++)
		if (workload->interfaces[i].netns)
			return !doctor_uses(view, "ebpf");
	return false;
}

/* True: it is enforced. */
static bool check_workload(
	const struct doctor_view *view, const struct workload *workload, struct findings *findings)
{
	if (workload->host_network) {
		findings_add(findings, FINDING_WARNING, "host-network",
			"give it a network of its own, or bind the node by a policy with subject "
			"entity:host",
			"%s/%s shares the network of the node: no policy on it is enforced, and its "
			"traffic counts as the node's",
			workload->namespace, workload->name);
		return false;
	}
	if (is_out_of_reach(view, workload)) {
		findings_add(findings, FINDING_ERROR, "out-of-reach", "segd --dataplane=ebpf",
			"%s/%s has a macvlan or ipvlan interface, whose packets never meet the "
			"nftables of this node: it is not enforced",
			workload->namespace, workload->name);
		return false;
	}
	if (!is_located(workload)) {
		findings_add(findings, FINDING_WARNING, "no-interface",
			"nothing to do where it has no network; else segctl status says what the "
			"source of workloads lacks",
			"no interface of %s/%s was found: nothing is enforced on it",
			workload->namespace, workload->name);
		return false;
	}
	return true;
}

void check_workloads(const struct doctor_view *view, struct findings *findings)
{
	size_t count = view->workloads ? registry_count(view->workloads) : 0, enforced = 0;

	for (size_t i = 0; i < count; i++)
		enforced += check_workload(view, registry_at(view->workloads, i), findings);
	if (!count)
		findings_add(findings, FINDING_NOTE, "workloads",
			"start containers, or name namespaces by segd --workloads=FILE",
			"no workloads are known on this node");
	else
		findings_add(findings, FINDING_OK, "workloads", NULL,
			"%zu of %zu workloads can be enforced", enforced, count);
}
