/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "api_metrics.h"

#include "api.h"
#include "base/clock.h"
#include "json.h"
#include "quarantine.h"

static void gauge(struct metrics *metrics, const char *name, const char *help, uint64_t value)
{
	metrics_family(metrics, name, METRICS_GAUGE, help);
	metrics_sample(metrics, NULL, value);
}

void metrics_member(struct metrics *metrics, const char *name, enum metrics_type type,
	const char *help, const json_t *object, const char *key)
{
	const json_t *member = json_object_get(object, key);

	metrics_family(metrics, name, type, help);
	metrics_sample(metrics, NULL,
		json_is_boolean(member) ? json_is_true(member)
					: (uint64_t)json_integer_value(member));
}

static void add_state(struct metrics *metrics, const struct agent *agent)
{
	metrics_family(metrics, "segd_build_info", METRICS_GAUGE, "The agent and its data plane.");
	metrics_sample(metrics,
		METRICS_LABELS({"version", SEGD_VERSION}, {"dataplane", agent->plane_ops->name}),
		1);
	gauge(metrics, "segd_workloads", "Workloads on this node.",
		registry_count(agent->registry));
	gauge(metrics, "segd_documents", "Applied documents.", agent->documents.count);
	metrics_family(metrics, "segd_quarantined_workloads", METRICS_GAUGE,
		"Workloads in quarantine, running or not, by who put them there.");
	for (int origin = 0; origin <= QUARANTINE_DETECTOR; origin++)
		metrics_sample(metrics, METRICS_LABELS({"origin", quarantine_origin_name(origin)}),
			quarantine_list_count(quarantines_list(agent), origin));
	metrics_family(
		metrics, "segd_source_healthy", METRICS_GAUGE, "1: the runtime is being followed.");
	for (size_t i = 0; i < agent->sources_count; i++)
		metrics_sample(metrics, METRICS_LABELS({"source", agent->sources[i].ops->name}),
			agent->sources[i].healthy);
}

static void add_reconciles(struct metrics *metrics, const struct agent *agent)
{
	gauge(metrics, "segd_generation", "Policy generations enforced since the agent started.",
		agent->generation);
	gauge(metrics, "segd_reconcile_failed",
		"1: the last reconcile failed and the former state is in force, or policies in force "
		"are not on disk.",
		agent->last_error != NULL || agent->unstored != NULL);
	metrics_family(metrics, "segd_reconcile_failures_total", METRICS_COUNTER,
		"Reconciles that failed.");
	metrics_sample(metrics, NULL, agent->reconciles_failed);
	metrics_family(metrics, "segd_reconcile_duration_seconds", METRICS_HISTOGRAM,
		"How long reconciles took, from a change of policies or workloads to its enforcement.");
	metrics_sample_histogram(metrics, histogram_bounds, agent->reconciles.counts,
		HISTOGRAM_BUCKETS, (double)agent->reconciles.sum_ns / NS_PER_SECOND);
	metrics_family(metrics, "segd_last_reconcile_duration_seconds", METRICS_GAUGE,
		"How long the last reconcile took.");
	metrics_sample_double(metrics, NULL, (double)agent->reconcile_duration_ns / NS_PER_SECOND);
	metrics_family(metrics, "segd_last_reconcile_stage_seconds", METRICS_GAUGE,
		"How long each stage of it took.");
	for (size_t i = 0; i < agent->laps.count; i++)
		metrics_sample_double(metrics, METRICS_LABELS({"stage", agent->laps.items[i].name}),
			(double)agent->laps.items[i].ns / NS_PER_SECOND);
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
	add_state(metrics, agent);
	add_reconciles(metrics, agent);
	metrics_of_plane(metrics, plane);
	metrics_of_rules(metrics, agent);
	metrics_of_flows(metrics, flows);
	metrics_of_control(metrics, agent);
	metrics_of_observation(metrics, agent);
	api_metrics_detection(metrics, agent);
	if (agent->options->endpoint_metrics)
		metrics_of_endpoints(metrics, agent);
	metrics_of_process(metrics, agent);
	text = metrics_text(metrics);
	if (text)
		control_reply_text(request, METRICS_CONTENT_TYPE, text);
	else
		control_reply(request, 200, NULL);
}
