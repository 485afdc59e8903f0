/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "denied_suggest.h"

#include "client.h"
#include "clock.h"
#include "denied_fold.h"
#include "denied_nearest.h"
#include "offline.h"
#include "output.h"
#include "policies/array.h"
#include "policies/policy.h"
#include "record.h"
#include "suggest_policy.h"
#include "text.h"
#include "trace_near_miss.h"

#include <errno.h>
#include <string.h>

#define RULE_TEXT_MAX 512
#define PROBLEMS_MAX  20 /* lines about what is not suggested */

struct suggestion {
	const struct settings *settings;
	struct offline offline;
	json_t *policies;           /* see suggest_policy.h */
	json_t *problems;           /* lines of comment, each once */
	struct flow_query *queries; /* that the policies must allow */
	size_t queries_count;
};

static void add_problem(struct suggestion *suggestion, const char *what, char *why)
{
	_cleanup_free_ char *line = text_format("%s: %s", what, why);

	json_object_set_new(suggestion->problems, line, json_true());
	free(why);
}

/* "shop/web -> shop/db tcp/5432, 12 packets, last at 10:00:05" */
static char *describe(const struct suggestion *suggestion, const json_t *refusal)
{
	_cleanup_free_ char *from = record_end_full(json_object_get(refusal, "source"));
	_cleanup_free_ char *to = record_end_full(json_object_get(refusal, "destination"));
	_cleanup_free_ char *port = record_port(refusal);
	_cleanup_free_ char *packets =
		output_plural(field_sum(refusal, "packets"), "packet", "packets");
	_cleanup_free_ char *last =
		clock_format_moment(suggestion->settings, field_text(refusal, "end"));

	return text_format("%s -> %s %s, %s, last at %s", from, to, port, packets, last);
}

/* --- who they are -------------------------------------------------------------------------------
 */

struct party {
	const struct model_workload *workload;
	bool host;
	struct suggest_role role;
};

static bool is_host_address(const struct model *model, const struct address *address)
{
	for (size_t i = 0; i < model->host_addresses_count; i++)
		if (address_equal(&model->host_addresses[i], address))
			return true;
	return false;
}

/* The workload may have another address by now, and its address another workload. False: it does
 * not run here any more. */
static bool find_party(const struct suggestion *suggestion, const json_t *end,
	struct address *address, struct party *ret)
{
	const struct model *model = suggestion->offline.model;
	const char *name = field_text(end, "workload"), *namespace = field_text(end, "namespace");
	struct party party = {.workload = model_find_address(model, address)};

	if (*name) {
		const struct model_workload *named = model_find_workload(model, namespace, name);
		bool is_ipv4 = address_is_ipv4(address);

		if (!named || !named->addresses_count)
			return false;
		for (size_t i = 0; named != party.workload && i < named->addresses_count; i++)
			if (address_is_ipv4(&named->addresses[i]) == is_ipv4)
				*address = named->addresses[i];
		party.workload = named;
	}
	party.host = !party.workload && (strcmp(field_text(end, "entity"), "host") == 0 ||
						is_host_address(model, address));
	suggest_role_find(model, party.workload, party.host, address, &party.role);
	*ret = party;
	return true;
}

/* --- what stands in the way ---------------------------------------------------------------------
 */

static const struct decision *decision_of(
	const struct evaluation *evaluation, enum direction direction)
{
	return direction == DIRECTION_EGRESS ? &evaluation->egress : &evaluation->ingress;
}

static const struct ir_rule *rule_of(
	const struct suggestion *suggestion, const struct decision *decision)
{
	return &suggestion->offline.ir->rules[decision->rule];
}

/* Why no allow rule would help; NULL: one would. New string. */
static char *obstacle(const struct suggestion *suggestion, const struct decision *decision)
{
	const struct ir_rule *rule = rule_of(suggestion, decision);
	char text[RULE_TEXT_MAX];

	ir_rule_format(rule, text, sizeof(text));
	switch (rule->tier) {
	case TIER_QUARANTINE:
		return text_format(
			"%s, which is above all policies (segctl quarantine remove)", text);
	case TIER_ADMIN:
		return text_format("%s denies it in the admin tier, which no suggestion can "
				   "overrule: that rule would have to change",
			text);
	case TIER_APPLICATION:
		if (rule->index < 0)
			return NULL;
		return text_format("%s denies it, and deny beats allow inside the tier: that rule "
				   "would have to change",
			text);
	case TIER_NONE:
	case TIER_BASELINE:
		break;
	}
	return NULL;
}

