/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "api.h"

#include "base/cleanup.h"
#include "json.h"
#include "policies/subject.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

static const struct model_workload *in_model(
	const struct agent *agent, const struct workload *workload)
{
	return model_find_workload(agent->model, workload->namespace, workload->name);
}

/* NULL: nothing is enforced in this direction on this workload. */
static const struct ir_peer_table *peer_table_of(
	const struct agent *agent, const struct workload *workload, enum direction direction)
{
	const struct model_workload *found = in_model(agent, workload);
	uint32_t table;

	if (!found)
		return NULL;
	table = agent->ir->subjects[found - agent->model->workloads].peer_table[direction];
	return table == IR_PEER_TABLE_NONE ? NULL : &agent->ir->peer_tables[table];
}

bool api_workload_is_enforced(const struct agent *agent, const struct workload *workload)
{
	for (size_t i = 0; i < workload->interfaces_count; i++)
		if (workload->interfaces[i].ifindex &&
			(!workload->interfaces[i].netns || agent->plane_ops->reaches_inside))
			return true;
	return false;
}

static json_t *workload_to_json(const struct agent *agent, const struct workload *workload)
{
	json_t *json = json_from_workload(workload);
	json_t *policies = json_object();

	for (int d = 0; d < DIRECTION_COUNT; d++) {
		const struct ir_peer_table *table = peer_table_of(agent, workload, d);

		json_object_set_new(policies, direction_name(d),
			table && table->name ? json_string(table->name) : json_null());
	}
	json_object_set_new(
		json, "enforced", json_boolean(api_workload_is_enforced(agent, workload)));
	json_object_set_new(json, "quarantine", api_quarantine_of(agent, workload));
	json_object_set_new(json, "policies", policies);
	return json;
}

void api_workloads(struct control_request *request, void *userdata)
{
	struct agent *agent = userdata;
	json_t *workloads = json_array();

	for (size_t i = 0; i < registry_count(agent->registry); i++)
		json_array_append_new(
			workloads, workload_to_json(agent, registry_at(agent->registry, i)));
	control_reply(request, 200, json_pack("{s:o}", "workloads", workloads));
}

/* --- inspect ------------------------------------------------------------------------------------
 */

static json_t *decision_to_json(const struct agent *agent, const char *peer, const char *ports,
	const struct decision *decision)
{
	uint32_t id = agent->ir->rules[decision->rule].id;

	return json_pack("{s:s, s:s, s:s, s:o, s:I}", "peer", peer, "ports", ports, "verdict",
		decision->flags & DECISION_AUDIT ? "audit" : verdict_name(decision->verdict),
		"rule", rule_table_json(agent->rules, id), "hits",
		(json_int_t)rule_table_hits(agent->rules, id));
}

static const char *format_ports(const struct ir_port_range *range, char *text, size_t size)
{
	const char *protocol = json_protocol_name(range->protocol);
	unsigned int type = range->first >> 8, code = range->first & 0xff;
	bool icmp = range->protocol == IPPROTO_ICMP || range->protocol == IPPROTO_ICMPV6;

	if (range->first == 0 && range->last == UINT16_MAX)
		snprintf(text, size, "%s", protocol);
	else if (icmp && range->first == range->last)
		snprintf(text, size, "%s/%u/%u", protocol, type, code);
	else if (icmp)
		snprintf(text, size, "%s/%u", protocol, type);
	else if (range->first == range->last)
		snprintf(text, size, "%s/%u", protocol, range->first);
	else
		snprintf(text, size, "%s/%u-%u", protocol, range->first, range->last);
	return text;
}

static void add_port_table(const struct agent *agent, json_t *list, const char *peer,
	const struct ir_port_table *table)
{
	char text[64];

	for (size_t i = 0; i < table->ranges_count; i++)
		json_array_append_new(
			list, decision_to_json(agent, peer,
				      format_ports(&table->ranges[i], text, sizeof(text)),
				      &table->ranges[i].decision));
	json_array_append_new(
		list, decision_to_json(agent, peer, table->ranges_count ? "other" : "all",
			      &table->otherwise));
}

static json_t *rules_to_json(const struct agent *agent, const struct ir_peer_table *table)
{
	const struct ir *ir = agent->ir;
	json_t *list = json_array();

	if (!table)
		return list;
	for (size_t i = 0; i < table->peers_count; i++)
		add_port_table(agent, list, ir->class_names[table->peers[i].class],
			&ir->port_tables[table->peers[i].port_table]);
	add_port_table(agent, list, table->peers_count ? "other peers" : "all peers",
		&ir->port_tables[table->otherwise]);
	return list;
}

static json_t *selected_by(const struct agent *agent, const struct workload *workload)
{
	const struct model_workload *found = in_model(agent, workload);
	json_t *list = json_array();

	for (size_t i = 0; found && i < agent->documents.count; i++) {
		const struct document *document = agent->documents.items[i];

		if (document_is_policy(document) &&
			policy_selects(document->policy, agent->model, found))
			json_array_append_new(list, json_from_document(document));
	}
	return list;
}

/* From the map's edges: who this workload talked to, and who tried. */
static json_t *peers_of(struct agent *agent, const char *id)
{
	_cleanup_json_ json_t *map = NULL;
	json_t *peers = json_array(), *edge;
	size_t i;

	if (flow_map(agent->flows, NULL, &map, NULL) < 0)
		return peers;
	json_array_foreach (json_object_get(map, "edges"), i, edge) {
		const char *from = json_string_value(json_object_get(edge, "from"));
		const char *to = json_string_value(json_object_get(edge, "to"));
		bool outgoing = from && !strcmp(from, id);
		json_t *peer;

		if (!from || !to || (!outgoing && strcmp(to, id)))
			continue;
		peer = json_copy(edge);
		json_object_del(peer, "from");
		json_object_del(peer, "to");
		json_object_set_new(peer, "peer", json_string(outgoing ? to : from));
		json_object_set_new(peer, "direction", json_string(outgoing ? "to" : "from"));
		json_array_append_new(peers, peer);
	}
	return peers;
}

void api_inspect_workload(struct control_request *request, void *userdata)
{
	struct agent *agent = userdata;
	const char *name = control_parameter(request, "name");
	const struct workload *workload;
	_cleanup_free_ char *id = NULL;
	json_t *json, *rules;
	bool ambiguous;

	workload = registry_find(agent->registry, name, &ambiguous);
	agent_count_hits(agent);
	if (!workload) {
		control_reply_error(request, ambiguous ? 409 : 404,
			ambiguous ? "several workloads are called %s: say namespace/name"
				  : "no workload is called %s",
			name);
		return;
	}
	if (asprintf(&id, "%s/%s", workload->namespace, workload->name) < 0) {
		control_reply(request, 200, NULL);
		return;
	}
	json = workload_to_json(agent, workload);
	rules = json_object();
	for (int d = 0; d < DIRECTION_COUNT; d++)
		json_object_set_new(rules, direction_name(d),
			rules_to_json(agent, peer_table_of(agent, workload, d)));
	json_object_set_new(json, "rules", rules);
	json_object_set_new(json, "selected_by", selected_by(agent, workload));
	json_object_set_new(json, "peers", peers_of(agent, id));
	control_reply(request, 200, json);
}
