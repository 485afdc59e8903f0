/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "api.h"

#include "base/cleanup.h"
#include "base/clock.h"
#include "confirm.h"
#include "json.h"
#include "policies/diagnostic.h"
#include "policies/subject.h"
#include "reconcile.h"

#include <errno.h>
#include <string.h>

#define _cleanup_documents_ __attribute__((cleanup(documents_clear)))

/* --- reading ------------------------------------------------------------------------------------
 */

static json_t *subjects_to_json(const struct agent *agent, const struct document *document)
{
	json_t *subjects = json_array();

	if (document->policy->host)
		json_array_append_new(subjects, json_pack("{s:s}", "entity", "host"));
	for (size_t i = 0; i < agent->model->workloads_count; i++) {
		const struct model_workload *workload = &agent->model->workloads[i];

		if (policy_selects(document->policy, agent->model, workload))
			json_array_append_new(
				subjects, json_pack("{s:s, s:s}", "namespace", workload->namespace,
						  "name", workload->name));
	}
	return subjects;
}

static json_t *policy_to_json(const struct agent *agent, const struct document *document)
{
	json_t *policy = json_from_document(document);
	json_t *subjects;

	json_object_set_new(policy, "text", json_string(document->text));
	if (!document_is_policy(document))
		return policy;
	subjects = subjects_to_json(agent, document);
	json_object_set_new(
		policy, "subjects", json_integer((json_int_t)json_array_size(subjects)));
	json_decref(subjects);
	return policy;
}

void api_policies_get(struct control_request *request, void *userdata)
{
	struct agent *agent = userdata;
	json_t *policies = json_array();

	for (size_t i = 0; i < agent->documents.count; i++)
		json_array_append_new(policies, policy_to_json(agent, agent->documents.items[i]));
	control_reply(request, 200, json_pack("{s:o}", "policies", policies));
}

static json_t *rules_of(const struct agent *agent, const struct document *document)
{
	json_t *rules = json_array();

	for (size_t i = 0; i < agent->ir->rules_count; i++) {
		const struct ir_rule *rule = &agent->ir->rules[i];
		_cleanup_json_ json_t *shared = NULL;
		json_t *json;

		if (rule->document != document)
			continue;
		shared = rule_table_json(agent->rules, rule->id);
		json = json_copy(shared);
		json_object_set_new(
			json, "direction", json_string(direction_name(rule->direction)));
		json_object_set_new(json, "verdict", json_string(verdict_name(rule->verdict)));
		json_object_set_new(json, "line", json_integer(rule->line));
		json_object_set_new(json, "hits",
			json_integer((json_int_t)rule_table_hits(agent->rules, rule->id)));
		json_array_append_new(rules, json);
	}
	return rules;
}

void api_inspect_policy(struct control_request *request, void *userdata)
{
	struct agent *agent = userdata;
	const char *name = control_parameter(request, "name");
	json_t *policies = json_array();

	agent_count_hits(agent);
	for (size_t i = 0; i < agent->documents.count; i++) {
		const struct document *document = agent->documents.items[i];
		json_t *policy;

		if (!document_is_policy(document) || !document_is_called(document, name))
			continue;
		policy = policy_to_json(agent, document);
		json_object_set_new(policy, "subjects", subjects_to_json(agent, document));
		json_object_set_new(policy, "rules", rules_of(agent, document));
		json_array_append_new(policies, policy);
	}
	if (!json_array_size(policies)) {
		json_decref(policies);
		control_reply_error(request, 404, "no policy is called %s", name);
		return;
	}
	control_reply(request, 200, json_pack("{s:o}", "policies", policies));
}

/* --- applying -----------------------------------------------------------------------------------
 */

static json_t *diagnostics_to_json(const struct diagnostics *diagnostics)
{
	json_t *list = json_array();

	for (size_t i = 0; i < diagnostics->count; i++) {
		const struct diagnostic *item = &diagnostics->items[i];

		json_array_append_new(list,
			json_pack("{s:s, s:s, s:s, s:i, s:i, s:s}", "severity",
				item->severity == DIAGNOSTIC_ERROR ? "error" : "warning", "code",
				item->code, "file", item->location.file ? item->location.file : "",
				"line", (int)item->location.line, "column",
				(int)item->location.column, "message", item->message));
	}
	return list;
}

