/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "api.h"

#include "base/cleanup.h"
#include "base/clock.h"
#include "json.h"
#include "quarantine.h"

#include <errno.h>
#include <pwd.h>
#include <string.h>

#define SECONDS_MAX (366LL * 24 * 60 * 60)

/* --- reading ------------------------------------------------------------------------------------
 */

/* Who is affected, and whether anything judges their packets. */
static json_t *affected(
	const struct agent *agent, const struct quarantine *quarantine, bool *ret_enforced)
{
	json_t *workloads = json_array();

	*ret_enforced = false;
	for (size_t i = 0; i < registry_count(agent->registry); i++) {
		const struct workload *workload = registry_at(agent->registry, i);

		if (quarantine_of(agent, workload) != quarantine)
			continue;
		*ret_enforced |= api_workload_is_enforced(agent, workload);
		json_array_append_new(
			workloads, json_pack("{s:s, s:s, s:s}", "namespace", workload->namespace,
					   "name", workload->name, "id", workload->id));
	}
	return workloads;
}

static json_t *quarantine_to_json(const struct agent *agent, const struct quarantine *quarantine)
{
	const struct document *document = quarantine->document;
	const uint64_t now_ns = clock_ns(CLOCK_REALTIME);
	bool enforced;
	json_t *workloads = affected(agent, quarantine, &enforced);
	const char *state = enforced                     ? "isolated"
			    : json_array_size(workloads) ? "unenforced"
							 : "waiting";
	json_t *left = quarantine->until_ns > now_ns
			       ? json_real((double)(quarantine->until_ns - now_ns) / NS_PER_SECOND)
			       : json_null();

	return json_pack("{s:s, s:s, s:s, s:o, s:s, s:o, s:{s:s, s:I}, s:s, s:o, s:o, s:o, s:s}",
		"namespace", document->namespace, "name", document->name, "state", state,
		"workloads", workloads, "reason", document->reason, "allow",
		quarantine_allow(quarantine), "by", "user", quarantine->user, "uid",
		(json_int_t)quarantine->uid, "origin", quarantine_origin_name(quarantine->origin),
		"since", json_from_time(quarantine->since_ns), "until",
		json_from_time(quarantine->until_ns), "seconds_left", left, "text", document->text);
}

void api_quarantine_list(struct control_request *request, void *userdata)
{
	const struct agent *agent = userdata;
	const struct quarantine_list *list = quarantines_list(agent);
	json_t *quarantines = json_array();

	for (size_t i = 0; i < list->count; i++)
		json_array_append_new(quarantines, quarantine_to_json(agent, &list->items[i]));
	control_reply(request, 200,
		json_pack("{s:o, s:{s:i, s:i}}", "quarantines", quarantines, "automatic", "used",
			(int)quarantine_list_count(list, QUARANTINE_DETECTOR), "limit",
			(int)agent->options->automatic_quarantines));
}

json_t *api_quarantine_summary(const struct agent *agent)
{
	const struct quarantine_list *list = quarantines_list(agent);
	json_t *summary = json_array();

	for (size_t i = 0; i < list->count; i++) {
		_cleanup_json_ json_t *whole = quarantine_to_json(agent, &list->items[i]);

		json_array_append_new(summary, json_pack("{s:O, s:O, s:O, s:O, s:O}", "namespace",
						       json_object_get(whole, "namespace"), "name",
						       json_object_get(whole, "name"), "state",
						       json_object_get(whole, "state"), "reason",
						       json_object_get(whole, "reason"), "until",
						       json_object_get(whole, "until")));
	}
	return summary;
}

json_t *api_quarantine_of(const struct agent *agent, const struct workload *workload)
{
	const struct quarantine *quarantine = quarantine_of(agent, workload);

	if (!quarantine)
		return json_null();
	return json_pack("{s:s, s:s, s:s, s:o, s:o}", "namespace", quarantine->document->namespace,
		"name", quarantine->document->name, "reason", quarantine->document->reason, "since",
		json_from_time(quarantine->since_ns), "until",
		json_from_time(quarantine->until_ns));
}

json_t *api_quarantine_mark(const struct agent *agent, json_t *map)
{
	const json_t *nodes = json_object_get(map, "nodes");
	json_t *node;
	size_t i;

	json_array_foreach (nodes, i, node) {
		const char *id = json_string_value(json_object_get(node, "id"));
		const struct workload *workload;
		bool ambiguous;

		if (!quarantines_list(agent)->count || !id || !strchr(id, '/'))
			continue;
		workload = registry_find(agent->registry, id, &ambiguous);
		if (workload && quarantine_of(agent, workload))
			json_object_set_new(node, "quarantined", json_true());
	}
	return map;
}

/* --- changing -----------------------------------------------------------------------------------
 */

/* A name of its own for each way to fail. */
static int status_of(int error)
{
	switch (error) {
	case -ENOENT:
		return 404;
	case -EEXIST:
	case -EOPNOTSUPP:
		return 409;
	case -EINVAL:
		return 422;
	case -EDQUOT:
	case -ENOSPC:
		return 429;
	default:
		return 500;
	}
}

char *api_user_name(uint32_t uid)
{
	char buffer[4096], *name = NULL;
	struct passwd entry, *found = NULL;

	if (!getpwuid_r(uid, &entry, buffer, sizeof(buffer), &found) && found)
		return strdup(found->pw_name);
	return asprintf(&name, "%u", (unsigned int)uid) < 0 ? NULL : name;
}

/* Splits the name of a workload: of one that runs, or namespace/name of one that will. -EEXIST:
 * several are called so. */
