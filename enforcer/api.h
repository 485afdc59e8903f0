/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What segctl and curl ask the agent: the handlers behind control/API.md. userdata is the agent. */
#pragma once

#include "agent.h"

/* Opens the control socket with all routes. */
int api_open(struct agent *agent, struct error *error);

/* The data plane's description, with the refusals of early dropping, of the node's own table and of
 * the second lock in its counters; NULL: out of memory. ret_host and ret_lock may be NULL. New
 * references. */
json_t *api_describe_plane(struct agent *agent, json_t **ret_host, json_t **ret_lock);

void api_status(struct control_request *request, void *userdata);
/* What it answers. New reference; NULL: out of memory. */
json_t *api_status_json(struct agent *agent);
void api_doctor(struct control_request *request, void *userdata);
void api_dataplane(struct control_request *request, void *userdata);
void api_metrics(struct control_request *request, void *userdata);
void api_workloads(struct control_request *request, void *userdata);
void api_inspect_workload(struct control_request *request, void *userdata);
void api_inspect_policy(struct control_request *request, void *userdata);
void api_policies_get(struct control_request *request, void *userdata);
void api_policies_apply(struct control_request *request, void *userdata);
void api_policies_confirm(struct control_request *request, void *userdata);
void api_policies_delete(struct control_request *request, void *userdata);
void api_deny_lists_reload(struct control_request *request, void *userdata);
void api_quarantine_list(struct control_request *request, void *userdata);
void api_quarantine_add(struct control_request *request, void *userdata);
void api_quarantine_remove(struct control_request *request, void *userdata);
void api_flows(struct control_request *request, void *userdata);
void api_denied(struct control_request *request, void *userdata);
void api_map(struct control_request *request, void *userdata);
void api_alerts(struct control_request *request, void *userdata);
void api_alert(struct control_request *request, void *userdata);
void api_incidents(struct control_request *request, void *userdata);
void api_incident(struct control_request *request, void *userdata);
void api_alert_acknowledge(struct control_request *request, void *userdata);
void api_mutes(struct control_request *request, void *userdata);
void api_mutes_add(struct control_request *request, void *userdata);
void api_mutes_remove(struct control_request *request, void *userdata);
void api_baseline(struct control_request *request, void *userdata);
void api_baseline_forget(struct control_request *request, void *userdata);
void api_detectors(struct control_request *request, void *userdata);

/* What detection adds to a page of metrics. */
struct metrics;
void api_metrics_detection(struct metrics *metrics, const struct agent *agent);

/* "alice", or the number of one whom nobody named. New string; NULL: out of memory. */
char *api_user_name(uint32_t uid);
void api_capture(struct control_request *request, void *userdata);

/* Something judges its packets. */
bool api_workload_is_enforced(const struct agent *agent, const struct workload *workload);
/* What other answers say of quarantines: all of them, and a workload's own or null. New references.
 */
json_t *api_quarantine_summary(const struct agent *agent);
/* Adds "quarantined": true to each of a map's nodes that is. Returns map. */
json_t *api_quarantine_mark(const struct agent *agent, json_t *map);
json_t *api_quarantine_of(const struct agent *agent, const struct workload *workload);
