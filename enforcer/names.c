/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "names.h"

#include "base/cleanup.h"
#include "base/network_namespace.h"
#include "json.h"
#include "observation.h"

#include <net/if.h>

static bool is_host_address(const struct agent *agent, const struct address *address)
{
	const struct address *addresses;
	size_t count;

	addresses = links_host_addresses(agent->links, &count);
	for (size_t i = 0; i < count; i++) {
		if (address_equal(&addresses[i], address))
			return true;
	}
	return false;
}

static json_t *resolve_endpoint(const struct address *address, void *userdata)
{
	const struct agent *agent = userdata;
	const struct workload *workload = registry_find_address(agent->registry, address);

	if (workload)
		return json_pack("{s:s, s:s, s:o}", "workload", workload->name, "namespace",
			workload->namespace, "labels", json_from_labels(&workload->labels));
	return json_pack("{s:s}", "entity", is_host_address(agent, address) ? "host" : "world");
}

static json_t *resolve_rule(uint32_t id, void *userdata)
{
	const struct agent *agent = userdata;

	return rule_table_json(agent->rules, id);
}

static const char *resolve_inside(const struct agent *agent, uint32_t number)
{
	for (size_t i = 0; i < registry_count(agent->registry); i++) {
		const struct workload *workload = registry_at(agent->registry, i);

		for (size_t j = 0; j < workload->interfaces_count; j++)
			if (workload->interfaces[j].ifindex == number)
				return workload->interfaces[j].name;
	}
	return NULL;
}

static const char *resolve_interface(uint32_t ifindex, void *userdata)
{
	static char name[IF_NAMESIZE];

	if (network_namespace_is_interface(ifindex))
		return resolve_inside(userdata, ifindex);
	return if_indextoname(ifindex, name);
}

struct flow_resolver names_resolver(struct agent *agent)
{
	return (struct flow_resolver){
		.endpoint = resolve_endpoint,
		.rule = resolve_rule,
		.interface = resolve_interface,
		.named = observation_named,
		.observed = observation_observed,
		.userdata = agent,
	};
}