/*
 * Where a policy isolates already, one more allow rule in the application tier changes nothing
 * else. Where none does it would isolate: then the baseline tier, which never does, just before the
 * rule that refuses. Of one priority deny comes first, so a rule of priority 0 cannot be preceded.
 */
static bool choose_tier(const struct suggestion *suggestion, const struct decision *decision,
	struct suggest_change *change)
{
	const struct ir_rule *rule = rule_of(suggestion, decision);

	change->tier = rule->tier == TIER_APPLICATION ? TIER_APPLICATION : TIER_BASELINE;
	change->priority = 0;
	if (rule->tier == TIER_BASELINE && rule->document)
		change->priority = rule->document->policy->priority - 1;
	return change->priority >= 0;
}

/* --- one refusal --------------------------------------------------------------------------------
 */

struct judged {
	const char *what;
	struct flow_query query;
	struct evaluation evaluation;
	struct party source, destination;
};

static const struct party *subject_of(const struct judged *judged, enum direction direction)
{
	return direction == DIRECTION_EGRESS ? &judged->source : &judged->destination;
}

static const struct party *peer_of(const struct judged *judged, enum direction direction)
{
	return direction == DIRECTION_EGRESS ? &judged->destination : &judged->source;
}

static bool is_denied(const struct judged *judged, enum direction direction)
{
	return decision_of(&judged->evaluation, direction)->verdict == VERDICT_DENY;
}

/* New string; NULL: this direction can be allowed. */
static char *problem_of(
	const struct suggestion *suggestion, const struct judged *judged, enum direction direction)
{
	const struct decision *decision = decision_of(&judged->evaluation, direction);
	const struct party *subject = subject_of(judged, direction);
	struct suggest_change change;
	char *problem = obstacle(suggestion, decision);

	if (problem)
		return problem;
	if (!subject->host && !subject->role.selector)
		return text_format("%s/%s has no label that says what it is, so no policy can be "
				   "about it: start it with one, such as app=%s",
			subject->workload ? subject->workload->namespace : "",
			subject->workload ? subject->workload->name : "", subject->role.word);
	if (!choose_tier(suggestion, decision, &change))
		return text_format("a baseline policy of priority 0 denies it, which no baseline "
				   "rule can precede");
	return NULL;
}

static char *nearest_text(
	const struct suggestion *suggestion, const struct judged *judged, enum direction direction)
{
	const struct offline *offline = &suggestion->offline;
	struct near_miss near_miss;
	char *text;

	if (near_miss_find(&offline->documents, offline->model, offline->ir, &judged->query,
		    &judged->evaluation, direction, &near_miss) < 0)
		return NULL;
	text = trace_near_miss_text(&near_miss);
	near_miss_clear(&near_miss);
	return text;
}

static void allow(
	struct suggestion *suggestion, const struct judged *judged, enum direction direction)
{
	_cleanup_free_ char *nearest = nearest_text(suggestion, judged, direction);
	struct suggest_change change = {
		.subject = &subject_of(judged, direction)->role,
		.peer = &peer_of(judged, direction)->role,
		.direction = direction,
		.query = &judged->query,
		.why = judged->what,
		.nearest = nearest,
	};

	choose_tier(suggestion, decision_of(&judged->evaluation, direction), &change);
	suggest_policy_add(suggestion->policies, &change);
}

/* All or nothing: with one direction refused for good, allowing the other would help nobody. */
static void suggest_for(struct suggestion *suggestion, const struct judged *judged)
{
	static const enum direction directions[] = {DIRECTION_EGRESS, DIRECTION_INGRESS};

	for (size_t i = 0; i < ARRAY_SIZE(directions); i++) {
		char *problem = is_denied(judged, directions[i])
					? problem_of(suggestion, judged, directions[i])
					: NULL;

		if (problem) {
			add_problem(suggestion, judged->what, problem);
			return;
		}
	}
	for (size_t i = 0; i < ARRAY_SIZE(directions); i++)
		if (is_denied(judged, directions[i]))
			allow(suggestion, judged, directions[i]);
	*(struct flow_query *)must(array_append(suggestion->queries, suggestion->queries_count)) =
		judged->query;
}

