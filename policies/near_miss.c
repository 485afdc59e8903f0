/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "policies/near_miss_conditions.h"

#include "base/cleanup.h"
#include "policies/precedence.h"

#include <errno.h>
#include <string.h>

enum weight {
	WEIGHT_DENIED = 5, /* the rule matches: what comes first is the cause */
	WEIGHT_MODE = 8,
	WEIGHT_DIRECTION = 10,
	WEIGHT_ISOLATED = 30,
	WEIGHT_DENY_ALONE = 35,
	WEIGHT_FORGOTTEN = 45,
};

/* One rule that may be the nearest. */
struct candidate {
	struct written_rule rule;
	const struct policy_rule *source;
	bool unused;
};

struct search {
	const struct document_list *documents;
	const struct ir *ir;
	struct view view;
	struct decision decision; /* what is to be explained */
	struct decision other;    /* of the other end */
	bool denied;              /* by a written rule, not by isolation or posture */
	struct written_rule decider;
	const struct policy *isolating; /* NULL: not refused by isolation */
	struct candidate best;
	struct misses best_misses;
	bool found;
};

const char *unmet_kind_name(enum unmet_kind kind)
{
	static const char *const names[UNMET_COUNT] = {
		[UNMET_POLICY_NAMESPACE] = "policy-namespace",
		[UNMET_DIRECTION] = "direction",
		[UNMET_MODE] = "mode",
		[UNMET_PRECEDENCE] = "precedence",
		[UNMET_RULE] = "rule",
		[UNMET_NAMESPACE] = "namespace",
		[UNMET_NAMESPACE_LABELS] = "namespace-labels",
		[UNMET_LABELS] = "labels",
		[UNMET_CIDR] = "cidr",
		[UNMET_EXCEPT] = "except",
		[UNMET_ENTITY] = "entity",
		[UNMET_NODES] = "nodes",
		[UNMET_PROTOCOL] = "protocol",
		[UNMET_PORT] = "port",
		[UNMET_PORT_NAME] = "port-name",
	};

	return names[kind];
}

/* The rule's own conditions. A policy that lies elsewhere is looked at as if it did not: that
 * mistake is counted once. */
static void check_rule(
	const struct view *view, const struct candidate *candidate, struct misses *misses)
{
	const struct document *document = candidate->rule.document;

	check_subject(view, document, misses);
	check_peers(view, document, candidate->source, view_is_elsewhere(view, document), misses);
	check_ports(view, candidate->source, misses);
}

static bool matches(const struct view *view, const struct candidate *candidate)
{
	struct misses misses = {0};

	check_rule(view, candidate, &misses);
	return !misses.count;
}

/* Calls visit for each rule of the direction that has the action. */
static void visit_rules(struct search *search, enum policy_action action,
	void (*visit)(struct search *search, const struct candidate *candidate, void *userdata),
	void *userdata)
{
	enum direction direction = search->view.direction;

	for (size_t i = 0; i < search->documents->count; i++) {
		const struct document *document = search->documents->items[i];
		const struct policy *policy = document->policy;

		if (policy && policy->host != search->view.host)
			continue;
		for (size_t k = 0; policy && k < policy->rules_count[direction]; k++) {
			const struct candidate candidate = {
				{document, direction, k}, &policy->rules[direction][k], false};

			if (candidate.source->action == action)
				visit(search, &candidate, userdata);
		}
		for (size_t k = 0; policy && k < policy->unused_count[direction]; k++) {
			const struct candidate candidate = {
				{document, direction, k}, &policy->unused[direction][k], true};

			if (candidate.source->action == action)
				visit(search, &candidate, userdata);
		}
	}
}

/* --- what keeps a rule that matches from deciding ------------------------------------------------
 */

static void miss_decider(const struct search *search, unsigned int weight, const char *why,
	const char *consequence, struct misses *misses)
{
	const struct ir_rule *rule = &search->ir->rules[search->decision.rule];
	char text[END_NAME_MAX];

	misses_add(misses, UNMET_PRECEDENCE, false, weight, "%s (%s:%u, %s tier) %s%s",
		ir_rule_format(rule, text, sizeof(text)), rule->document->file, rule->line,
		tier_name(rule->tier), why, consequence);
}

struct pass_search {
	const struct candidate *candidate;
	struct candidate found;
};

