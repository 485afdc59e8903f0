/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "capture/replay_names.h"

#include "flow/rule_json.h"

static json_t *labels_to_json(const struct labels *labels)
{
	json_t *object = json_object();

	for (size_t i = 0; object && i < labels->count; i++)
		json_object_set_new(
			object, labels->items[i].key, json_string(labels->items[i].value));
	return object;
}

static bool is_host(const struct model *model, const struct address *address)
{
	for (size_t i = 0; i < model->host_addresses_count; i++)
		if (address_equal(&model->host_addresses[i], address))
			return true;
	return false;
}

static json_t *resolve_endpoint(const struct address *address, void *userdata)
{
	const struct replay_names *names = userdata;
	const struct model_workload *workload = model_find_address(names->model, address);

	if (workload)
		return json_pack("{s:s, s:s, s:o}", "workload", workload->name, "namespace",
			workload->namespace, "labels", labels_to_json(&workload->labels));
	return json_pack("{s:s}", "entity", is_host(names->model, address) ? "host" : "world");
}

static json_t *resolve_rule(uint32_t id, void *userdata)
{
	const struct replay_names *names = userdata;
	const struct ir_rule *rule = id ? ir_find_rule(names->ir, id) : NULL;

	return rule ? rule_to_json(rule) : json_null();
}

static const char *resolve_interface(uint32_t ifindex, void *userdata)
{
	(void)ifindex;
	(void)userdata;
	return NULL;
}

struct flow_resolver replay_names_resolver(const struct replay_names *names)
{
	return (struct flow_resolver){
		.endpoint = resolve_endpoint,
		.rule = resolve_rule,
		.interface = resolve_interface,
		.userdata = (void *)names,
	};
}