/* Pods describe workloads offline, and PolicyTests are read there; the agent has the real ones. */
static void leave_out_the_rest(struct document_list *list, struct diagnostics *diagnostics)
{
	size_t kept = 0;

	for (size_t i = 0; i < list->count; i++) {
		struct document *document = list->items[i];
		struct location location = {.file = document->file, .line = document->line};

		if (document_is_applied(document)) {
			list->items[kept++] = document;
			continue;
		}
		location.column = 1;
		diagnostics_add(diagnostics, DIAGNOSTIC_WARNING, "not-applied", location,
			"%s %s%s%s is left out: %s", document_kind_name(document->kind),
			document->namespace, *document->namespace ? "/" : "", document->name,
			document->kind == DOCUMENT_POLICY_TEST
				? "it is for segctl policy test"
				: "the agent knows what really runs");
		document_release(document);
	}
	list->count = kept;
}

static const char *change_of(const struct agent *agent, const struct document *document)
{
	const struct document *former = documents_find(
		&agent->documents, document->kind, document->namespace, document->name);

	if (!former)
		return "created";
	return strcmp(former->text, document->text) ? "changed" : "unchanged";
}

static json_t *changes_to_json(const struct agent *agent, const struct document_list *list)
{
	json_t *changes = json_array();

	for (size_t i = 0; i < list->count; i++) {
		json_t *change = json_from_document(list->items[i]);

		json_object_set_new(
			change, "change", json_string(change_of(agent, list->items[i])));
		json_array_append_new(changes, change);
	}
	return changes;
}

static void reply_refused(
	struct control_request *request, const char *message, const struct diagnostics *diagnostics)
{
	control_reply(request, 422,
		json_pack("{s:{s:s}, s:o}", "error", "message", message, "diagnostics",
			diagnostics_to_json(diagnostics)));
}

static bool is_set(const struct control_request *request, const char *name)
{
	const char *value = control_parameter(request, name);

	return value && strcmp(value, "0") && strcmp(value, "false");
}

static json_t *outcome(const struct agent *agent, json_t *changes, uint64_t start_ns)
{
	return json_pack("{s:o, s:I, s:i, s:f}", "applied", changes, "generation",
		(json_int_t)agent->generation, "workloads", (int)registry_count(agent->registry),
		"milliseconds", (double)(clock_ns(CLOCK_MONOTONIC) - start_ns) / 1e6);
}

#define UNDECIDED                                                                          \
	"an apply waits for its confirmation; first say segctl policy confirm, or segctl " \
	"policy confirm --revert"

/* 0: at once and for good. -1: that is no time. */
static long probation_of(const struct control_request *request)
{
	const char *text = control_parameter(request, "confirm");
	char *end;
	long seconds;

	if (!text)
		return 0;
	errno = 0;
	seconds = strtol(text, &end, 10);
	return errno || end == text || *end || seconds < 1 || seconds > CONFIRM_SECONDS_MAX
		       ? -1
		       : seconds;
}

static int change(struct control_request *request, struct agent *agent,
	const struct document_list *documents, uint32_t probation, struct error *error)
{
	if (is_set(request, "dry_run"))
		return agent_check(agent, documents, error);
	return probation ? confirm_apply(agent, documents, probation, error)
			 : agent_reconcile(agent, documents, error);
}

/* In force, but not on disk, is no small difference. */
static void reply_failed(
	struct control_request *request, int code, const char *undone, const struct error *error)
{
	if (code == -ESTALE)
		control_reply_error(request, 500, "%s", error_message(error));
	else
		control_reply_error(request, 500, "%s: %s", undone, error_message(error));
}

static void apply(struct control_request *request, struct agent *agent,
	const struct document_list *given, const struct diagnostics *diagnostics)
{
	_cleanup_documents_ struct document_list merged = {0};
	_cleanup_error_ struct error error = ERROR_INIT;
	uint64_t start_ns = clock_ns(CLOCK_MONOTONIC);
	long probation = probation_of(request);
	json_t *changes, *reply;
	int r;

	if (probation < 0) {
		control_reply_error(
			request, 400, "confirm: expected seconds, 1 to %d", CONFIRM_SECONDS_MAX);
		return;
	}
	if (confirm_is_open(agent) && !is_set(request, "dry_run")) {
		control_reply_error(request, 409, UNDECIDED);
		return;
	}
	changes = changes_to_json(agent, given);
	if (documents_copy(&agent->documents, &merged) < 0 || documents_merge(&merged, given) < 0)
		r = error_nomem(&error);
	else
		r = change(request, agent, &merged, (uint32_t)probation, &error);
	if (r < 0) {
		json_decref(changes);
		reply_failed(request, r, "nothing was applied", &error);
		return;
	}
	reply = outcome(agent, changes, start_ns);
	json_object_set_new(reply, "confirm", confirm_describe(agent));
	json_object_set_new(reply, "diagnostics", diagnostics_to_json(diagnostics));
	control_reply(request, 200, reply);
}