static void visit_pass(struct search *search, const struct candidate *pass, void *userdata)
{
	struct pass_search *passes = userdata;
	const struct policy *policy = passes->candidate->rule.document->policy;

	if (!pass->unused && !passes->found.source &&
		pass->rule.document->policy->tier == policy->tier &&
		written_rule_precedes(&pass->rule, &passes->candidate->rule) &&
		matches(&search->view, pass))
		passes->found = *pass;
}

static void miss_isolation(const struct search *search, enum tier tier, struct misses *misses)
{
	const struct ir_rule *rule = &search->ir->rules[search->decision.rule];
	const struct document *document = rule->document;

	misses_add(misses, UNMET_PRECEDENCE, false, WEIGHT_ISOLATED,
		"%s %s/%s (%s:%u) isolates %s in the %s tier: the %s tier is never asked",
		document_kind_name(document->kind), document->namespace, document->name,
		document->file, rule->line, search->view.subject_name, tier_name(rule->tier),
		tier_name(tier));
}

/* A pass in front of the rule hands the connection to the next tier. */
static void check_passes(
	struct search *search, const struct candidate *candidate, struct misses *misses)
{
	struct pass_search passes = {.candidate = candidate};
	const struct document *document;

	visit_rules(search, POLICY_PASS, visit_pass, &passes);
	document = passes.found.rule.document;
	if (document)
		misses_add(misses, UNMET_PRECEDENCE, false, WEIGHT_DENIED,
			"%s %s %s[%zu] (%s:%u) passes on to the next tier before this rule is asked",
			document_kind_name(document->kind), document->name,
			direction_name(passes.found.rule.direction), passes.found.rule.index,
			document->file, passes.found.source->line);
}

static void check_precedence(
	struct search *search, const struct candidate *candidate, struct misses *misses)
{
	const struct policy *policy = candidate->rule.document->policy;
	bool audited = search->decision.flags & DECISION_AUDIT;
	bool complete = !misses->count;

	if (candidate->unused) {
		misses_add(misses, UNMET_DIRECTION, false, WEIGHT_DIRECTION,
			"policyTypes of the policy leaves %s out: its %s rules have no effect",
			direction_name(search->view.direction),
			direction_name(search->view.direction));
		return;
	}
	if (policy->audit && !audited)
		misses_add(misses, UNMET_MODE, false, WEIGHT_MODE,
			"the policy is in audit mode: its rules allow nothing");
	else if (search->denied && written_rule_precedes(&search->decider, &candidate->rule))
		miss_decider(search, WEIGHT_DENIED, "denies it and comes first", "", misses);
	else if (search->isolating && policy->tier > search->isolating->tier)
		miss_isolation(search, policy->tier, misses);
	else if (complete)
		check_passes(search, candidate, misses);
}

static void check_candidate(
	struct search *search, const struct candidate *candidate, struct misses *misses)
{
	check_rule(&search->view, candidate, misses);
	check_precedence(search, candidate, misses);
}

static void visit_allow(struct search *search, const struct candidate *candidate, void *userdata)
{
	struct misses misses = {0};

	(void)userdata;
	check_candidate(search, candidate, &misses);
	if (search->found && misses_compare(&misses, &search->best_misses) >= 0)
		return;
	search->best = *candidate;
	search->best_misses = misses;
	search->found = true;
}

/* --- the search ---------------------------------------------------------------------------------
 */

static void describe_end(const struct model *model, const struct model_workload *workload,
	const struct address *address, const struct model_namespace **ret_namespace,
	char name[static END_NAME_MAX])
{
	if (!workload) {
		address_format(address, name);
		return;
	}
	*ret_namespace = model_find_namespace(model, workload->namespace);
	snprintf(name, END_NAME_MAX, "%s/%s", workload->namespace, workload->name);
}

static void view_init(struct view *view, const struct model *model, const struct flow_query *query,
	enum direction direction)
{
	bool egress = direction == DIRECTION_EGRESS;
	const struct address *subject = egress ? &query->source : &query->destination;

	view->model = model;
	view->query = query;
	view->direction = direction;
	view->peer_address = egress ? &query->destination : &query->source;
	view->subject = model_find_address(model, subject);
	view->peer = model_find_address(model, view->peer_address);
	describe_end(model, view->subject, subject, &view->subject_namespace, view->subject_name);
	describe_end(model, view->peer, view->peer_address, &view->peer_namespace, view->peer_name);
}