static int resolve(const struct agent *agent, const char *reference, char **ret_namespace,
	char **ret_name, struct error *error)
{
	const char *slash = strchr(reference, '/');
	const struct workload *workload;
	bool ambiguous;

	workload = registry_find(agent->registry, reference, &ambiguous);
	if (ambiguous)
		return error_set(error, -EEXIST,
			"several workloads are called %s: say namespace/name", reference);
	if (!workload && (!slash || slash == reference || !slash[1]))
		return error_set(error, -ENOENT,
			"no workload is called %s; say namespace/name for one that does not run yet",
			reference);
	*ret_namespace = workload ? strdup(workload->namespace)
				  : strndup(reference, (size_t)(slash - reference));
	*ret_name = strdup(workload ? workload->name : slash + 1);
	return *ret_namespace && *ret_name ? 0 : error_nomem(error);
}

struct wish {
	const char *workload;
	const char *reason;
	const char *origin;
	json_int_t seconds;
	json_t *allow;
};

static int parse_wish(const json_t *body, struct wish *wish, struct quarantine_request *request,
	struct error *error)
{
	json_error_t problem;

	if (json_unpack_ex((json_t *)body, &problem, JSON_STRICT, "{s:s, s:s, s?:s, s?:I, s?:o}",
		    "workload", &wish->workload, "reason", &wish->reason, "origin", &wish->origin,
		    "seconds", &wish->seconds, "allow", &wish->allow) < 0)
		return error_set(error, -EINVAL, "%s", problem.text);
	if (wish->seconds < 0 || wish->seconds > SECONDS_MAX)
		return error_set(error, -EINVAL, "seconds: expected 1 to %lld", SECONDS_MAX);
	if (wish->origin && quarantine_origin_parse(wish->origin, &request->origin) < 0)
		return error_set(error, -EINVAL, "origin: expected manual or detector");
	request->reason = wish->reason;
	request->allow = wish->allow;
	request->duration_ns = (uint64_t)wish->seconds * NS_PER_SECOND;
	return 0;
}

static int add(struct agent *agent, struct control_request *request, const json_t *body,
	const struct quarantine **ret, struct error *error)
{
	_cleanup_free_ char *namespace = NULL, *name = NULL, *user = NULL;
	struct quarantine_request wanted = {0};
	struct wish wish = {0};
	int r = parse_wish(body, &wish, &wanted, error);

	if (r == 0)
		r = control_peer(request, &wanted.uid);
	if (r == 0)
		r = resolve(agent, wish.workload, &namespace, &name, error);
	if (r < 0)
		return r;
	user = api_user_name(wanted.uid);
	if (!user)
		return error_nomem(error);
	wanted.namespace = namespace;
	wanted.name = name;
	wanted.user = user;
	r = quarantine_add(agent, &wanted, error);
	if (r < 0)
		return r;
	*ret = quarantine_list_find(quarantines_list(agent), namespace, name);
	return 0;
}

void api_quarantine_add(struct control_request *request, void *userdata)
{
	uint64_t start_ns = clock_ns(CLOCK_MONOTONIC);
	_cleanup_error_ struct error error = ERROR_INIT;
	const struct quarantine *quarantine = NULL;
	_cleanup_json_ json_t *body = NULL;
	struct agent *agent = userdata;
	json_error_t problem;
	const char *text;
	size_t size;
	int r;

	text = control_body(request, &size);
	body = json_loadb(text, size, JSON_REJECT_DUPLICATES, &problem);
	if (!body) {
		control_reply_error(request, 400, "%s", problem.text);
		return;
	}
	r = add(agent, request, body, &quarantine, &error);
	if (r < 0)
		control_reply_error(request, status_of(r), "%s", error_message(&error));
	else
		control_reply(request, 200,
			json_pack("{s:o, s:I, s:f}", "quarantine",
				quarantine_to_json(agent, quarantine), "generation",
				(json_int_t)agent->generation, "milliseconds",
				(double)(clock_ns(CLOCK_MONOTONIC) - start_ns) / 1e6));
}

/* By its workload's name or, where that is the only one, without namespace. */
static const struct quarantine *find(
	const struct agent *agent, const char *reference, bool *ret_ambiguous)
{
	const struct quarantine_list *list = quarantines_list(agent);
	const struct quarantine *found = NULL;
	const struct workload *workload;

	*ret_ambiguous = false;
	for (size_t i = 0; i < list->count; i++) {
		if (!document_is_called(list->items[i].document, reference))
			continue;
		*ret_ambiguous |= found != NULL;
		found = &list->items[i];
	}
	if (found || *ret_ambiguous)
		return *ret_ambiguous ? NULL : found;
	/* By its id, or by the name that it has now. */
	workload = registry_find(agent->registry, reference, ret_ambiguous);
	return workload ? quarantine_of(agent, workload) : NULL;
}

void api_quarantine_remove(struct control_request *request, void *userdata)
{
	const char *reference = control_parameter(request, "name");
	_cleanup_error_ struct error error = ERROR_INIT;
	_cleanup_json_ json_t *removed = NULL;
	const struct quarantine *quarantine;
	struct agent *agent = userdata;
	bool ambiguous;
	int r;

	quarantine = find(agent, reference, &ambiguous);
	if (!quarantine) {
		control_reply_error(request, ambiguous ? 409 : 404,
			ambiguous ? "several workloads are called %s: say namespace/name"
				  : "%s is not in quarantine",
			reference);
		return;
	}
	removed = quarantine_to_json(agent, quarantine);
	r = quarantine_remove(agent, json_string_value(json_object_get(removed, "namespace")),
		json_string_value(json_object_get(removed, "name")), &error);
	if (r < 0)
		control_reply_error(request, status_of(r), "%s", error_message(&error));
	else
		control_reply(request, 200,
			json_pack("{s:O, s:I}", "removed", removed, "generation",
				(json_int_t)agent->generation));
}
