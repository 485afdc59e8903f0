/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "early_quarantine.h"

#include "base/cleanup.h"
#include "policies/array.h"
#include "policies/policy.h"
#include "quarantine.h"

#include <errno.h>
#include <string.h>

/* What is gathered for xdp_quarantine_set(). */
struct gathering {
	struct xdp_interface *interfaces;
	size_t interfaces_count;
	struct prefix *investigators;
	size_t investigators_count;
};

static void gathering_clear(struct gathering *gathering)
{
	free(gathering->interfaces);
	free(gathering->investigators);
}

/* Of macvlan and ipvlan there is no end on the node. */
static int add_interfaces(struct gathering *gathering, const struct workload *workload)
{
	for (size_t i = 0; i < workload->interfaces_count; i++) {
		const struct workload_interface *interface = &workload->interfaces[i];
		struct xdp_interface *slot;

		if (!interface->ifindex || interface->netns)
			continue;
		slot = array_append(gathering->interfaces, gathering->interfaces_count);
		if (!slot)
			return -ENOMEM;
		slot->ifindex = interface->ifindex;
		slot->veth = true;
		memcpy(slot->name, interface->name, sizeof(slot->name));
	}
	return 0;
}

static int add_investigator(struct gathering *gathering, const struct prefix *prefix)
{
	struct prefix *slot =
		array_append(gathering->investigators, gathering->investigators_count);

	if (!slot)
		return -ENOMEM;
	*slot = *prefix;
	return 0;
}

static int add_addresses(struct gathering *gathering, const struct address *addresses, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		const struct prefix prefix = {addresses[i], 128};

		if (add_investigator(gathering, &prefix) < 0)
			return -ENOMEM;
	}
	return 0;
}

static int add_workloads(struct gathering *gathering, const struct model *model,
	const struct policy_workloads *selected)
{
	for (size_t i = 0; i < model->workloads_count; i++) {
		const struct model_workload *workload = &model->workloads[i];
		const struct model_namespace *namespace =
			model_find_namespace(model, workload->namespace);

		if (!workload->host_network && namespace &&
			policy_workloads_match(selected, workload->namespace, &namespace->labels,
				&workload->labels) &&
			add_addresses(gathering, workload->addresses, workload->addresses_count) <
				0)
			return -ENOMEM;
	}
	return 0;
}

static int add_everyone(struct gathering *gathering)
{
	static const struct prefix roots[] = {{{{0}}, 0}, {{{[10] = 0xff, [11] = 0xff}}, 96}};

	return add_investigator(gathering, &roots[0]) < 0 ? -ENOMEM
							  : add_investigator(gathering, &roots[1]);
}

static int add_peer(
	struct gathering *gathering, const struct model *model, const struct policy_peer *peer)
{
	switch (peer->kind) {
	case PEER_CIDR:
		return add_investigator(gathering, &peer->cidr);
	case PEER_WORKLOADS:
		return add_workloads(gathering, model, &peer->workloads);
	case PEER_ENTITY:
		return peer->entity == ENTITY_HOST ? add_addresses(gathering, model->host_addresses,
							     model->host_addresses_count)
						   : add_everyone(gathering);
	case PEER_NODES:
		break; /* not in a quarantine's grammar */
	}
	return 0;
}

static int add_allowed(
	struct gathering *gathering, const struct model *model, const struct quarantine *quarantine)
{
	const struct policy *policy = quarantine->document->policy;

	for (size_t i = 0; i < policy->rules_count[DIRECTION_INGRESS]; i++) {
		const struct policy_rule *rule = &policy->rules[DIRECTION_INGRESS][i];

		for (size_t k = 0; k < rule->peers_count; k++)
			if (add_peer(gathering, model, &rule->peers[k]) < 0)
				return -ENOMEM;
	}
	return 0;
}

static int gather(const struct agent *agent, struct gathering *gathering)
{
	const struct quarantine_list *list = quarantines_list(agent);

	for (size_t i = 0; list->count && i < registry_count(agent->registry); i++) {
		const struct workload *workload = registry_at(agent->registry, i);

		if (quarantine_of(agent, workload) && add_interfaces(gathering, workload) < 0)
			return -ENOMEM;
	}
	for (size_t i = 0; i < list->count; i++)
		if (add_allowed(gathering, agent->model, &list->items[i]) < 0)
			return -ENOMEM;
	return 0;
}

int early_quarantine_set(struct agent *agent, struct error *error)
{
	_cleanup_(gathering_clear) struct gathering gathering = {0};
	struct xdp_quarantine quarantine = {0};

	if (gather(agent, &gathering) < 0)
		return error_nomem(error);
	quarantine.interfaces = gathering.interfaces;
	quarantine.interfaces_count = gathering.interfaces_count;
	quarantine.investigators = gathering.investigators;
	quarantine.investigators_count = gathering.investigators_count;
	if (gathering.interfaces_count) {
		quarantine.neighbours = agent->model->host_addresses;
		quarantine.neighbours_count = agent->model->host_addresses_count;
	}
	return xdp_quarantine_set(agent->early, &quarantine, error);
}