/* {"files": [{"name", "text"}…]}: as many of them as can be read, and all mistakes. -EBADMSG: it is
 * no such object. */
static int parse_files(
	struct document_list *given, const char *body, size_t size, struct diagnostics *diagnostics)
{
	_cleanup_json_ json_t *root = json_loadb(body, size, 0, NULL);
	json_t *files = json_object_get(root, "files"), *file;
	int result = 0;
	size_t i;

	if (!json_is_array(files))
		return -EBADMSG;
	json_array_foreach (files, i, file) {
		const char *name, *text;
		size_t length;
		int r;

		if (json_unpack(file, "{s:s, s:s%}", "name", &name, "text", &text, &length) < 0)
			return -EBADMSG;
		r = documents_parse(given, name, text, length, diagnostics);
		result = result ? result : r;
	}
	return result;
}

static int parse_body(struct control_request *request, struct document_list *given,
	struct diagnostics *diagnostics)
{
	const char *file = control_parameter(request, "file");
	size_t size;
	const char *body = control_body(request, &size);

	return is_set(request, "files")
		       ? parse_files(given, body, size, diagnostics)
		       : documents_parse(given, file ? file : "request", body, size, diagnostics);
}

void api_policies_apply(struct control_request *request, void *userdata)
{
	struct agent *agent = userdata;
	_cleanup_documents_ struct document_list given = {0};
	struct diagnostics diagnostics = DIAGNOSTICS_INIT;
	int r = parse_body(request, &given, &diagnostics);

	if (r >= 0)
		r = documents_check_unique(&given, &diagnostics);
	if (r >= 0)
		leave_out_the_rest(&given, &diagnostics);
	diagnostics_sort(&diagnostics);
	if (r == -EBADMSG)
		control_reply_error(request, 400,
			"files: expected {\"files\": [{\"name\": \"…\", \"text\": \"…\"}…]}");
	else if (r < 0)
		reply_refused(
			request, "the policies were refused; nothing was applied", &diagnostics);
	else
		apply(request, agent, &given, &diagnostics);
	diagnostics_clear(&diagnostics);
}

void api_policies_confirm(struct control_request *request, void *userdata)
{
	struct agent *agent = userdata;
	_cleanup_error_ struct error error = ERROR_INIT;
	bool keep = !is_set(request, "revert");
	int r = confirm_decide(agent, keep, &error);

	if (r < 0)
		control_reply_error(request, r == -ENOENT ? 409 : 500, "%s", error_message(&error));
	else
		control_reply(request, 200,
			json_pack("{s:b, s:I}", "kept", (int)keep, "generation",
				(json_int_t)agent->generation));
}

/* --- deleting -----------------------------------------------------------------------------------
 */

void api_policies_delete(struct control_request *request, void *userdata)
{
	struct agent *agent = userdata;
	_cleanup_documents_ struct document_list rest = {0};
	_cleanup_error_ struct error error = ERROR_INIT;
	const char *kind_text = control_parameter(request, "kind");
	const char *of_namespace = control_parameter(request, "namespace");
	const char *name = control_parameter(request, "name");
	const struct document *former;
	enum document_kind kind;
	json_t *deleted;
	int r;

	if (!strcmp(of_namespace, "-"))
		of_namespace = "";
	if (document_kind_parse(kind_text, &kind) < 0) {
		control_reply_error(request, 400, "'%s' is no kind of document", kind_text);
		return;
	}
	if (confirm_is_open(agent)) {
		control_reply_error(request, 409, UNDECIDED);
		return;
	}
	former = documents_find(&agent->documents, kind, of_namespace, name);
	if (!former) {
		control_reply_error(request, 404, "no %s is called %s%s%s",
			document_kind_name(kind), of_namespace, *of_namespace ? "/" : "", name);
		return;
	}
	deleted = json_from_document(former);
	if (documents_copy(&agent->documents, &rest) < 0 ||
		documents_remove(&rest, kind, of_namespace, name) < 0)
		r = error_nomem(&error);
	else
		r = agent_reconcile(agent, &rest, &error);
	if (r < 0) {
		json_decref(deleted);
		reply_failed(request, r, "nothing was deleted", &error);
		return;
	}
	control_reply(request, 200,
		json_pack("{s:o, s:I}", "deleted", deleted, "generation",
			(json_int_t)agent->generation));
}
