// SPDX-License-Identifier: GPL-2.0-or-later
/* What detection counts, for Prometheus. */
#include "api.h"

#include "control/metrics.h"
#include "detection.h"
#include "json.h"

static uint64_t number(const json_t *object, const char *key)
{
	return (uint64_t)json_integer_value(json_object_get(object, key));
}

static void add_alerts(struct metrics *metrics, const json_t *all)
{
	const json_t *detector;
	const char *severity;
	json_t *value;
	size_t i;

	metrics_family(metrics, "segd_alerts_total", METRICS_COUNTER,
		"Alerts raised, by detector and the severity that they rose with.");
	json_array_foreach (all, i, detector) {
		const char *name = json_string_value(json_object_get(detector, "name"));

		json_object_foreach (json_object_get(detector, "raised"), severity, value) {
			metrics_sample(metrics,
				METRICS_LABELS({"detector", name}, {"severity", severity}),
				(uint64_t)json_integer_value(value));
		}
	}
}

static void add_table(struct metrics *metrics, const json_t *all, const char *family,
	enum metrics_type type, const char *help, const char *key)
{
	const json_t *detector;
	size_t i;

	metrics_family(metrics, family, type, help);
	json_array_foreach (all, i, detector) {
		const json_t *state = json_object_get(detector, "state");

		if (state && !json_is_null(state))
			metrics_sample(metrics,
				METRICS_LABELS({"detector",
					json_string_value(json_object_get(detector, "name"))}),
				number(state, key));
	}
}

static void add_detectors(struct metrics *metrics, const json_t *all)
{
	add_table(metrics, all, "segd_detector_entries", METRICS_GAUGE,
		"What a detector remembers.", "entries");
	add_table(metrics, all, "segd_detector_size", METRICS_GAUGE,
		"What a detector has room for.", "size");
	add_table(metrics, all, "segd_detector_evicted_total", METRICS_COUNTER,
		"What a detector forgot to make room.", "evicted");
}

static void add_outputs(struct metrics *metrics, const json_t *outputs)
{
	static const char *const names[] = {"webhook", "syslog"};

	metrics_family(metrics, "segd_alert_messages_total", METRICS_COUNTER,
		"Alerts by what became of them at an output.");
	for (size_t i = 0; i < 2; i++) {
		const json_t *output = json_object_get(outputs, names[i]);

		if (!json_is_object(output))
			continue;
		metrics_sample(metrics, METRICS_LABELS({"output", names[i]}, {"outcome", "sent"}),
			number(output, "sent"));
		metrics_sample(metrics,
			METRICS_LABELS({"output", names[i]}, {"outcome", "dropped"}),
			number(output, "dropped") + number(output, "refused"));
	}
}

void api_metrics_detection(struct metrics *metrics, const struct agent *agent)
{
	_cleanup_json_ json_t *json = detection_describe(agent);
	const json_t *all = json_object_get(json, "detectors");
	const json_t *alerts = json_object_get(json, "alerts");
	const json_t *response = json_object_get(json, "response");

	if (!json)
		return;
	add_alerts(metrics, all);
	metrics_family(metrics, "segd_alerts_muted_total", METRICS_COUNTER,
		"News of alerts that nobody was told because of a mute.");
	metrics_sample(metrics, NULL, number(alerts, "muted"));
	metrics_family(metrics, "segd_alerts_evicted_total", METRICS_COUNTER,
		"Alerts that made room for later ones.");
	metrics_sample(metrics, NULL, number(alerts, "evicted"));
	metrics_family(
		metrics, "segd_incidents_open", METRICS_GAUGE, "Stories of alerts that may go on.");
	metrics_sample(metrics, NULL, number(json_object_get(json, "incidents"), "open"));
	metrics_family(
		metrics, "segd_baseline_edges", METRICS_GAUGE, "Edges of roles that are usual.");
	metrics_sample(metrics, NULL, number(json_object_get(json, "baseline"), "edges"));
	add_detectors(metrics, all);
	add_outputs(metrics, json_object_get(json, "outputs"));
	metrics_family(metrics, "segd_automatic_quarantines_total", METRICS_COUNTER,
		"Workloads that were isolated because of an alert, and failures to do so.");
	metrics_sample(
		metrics, METRICS_LABELS({"outcome", "isolated"}), number(response, "isolated"));
	metrics_sample(metrics, METRICS_LABELS({"outcome", "failed"}), number(response, "failed"));
}
