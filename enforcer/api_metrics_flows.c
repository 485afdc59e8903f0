/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Metrics of flow records, and of where they go. */
#include "api_metrics.h"
#include "json.h"

static void add_records(struct metrics *metrics, const json_t *flows)
{
	const char *event, *verdict;
	json_t *verdicts, *count;

	metrics_family(metrics, "segd_flow_records_total", METRICS_COUNTER,
		"Flow records, by event and verdict; gap records are not among them.");
	json_object_foreach (json_object_get(flows, "told"), event, verdicts) {
		json_object_foreach (verdicts, verdict, count) {
			metrics_sample(metrics,
				METRICS_LABELS({"event", event}, {"verdict", verdict}),
				(uint64_t)json_integer_value(count));
		}
	}
	metrics_member(metrics, "segd_flow_events_total", METRICS_COUNTER,
		"Events that the data plane told.", flows, "events");
	metrics_member(metrics, "segd_flow_records_lost_total", METRICS_COUNTER,
		"Events of which there is no record; gap records say so.", flows, "lost");
	metrics_member(metrics, "segd_flow_subscribers", METRICS_GAUGE,
		"Who follows flows at the moment.", flows, "subscribers");
}

/* log and store: why the last attempt to write failed. */
static void add_failing(
	struct metrics *metrics, const char *name, const char *help, const json_t *part)
{
	metrics_family(metrics, name, METRICS_GAUGE, help);
	metrics_sample(metrics, NULL, json_is_string(json_object_get(part, "error")));
}

static void add_log(struct metrics *metrics, const json_t *log)
{
	metrics_member(metrics, "segd_flow_log_size_bytes", METRICS_GAUGE,
		"Of all files of the flow log.", log, "bytes");
	metrics_member(metrics, "segd_flow_log_files", METRICS_GAUGE, "Files of the flow log.", log,
		"files");
	metrics_member(metrics, "segd_flow_log_lost_total", METRICS_COUNTER,
		"Records that could not be written to the flow log; gap records say so.", log,
		"lost");
	metrics_member(metrics, "segd_flow_log_write_failures_total", METRICS_COUNTER,
		"Attempts to write the flow log that failed.", log, "failures");
	add_failing(metrics, "segd_flow_log_failing",
		"1: the flow log cannot be written at the moment.", log);
}

static void add_store(struct metrics *metrics, const json_t *store)
{
	metrics_member(metrics, "segd_flow_store_size_bytes", METRICS_GAUGE,
		"Of what the flow store holds.", store, "bytes");
	metrics_member(metrics, "segd_flow_store_pending", METRICS_GAUGE,
		"Sums that wait to be written to the flow store.", store, "pending");
	metrics_member(metrics, "segd_flow_store_turned_away_total", METRICS_COUNTER,
		"Events that the flow store had no room for.", store, "turned_away");
	metrics_member(metrics, "segd_flow_store_write_failures_total", METRICS_COUNTER,
		"Attempts to write the flow store that failed.", store, "failures");
	add_failing(metrics, "segd_flow_store_failing",
		"1: the flow store cannot be written at the moment.", store);
	metrics_family(metrics, "segd_flow_store_set_aside", METRICS_GAUGE,
		"1: a damaged flow store was set aside since the agent started.");
	metrics_sample(metrics, NULL, json_is_string(json_object_get(store, "set_aside")));
}

void metrics_of_flows(struct metrics *metrics, const json_t *flows)
{
	const json_t *map = json_object_get(flows, "map");

	add_records(metrics, flows);
	metrics_member(metrics, "segd_flow_map_edges", METRICS_GAUGE,
		"Edges of the connection map.", map, "edges");
	metrics_member(metrics, "segd_flow_map_evicted_total", METRICS_COUNTER,
		"Edges that made room for others in the connection map.", map, "evicted");
	metrics_member(metrics, "segd_flow_map_untracked_total", METRICS_COUNTER,
		"Events that the connection map put off for lack of room.", map,
		"connections_untracked");
	metrics_member(metrics, "segd_flow_refusals_evicted_total", METRICS_COUNTER,
		"Kinds of refusals that made room for others.", json_object_get(flows, "denied"),
		"evicted");
	if (json_is_object(json_object_get(flows, "log")))
		add_log(metrics, json_object_get(flows, "log"));
	if (json_is_object(json_object_get(flows, "store")))
		add_store(metrics, json_object_get(flows, "store"));
}

void metrics_of_control(struct metrics *metrics, const struct agent *agent)
{
	_cleanup_json_ json_t *control = control_server_describe(agent->control);

	metrics_member(metrics, "segd_api_connections", METRICS_GAUGE,
		"Open connections to the agent's socket.", control, "connections");
	metrics_member(metrics, "segd_api_streams", METRICS_GAUGE,
		"Streams of records or packets that somebody reads.", control, "streams");
	metrics_member(metrics, "segd_api_requests_total", METRICS_COUNTER,
		"Requests to the agent's socket.", control, "requests");
	metrics_member(metrics, "segd_api_refused_peers_total", METRICS_COUNTER,
		"Connections of who has no rights.", control, "refused_peers");
	metrics_member(metrics, "segd_api_turned_away_total", METRICS_COUNTER,
		"Connections, requests and streams beyond a bound.", control, "turned_away");
	metrics_member(metrics, "segd_stream_lost_total", METRICS_COUNTER,
		"Lines that subscribers were too slow for; gap lines say so.", control,
		"lines_lost");
}
