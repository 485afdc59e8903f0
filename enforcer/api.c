/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "api.h"

#include "base/cleanup.h"

static const struct control_route routes[] = {
	{"GET", "/v1/status", CONTROL_READ, api_status},
	{"GET", "/v1/doctor", CONTROL_READ, api_doctor},
	{"GET", "/v1/dataplane/{table}", CONTROL_READ, api_dataplane},
	{"GET", "/metrics", CONTROL_READ, api_metrics},
	{"GET", "/v1/workloads", CONTROL_READ, api_workloads},
	{"GET", "/v1/inspect/workload/{name}", CONTROL_READ, api_inspect_workload},
	{"GET", "/v1/inspect/policy/{name}", CONTROL_READ, api_inspect_policy},
	{"GET", "/v1/policies", CONTROL_READ, api_policies_get},
	{"POST", "/v1/policies", CONTROL_CHANGE, api_policies_apply},
	{"POST", "/v1/policies/confirm", CONTROL_CHANGE, api_policies_confirm},
	{"DELETE", "/v1/policies/{kind}/{namespace}/{name}", CONTROL_CHANGE, api_policies_delete},
	{"POST", "/v1/deny-lists/reload", CONTROL_CHANGE, api_deny_lists_reload},
	{"GET", "/v1/quarantine", CONTROL_READ, api_quarantine_list},
	{"POST", "/v1/quarantine", CONTROL_CHANGE, api_quarantine_add},
	{"DELETE", "/v1/quarantine/{name}", CONTROL_CHANGE, api_quarantine_remove},
	{"GET", "/v1/flows", CONTROL_READ, api_flows},
	{"GET", "/v1/denied", CONTROL_READ, api_denied},
	{"GET", "/v1/map", CONTROL_READ, api_map},
	{"GET", "/v1/alerts", CONTROL_READ, api_alerts},
	{"GET", "/v1/alerts/{id}", CONTROL_READ, api_alert},
	{"POST", "/v1/alerts/{id}/acknowledge", CONTROL_CHANGE, api_alert_acknowledge},
	{"GET", "/v1/mutes", CONTROL_READ, api_mutes},
	{"POST", "/v1/mutes", CONTROL_CHANGE, api_mutes_add},
	{"DELETE", "/v1/mutes/{id}", CONTROL_CHANGE, api_mutes_remove},
	{"GET", "/v1/baseline", CONTROL_READ, api_baseline},
	{"DELETE", "/v1/baseline", CONTROL_CHANGE, api_baseline_forget},
	{"GET", "/v1/incidents", CONTROL_READ, api_incidents},
	{"GET", "/v1/incidents/{id}", CONTROL_READ, api_incident},
	{"GET", "/v1/detectors", CONTROL_READ, api_detectors},
	{"POST", "/v1/capture", CONTROL_CHANGE, api_capture},
};

/* Whoever connects there may read it, and nothing else. */
static int open_metrics(struct agent *agent, struct error *error)
{
	static const struct control_route route = {"GET", "/metrics", CONTROL_READ, api_metrics};
	const struct control_options options = {
		.tcp_address = agent->options->metrics_listen,
		.routes = &route,
		.routes_count = 1,
		.userdata = agent,
	};
	int r;

	if (!options.tcp_address)
		return 0;
	r = control_server_new(&options, agent->event, &agent->metrics, error);
	return r < 0 ? error_context(error, r, "--metrics-listen") : 0;
}

int api_open(struct agent *agent, struct error *error)
{
	const struct control_options options = {
		.socket_path = agent->options->socket_path,
		.routes = routes,
		.routes_count = ARRAY_SIZE(routes),
		.userdata = agent,
	};

	int r = open_metrics(agent, error);

	return r < 0 ? r : control_server_new(&options, agent->event, &agent->control, error);
}
