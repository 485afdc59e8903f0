/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Rules and policies that other ones leave nothing to decide, repeat or contradict. */
#include "policies/lint_checks.h"

#include "policies/cover.h"

#include <string.h>

static bool same_tier(const struct policy *a, const struct policy *b)
{
	return a->tier == b->tier;
}

static bool subject_covers(
	const struct lint_run *run, const struct policy *outer, const struct policy *inner)
{
	if (outer->host || inner->host)
		return outer->host && inner->host;
	return workloads_cover(run->input->model, &outer->subject, &inner->subject);
}

static bool rule_covers(const struct lint_run *run, const struct written_rule *outer,
	const struct written_rule *inner)
{
	const struct policy_rule *first = written_rule_source(outer);
	const struct policy_rule *second = written_rule_source(inner);

	return subject_covers(run, outer->document->policy, inner->document->policy) &&
	       ports_cover(first, second) && peers_cover(run->input->model, first, second);
}

/* One of them at least takes in the other, part by part: there is something that both match. */
static bool rules_meet(
	const struct lint_run *run, const struct written_rule *a, const struct written_rule *b)
{
	const struct policy_rule *first = written_rule_source(a), *second = written_rule_source(b);
	const struct model *model = run->input->model;

	return (subject_covers(run, a->document->policy, b->document->policy) ||
		       subject_covers(run, b->document->policy, a->document->policy)) &&
	       (ports_cover(first, second) || ports_cover(second, first)) &&
	       (peers_cover(model, first, second) || peers_cover(model, second, first));
}

/* --- policies -----------------------------------------------------------------------------------
 */

static bool repeats(const struct lint_run *run, const struct document *document,
	const struct document *other, enum direction direction)
{
	size_t count = document->policy->rules_count[direction];

	if (count != other->policy->rules_count[direction] ||
		document->policy->isolates[direction] != other->policy->isolates[direction])
		return false;
	for (size_t i = 0; i < count; i++) {
		const struct written_rule one = {document, direction, i};
		const struct written_rule two = {other, direction, i};

		if (written_rule_source(&one)->action != written_rule_source(&two)->action ||
			!rule_covers(run, &one, &two) || !rule_covers(run, &two, &one))
			return false;
	}
	return true;
}

static bool policies_equal(
	const struct lint_run *run, const struct document *a, const struct document *b)
{
	return policies_are_peers(a->policy, b->policy) && a->policy->audit == b->policy->audit &&
	       a->policy->ordered == b->policy->ordered &&
	       subject_covers(run, a->policy, b->policy) &&
	       subject_covers(run, b->policy, a->policy) && repeats(run, a, b, DIRECTION_INGRESS) &&
	       repeats(run, a, b, DIRECTION_EGRESS);
}

/* The first of all policies that says the same; NULL: none, or this one is the first. */
static const struct document *original(const struct lint_run *run)
{
	const struct document_list *documents = run->input->documents;

	for (size_t i = 0; i < documents->count; i++) {
		const struct document *other = documents->items[i];

		if (other == run->document)
			return NULL;
		if (document_is_policy(other) && policies_equal(run, run->document, other))
			return other;
	}
	return NULL;
}

/* --- rules --------------------------------------------------------------------------------------
 */

/* In one tier where rules are unordered, the same action twice has no first and second. */
static bool are_alternatives(const struct written_rule *a, const struct written_rule *b)
{
	const struct policy *first = a->document->policy, *second = b->document->policy;

	return policies_are_peers(first, second) && !first->ordered && !second->ordered &&
	       written_rule_source(a)->action == written_rule_source(b)->action;
}

/* A pass in front of a rule may take from it what it would have kept from the tiers behind. */
static bool passes_before(const struct lint_run *run, const struct written_rule *rule)
{
	const struct document_list *documents = run->input->documents;

	for (size_t i = 0; i < documents->count; i++) {
		const struct document *document = documents->items[i];
		size_t count = document_is_policy(document) &&
					       same_tier(document->policy, rule->document->policy)
				       ? document->policy->rules_count[rule->direction]
				       : 0;

		for (size_t k = 0; k < count; k++) {
			const struct written_rule other = {document, rule->direction, k};

			if (written_rule_source(&other)->action == POLICY_PASS &&
				written_rule_precedes(&other, rule))
				return true;
		}
	}
	return false;
}