static void search_init(struct search *search, const struct evaluation *evaluation)
{
	bool egress = search->view.direction == DIRECTION_EGRESS;
	const struct ir_rule *rule;

	search->decision = egress ? evaluation->egress : evaluation->ingress;
	search->other = egress ? evaluation->ingress : evaluation->egress;
	rule = &search->ir->rules[search->decision.rule];
	if (!rule->document)
		return;
	search->view.host = rule->document->policy->host;
	search->denied = rule->index >= 0;
	if (search->denied)
		search->decider =
			(struct written_rule){rule->document, rule->direction, (size_t)rule->index};
	else
		search->isolating = rule->document->policy;
}

/* The other end lets it through by a rule that somebody wrote. */
static bool is_forgotten(const struct search *search)
{
	return search->other.verdict == VERDICT_ALLOW && search->other.rule >= IR_RULE_FIRST &&
	       !(search->other.flags & DECISION_AUDIT);
}

/* No rule is at fault, but that there is none. */
static void miss_rule(const struct search *search, struct misses *misses)
{
	const struct view *view = &search->view;
	bool egress = view->direction == DIRECTION_EGRESS;
	const struct ir_rule *other = &search->ir->rules[search->other.rule];
	char text[END_NAME_MAX];

	if (search->denied)
		miss_decider(search, WEIGHT_DENY_ALONE, "denies it",
			", and no rule that comes first allows it", misses);
	else if (is_forgotten(search))
		misses_add(misses, UNMET_RULE, false, WEIGHT_FORGOTTEN,
			"%s lets it %s at %s, but no %s rule of %s speaks of it: %s was forgotten",
			ir_rule_format(other, text, sizeof(text)), egress ? "in" : "out",
			view->peer_name, direction_name(view->direction), view->subject_name,
			direction_name(view->direction));
	else
		misses_add(misses, UNMET_RULE, false, WEIGHT_FORGOTTEN,
			"no policy has a rule that allows %s anything in %s", view->subject_name,
			direction_name(view->direction));
}

/* The lack of a rule is a candidate only where it explains more than any rule. */
static bool lack_is_nearer(const struct search *search)
{
	struct misses lack = {0};

	miss_rule(search, &lack);
	if (!search->found)
		return true;
	return (search->denied || is_forgotten(search)) &&
	       misses_compare(&lack, &search->best_misses) < 0;
}

static void fill_place(const struct search *search, bool lack, struct near_miss *near_miss)
{
	const struct ir_rule *decider = &search->ir->rules[search->decision.rule];

	near_miss->direction = search->view.direction;
	if (lack) {
		near_miss->document = decider->document;
		near_miss->index = decider->document ? decider->index : -1;
		near_miss->line = decider->line;
		return;
	}
	near_miss->document = search->best.rule.document;
	near_miss->index = (int)search->best.rule.index;
	near_miss->unused = search->best.unused;
	near_miss->line = search->best.source->line;
}

int near_miss_find(const struct document_list *documents, const struct model *model,
	const struct ir *ir, const struct flow_query *query, const struct evaluation *evaluation,
	enum direction direction, struct near_miss *ret)
{
	_cleanup_(misses_clear) struct misses misses = {.describe = true};
	struct search search = {.documents = documents, .ir = ir};
	struct near_miss near_miss = {0};
	bool lack;

	view_init(&search.view, model, query, direction);
	search_init(&search, evaluation);
	if ((!search.view.subject && !search.view.host) ||
		(search.decision.verdict != VERDICT_DENY &&
			!(search.decision.flags & DECISION_AUDIT)))
		return -ENOENT;
	visit_rules(&search, POLICY_ALLOW, visit_allow, NULL);
	lack = lack_is_nearer(&search);
	if (lack)
		miss_rule(&search, &misses);
	else
		check_candidate(&search, &search.best, &misses);
	if (misses.out_of_memory)
		return -ENOMEM;
	fill_place(&search, lack, &near_miss);
	near_miss.unmet = TAKE_PTR(misses.items);
	near_miss.unmet_count = misses.items_count;
	near_miss.weight = misses.weight;
	misses.items_count = 0;
	*ret = near_miss;
	return 0;
}

void near_miss_clear(struct near_miss *near_miss)
{
	for (size_t i = 0; i < near_miss->unmet_count; i++)
		free(near_miss->unmet[i].message);
	free(near_miss->unmet);
}
