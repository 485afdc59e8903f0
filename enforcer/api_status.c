/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "api.h"

#include "confirm.h"

#include "base/clock.h"
#include "json.h"
#include "observation.h"

static json_t *sources_to_json(const struct agent *agent)
{
	json_t *sources = json_array();

	for (size_t i = 0; i < agent->sources_count; i++) {
		const struct agent_source *source = &agent->sources[i];

		json_array_append_new(
			sources, json_pack("{s:s, s:b, s:s?}", "name", source->ops->name, "healthy",
					 source->healthy, "message", source->message));
	}
	return sources;
}

static const char *posture_name(enum posture posture)
{
	static const char *const names[] = {
		[POSTURE_ALLOW] = "allow", [POSTURE_DENY] = "deny", [POSTURE_AUDIT] = "audit"};

	return names[posture];
}

static json_t *stages_to_json(const struct laps *laps)
{
	json_t *stages = json_object();

	for (size_t i = 0; i < laps->count; i++)
		json_object_set_new(
			stages, laps->items[i].name, json_real((double)laps->items[i].ns / 1e6));
	return stages;
}

static size_t count_policies(const struct agent *agent)
{
	size_t count = 0;

	for (size_t i = 0; i < agent->documents.count; i++)
		count += document_is_policy(agent->documents.items[i]);
	return count;
}

/* What keeps from being in force what was asked for: policies first. */
static json_t *last_error(const struct agent *agent)
{
	const char *unread = xdp_deny_lists_problem(agent->early);

	if (agent->last_error)
		return json_string(agent->last_error);
	return unread ? json_sprintf("the former deny lists stay in force: %s", unread)
		      : json_null();
}

json_t *api_status_json(struct agent *agent)
{
	double milliseconds = (double)agent->reconcile_duration_ns / 1e6;
	json_t *status = json_pack("{s:s, s:s, s:s, s:I, s:o, s:s, s:i, s:i}", "version",
		SEGD_VERSION, "node", agent->options->node, "dataplane", agent->plane_ops->name,
		"generation", (json_int_t)agent->generation, "started",
		json_from_time(agent->started_ns), "posture",
		posture_name(agent->options->policy.posture), "workloads",
		(int)registry_count(agent->registry), "policies", (int)count_policies(agent));
	json_t *reconcile =
		json_pack("{s:o, s:f, s:o}", "time", json_from_time(agent->reconciled_ns),
			"milliseconds", milliseconds, "stages", stages_to_json(&agent->laps));
	json_t *host = NULL, *lock = NULL;
	json_t *plane = api_describe_plane(agent, &host, &lock);

	json_object_set_new(
		status, "restrict_node", json_boolean(agent->options->policy.restrict_node));
	json_object_set_new(status, "troubles", troubles_to_json(&agent->troubles));
	json_object_set_new(status, "sources", sources_to_json(agent));
	json_object_set_new(status, "last_error", last_error(agent));
	json_object_set_new(
		status, "unstored", agent->unstored ? json_string(agent->unstored) : json_null());
	json_object_set_new(status, "last_reconcile", reconcile);
	json_object_set_new(status, "confirm", confirm_describe(agent));
	json_object_set_new(status, "host", host);
	json_object_set_new(status, "second_lock", lock);
	json_object_set_new(status, "quarantined", api_quarantine_summary(agent));
	json_object_set_new(status, "plane", plane);
	json_object_set_new(status, "flows", flow_describe(agent->flows));
	json_object_set_new(status, "observed", observation_describe(agent));
	return status;
}

void api_status(struct control_request *request, void *userdata)
{
	control_reply(request, 200, api_status_json(userdata));
}
