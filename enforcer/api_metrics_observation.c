/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Metrics of who looks into packets: captures, and names and protocols. */
#include "api_metrics.h"
#include "capture/capture.h"
#include "json.h"
#include "observation.h"

void metrics_of_observation(struct metrics *metrics, const struct agent *agent)
{
	_cleanup_json_ json_t *observed = observation_describe(agent);

	metrics_family(metrics, "segd_captures", METRICS_GAUGE, "Packet captures that run.");
	metrics_sample(metrics, NULL, captures_running());
	if (!json_is_object(observed))
		return;
	metrics_member(metrics, "segd_packet_samples_total", METRICS_COUNTER,
		"Beginnings of packets that were looked into.", observed, "samples");
	metrics_member(metrics, "segd_packet_samples_malformed_total", METRICS_COUNTER,
		"Of them, those that nothing could be made of.", observed, "malformed");
}
