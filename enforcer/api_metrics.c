/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "api.h"

#include "base/clock.h"
#include "control/metrics.h"
#include "json.h"
#include "quarantine.h"

#include <inttypes.h>
#include <stdio.h>

static uint64_t integer(const json_t *object, const char *key)
{
	return (uint64_t)json_integer_value(json_object_get(object, key));
}

static void add_agent(struct metrics *metrics, const struct agent *agent)
{
	metrics_family(metrics, "segd_info", METRICS_GAUGE, "The agent and its data plane.");
	metrics_sample(metrics,
		METRICS_LABELS({"version", SEGD_VERSION}, {"dataplane", agent->plane_ops->name}),
		1);
	metrics_family(metrics, "segd_workloads", METRICS_GAUGE, "Workloads on this node.");
	metrics_sample(metrics, NULL, registry_count(agent->registry));
	metrics_family(metrics, "segd_documents", METRICS_GAUGE, "Applied documents.");
	metrics_sample(metrics, NULL, agent->documents.count);
	metrics_family(metrics, "segd_quarantined_workloads", METRICS_GAUGE,
		"Workloads in quarantine, running or not, by who put them there.");
	for (int origin = 0; origin <= QUARANTINE_DETECTOR; origin++)
		metrics_sample(metrics, METRICS_LABELS({"origin", quarantine_origin_name(origin)}),
			quarantine_list_count(quarantines_list(agent), origin));
	metrics_family(metrics, "segd_generation", METRICS_GAUGE,
		"Policy generations enforced since the agent started.");
	metrics_sample(metrics, NULL, agent->generation);
	metrics_family(metrics, "segd_reconcile_failed", METRICS_GAUGE,
		"1: the last reconcile failed and the former state is in force.");
	metrics_sample(metrics, NULL, agent->last_error != NULL);
	metrics_family(metrics, "segd_last_reconcile_duration_seconds", METRICS_GAUGE,
		"How long the last reconcile took.");
	metrics_sample_double(metrics, NULL, (double)agent->reconcile_duration_ns / NS_PER_SECOND);
	metrics_family(metrics, "segd_last_reconcile_stage_seconds", METRICS_GAUGE,
		"How long each stage of it took.");
	for (size_t i = 0; i < agent->laps.count; i++)
		metrics_sample_double(metrics, METRICS_LABELS({"stage", agent->laps.items[i].name}),
			(double)agent->laps.items[i].ns / NS_PER_SECOND);
	metrics_family(
		metrics, "segd_source_healthy", METRICS_GAUGE, "1: the runtime is being followed.");
	for (size_t i = 0; i < agent->sources_count; i++)
		metrics_sample(metrics, METRICS_LABELS({"source", agent->sources[i].ops->name}),
			agent->sources[i].healthy);
}

static void add_reasons(struct metrics *metrics, json_t *counters, const char *name,
	const char *unit, const char *help)
{
	const char *reason;
	json_t *counter;

	metrics_family(metrics, name, METRICS_COUNTER, help);
	json_object_foreach (counters, reason, counter) {
		metrics_sample(metrics, METRICS_LABELS({"reason", reason}), integer(counter, unit));
	}
}

static void add_plane(struct metrics *metrics, json_t *plane)
{
	json_t *value;
	const char *name;

	add_reasons(metrics, json_object_get(plane, "counters"), "segd_packets_total", "packets",
		"Packets judged, by reason.");
	add_reasons(metrics, json_object_get(plane, "counters"), "segd_bytes_total", "bytes",
		"Bytes of packets judged, by reason.");
	metrics_family(metrics, "segd_dataplane_lost_total", METRICS_COUNTER,
		"Events that the data plane could not report, by kind.");
	json_object_foreach (json_object_get(plane, "losses"), name, value) {
		metrics_sample(metrics, METRICS_LABELS({"kind", name}),
			(uint64_t)json_integer_value(value));
	}
	metrics_family(metrics, "segd_table_entries", METRICS_GAUGE, "Entries in use, by table.");
	json_object_foreach (json_object_get(plane, "tables"), name, value) {
		metrics_sample(metrics, METRICS_LABELS({"table", name}), integer(value, "used"));
	}
	metrics_family(metrics, "segd_table_size", METRICS_GAUGE, "Room for entries, by table.");
	json_object_foreach (json_object_get(plane, "tables"), name, value) {
		metrics_sample(metrics, METRICS_LABELS({"table", name}), integer(value, "size"));
	}
}

static void add_rule(const json_t *rule, uint64_t hits, void *userdata)
{
	const char *kind = json_string_value(json_object_get(rule, "kind"));
	const char *namespace = json_string_value(json_object_get(rule, "namespace"));
	const char *name = json_string_value(json_object_get(rule, "name"));
	const char *text = json_string_value(json_object_get(rule, "text"));

	metrics_sample(userdata,
		METRICS_LABELS(
			{"kind", kind}, {"namespace", namespace}, {"name", name}, {"rule", text}),
		hits);
}

static void add_flows(struct metrics *metrics, const json_t *flows)
{
	metrics_family(
		metrics, "segd_flow_records_total", METRICS_COUNTER, "Flow records written.");
	metrics_sample(metrics, NULL, integer(flows, "records"));
	metrics_family(metrics, "segd_flow_records_lost_total", METRICS_COUNTER,
		"Flow records that were not kept; each loss is a gap record.");
	metrics_sample(metrics, NULL, integer(flows, "lost"));
}

void api_metrics(struct control_request *request, void *userdata)
{
	struct agent *agent = userdata;
	_cleanup_json_ json_t *plane = api_describe_plane(agent, NULL, NULL);
	_cleanup_json_ json_t *flows = flow_describe(agent->flows);
	__attribute__((cleanup(metrics_freep))) struct metrics *metrics = NULL;
	const char *text;

	if (!plane || !flows || metrics_new(&metrics) < 0) {
		control_reply(request, 200, NULL);
		return;
	}
	add_agent(metrics, agent);
	add_plane(metrics, plane);
	metrics_family(metrics, "segd_rule_hits_total", METRICS_COUNTER,
		"New connections and refused packets, by deciding rule.");
	agent_count_hits(agent);
	rule_table_for_each(agent->rules, add_rule, metrics);
	add_flows(metrics, flows);
	api_metrics_detection(metrics, agent);
	text = metrics_text(metrics);
	if (text)
		control_reply_text(request, METRICS_CONTENT_TYPE, text);
	else
		control_reply(request, 200, NULL);
}