/* The other rule leaves this one nothing: NULL, or the finding's code. */
static const char *leaves_nothing(const struct lint_run *run, const struct written_rule *rule,
	const struct written_rule *other)
{
	const struct policy *policy = rule->document->policy, *stronger = other->document->policy;
	const struct policy_rule *source = written_rule_source(rule);
	const struct policy_rule *first = written_rule_source(other);
	bool precedes = written_rule_precedes(other, rule), mutual;

	if (stronger->audit && !policy->audit)
		return NULL;
	if (!same_tier(policy, stronger) &&
		(first->action == POLICY_PASS || passes_before(run, other)))
		return NULL;
	if ((!precedes && !are_alternatives(rule, other)) || !rule_covers(run, other, rule))
		return NULL;
	if (first->action != source->action || !same_tier(policy, stronger))
		return "shadowed-rule";
	/* It is there for its records. */
	if (source->log && !first->log)
		return NULL;
	mutual = rule_covers(run, rule, other);
	if (mutual && !precedes)
		return NULL;
	return mutual ? "duplicate-rule" : "redundant-rule";
}

static bool contradict(const struct lint_run *run, const struct written_rule *rule,
	const struct written_rule *other)
{
	const struct policy *policy = rule->document->policy, *second = other->document->policy;

	return rule->document != other->document && policy->tier != TIER_APPLICATION &&
	       policies_are_peers(policy, second) && policy->audit == second->audit &&
	       written_rule_source(rule)->action != written_rule_source(other)->action &&
	       rules_meet(run, rule, other);
}

/* True: something was found, one finding a rule is enough. */
static bool compare_rules(
	struct lint_run *run, const struct written_rule *rule, const struct written_rule *other)
{
	const struct policy_place place = rule_place(written_rule_source(rule));
	const struct policy *policy = rule->document->policy;
	char text[LINT_RULE_TEXT_MAX];
	const char *code;

	if (contradict(run, rule, other)) {
		lint_warn(run, "contradicting-rules", place,
			"%s says the opposite with the same priority %d of the %s tier",
			lint_rule_text(other, text), policy->priority, tier_name(policy->tier));
		return true;
	}
	code = leaves_nothing(run, rule, other);
	if (!code)
		return false;
	lint_warn(run, code, place, "%s %s", lint_rule_text(other, text),
		strcmp(code, "shadowed-rule") == 0
			? "comes first and decides all that this rule could match"
		: strcmp(code, "duplicate-rule") == 0 ? "says the same"
						      : "says the same, and more");
	return true;
}

static bool check_isolation(struct lint_run *run, const struct written_rule *rule)
{
	const struct document_list *documents = run->input->documents;
	const struct policy *policy = rule->document->policy;

	for (size_t i = 0; policy->tier == TIER_BASELINE && i < documents->count; i++) {
		const struct document *other = documents->items[i];

		if (!document_is_policy(other) || other->policy->tier != TIER_APPLICATION ||
			!other->policy->isolates[rule->direction] || other->policy->audit ||
			!subject_covers(run, other->policy, policy))
			continue;
		lint_warn(run, "shadowed-rule", rule_place(written_rule_source(rule)),
			"%s %s/%s (%s:%u) isolates all subjects of this rule in the application "
			"tier: the baseline tier is never asked",
			document_kind_name(other->kind), other->namespace, other->name, other->file,
			other->line);
		return true;
	}
	return false;
}

static void check_rule(struct lint_run *run, const struct written_rule *rule)
{
	const struct document_list *documents = run->input->documents;

	for (size_t i = 0; i < documents->count; i++) {
		const struct document *document = documents->items[i];
		size_t count = document_is_policy(document)
				       ? document->policy->rules_count[rule->direction]
				       : 0;

		for (size_t k = 0; k < count; k++) {
			const struct written_rule other = {document, rule->direction, k};

			if ((document != rule->document || k != rule->index) &&
				compare_rules(run, rule, &other))
				return;
		}
	}
	check_isolation(run, rule);
}

void lint_others(struct lint_run *run)
{
	const struct document *document = run->document, *first = original(run);

	if (first) {
		lint_warn(run, "duplicate-policy", ((struct policy_place){document->line, 1}),
			"%s %s%s%s (%s:%u) says the same", document_kind_name(first->kind),
			first->namespace, *first->namespace ? "/" : "", first->name, first->file,
			first->line);
		return;
	}
	for (int direction = 0; direction < DIRECTION_COUNT; direction++) {
		for (size_t i = 0; i < document->policy->rules_count[direction]; i++) {
			const struct written_rule rule = {document, (enum direction)direction, i};

			check_rule(run, &rule);
		}
	}
}