static void judge(struct suggestion *suggestion, struct judged *judged)
{
	judged->evaluation = evaluate(suggestion->offline.ir, &judged->query);
	if (judged->evaluation.verdict == VERDICT_ALLOW)
		add_problem(suggestion, judged->what, text_format("policy allows it now"));
	else
		suggest_for(suggestion, judged);
}

static bool is_of_policy(const json_t *refusal)
{
	const char *reason = field_text(refusal, "reason");

	return strcmp(reason, "policy_denied") == 0 || strcmp(reason, "revoked") == 0;
}

static void look_at(struct suggestion *suggestion, const json_t *refusal)
{
	_cleanup_free_ char *what = describe(suggestion, refusal);
	struct judged judged = {.what = what};

	if (!is_of_policy(refusal)) {
		add_problem(suggestion, what,
			text_format("%s; that is no policy's decision",
				record_reason(field_text(refusal, "reason"))));
	} else if (!denied_nearest_query(refusal, &judged.query)) {
		add_problem(suggestion, what, text_format("policies have no word for it"));
	} else if (!find_party(suggestion, json_object_get(refusal, "source"), &judged.query.source,
			   &judged.source) ||
		   !find_party(suggestion, json_object_get(refusal, "destination"),
			   &judged.query.destination, &judged.destination)) {
		add_problem(
			suggestion, what, text_format("one of them does not run here any more"));
	} else {
		judge(suggestion, &judged);
	}
	suggest_role_clear(&judged.source.role);
	suggest_role_clear(&judged.destination.role);
}

/* --- all of them --------------------------------------------------------------------------------
 */

/* What was thought out is held against what policies really say. */
static int verify(const struct suggestion *suggestion, const char *yaml, struct error *error)
{
	const struct offline *offline = &suggestion->offline;
	struct diagnostics diagnostics = DIAGNOSTICS_INIT;
	_cleanup_documents_ struct document_list list = {0}, added = {0};
	_cleanup_(ir_freep) struct ir *ir = NULL;
	int r = documents_parse(&added, "suggestion", yaml, strlen(yaml), &diagnostics);

	diagnostics_print(&diagnostics, stderr);
	diagnostics_clear(&diagnostics);
	if (r == 0)
		r = documents_copy(&offline->documents, &list);
	if (r == 0)
		r = documents_merge(&list, &added);
	if (r < 0)
		return error_errno(error, r, "read the suggestion");
	r = ir_compile(&list, offline->model, &offline->options, &ir, error);
	for (size_t i = 0; r == 0 && i < suggestion->queries_count; i++)
		if (evaluate(ir, &suggestion->queries[i]).verdict != VERDICT_ALLOW)
			return error_set(error, -EINVAL,
				"what is suggested does not allow all of it, please report this");
	return r;
}

static void print_problems(const json_t *problems)
{
	size_t count = 0;
	const char *line;
	json_t *value;

	json_object_foreach ((json_t *)problems, line, value) {
		if (count++ == PROBLEMS_MAX) {
			printf("# not suggested: %zu more, narrow them by --from, --to and such\n",
				json_object_size(problems) - PROBLEMS_MAX);
			return;
		}
		suggest_policy_comment(stdout, "not suggested: ", line);
	}
}

static int print(const struct suggestion *suggestion)
{
	_cleanup_free_ char *yaml =
		suggest_policy_format(suggestion->policies, &suggestion->offline.documents);
	_cleanup_error_ struct error error = ERROR_INIT;

	if (verify(suggestion, yaml, &error) < 0)
		return report(suggestion->settings, &error);
	print_problems(suggestion->problems);
	fputs(yaml, stdout);
	return *yaml ? EXIT_YES : EXIT_NO;
}

int denied_suggest(const struct settings *settings, const json_t *refusals)
{
	const struct offline_options options = {.settings = settings, .agent = true};
	_cleanup_error_ struct error error = ERROR_INIT;
	_cleanup_json_ json_t *rows = denied_fold_parties(refusals);
	struct suggestion suggestion = {.settings = settings,
		.policies = must(json_object()),
		.problems = must(json_object())};
	const json_t *refusal;
	size_t i;
	int code;

	if (offline_resolve(settings, &options, &suggestion.offline, &error) < 0) {
		code = report(settings, &error);
	} else {
		json_array_foreach (rows, i, refusal) {
			look_at(&suggestion, refusal);
		}
		code = print(&suggestion);
	}
	offline_clear(&suggestion.offline);
	json_decref(suggestion.policies);
	json_decref(suggestion.problems);
	free(suggestion.queries);
	return code;
}
