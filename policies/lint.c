/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "policies/lint_checks.h"

#include "policies/cover.h"

#include <string.h>

bool lint_takes(const struct model *model, const struct policy_workloads *workloads,
	const struct model_workload *workload)
{
	const struct model_namespace *found;

	if (workload->host_network ||
		(workloads->namespace && strcmp(workloads->namespace, workload->namespace) != 0) ||
		!selector_matches(&workloads->labels, &workload->labels))
		return false;
	if (workloads->namespace)
		return true;
	found = model_find_namespace(model, workload->namespace);
	return found && selector_matches(&workloads->namespaces, &found->labels);
}

const char *lint_rule_text(const struct written_rule *rule, char text[static LINT_RULE_TEXT_MAX])
{
	const struct document *document = rule->document;

	snprintf(text, LINT_RULE_TEXT_MAX, "%s %s%s%s %s[%zu] (%s:%u)",
		document_kind_name(document->kind), document->namespace,
		*document->namespace ? "/" : "", document->name, direction_name(rule->direction),
		rule->index, document->file, written_rule_source(rule)->line);
	return text;
}

/* --- one rule by itself -------------------------------------------------------------------------
 */

/* An item is redundant beside one that covers it; of two equal ones the later is. */
static void check_peers(struct lint_run *run, const struct policy_rule *rule)
{
	const struct model *model = run->input->model;

	for (size_t i = 0; i < rule->peers_count; i++) {
		for (size_t k = 0; k < rule->peers_count; k++) {
			const struct policy_peer *peer = &rule->peers[i], *other = &rule->peers[k];

			if (i == k || !peer_covers(model, other, peer) ||
				(i < k && peer_covers(model, peer, other)))
				continue;
			lint_warn(run, "redundant-peer", peer->place,
				"the peer on line %u covers this one: items of a list are "
				"alternatives",
				other->place.line);
			break;
		}
	}
}

static void check_ports(struct lint_run *run, const struct policy_rule *rule)
{
	for (size_t i = 0; i < rule->ports_count; i++) {
		const struct policy_port *port = &rule->ports[i];

		if (port->range && port->first == port->last)
			lint_warn(run, "end-port-no-effect", port->place,
				"the range begins and ends with %u: its end has no effect",
				port->first);
		for (size_t k = 0; k < rule->ports_count; k++) {
			const struct policy_port *other = &rule->ports[k];

			if (i == k || !port_covers(other, port) ||
				(i < k && port_covers(port, other)))
				continue;
			lint_warn(run, "redundant-port", port->place,
				"the port on line %u, column %u covers this one", other->place.line,
				other->place.column);
			break;
		}
	}
}

static void check_except(struct lint_run *run, const struct policy_peer *peer)
{
	char inner[PREFIX_TEXT_MAX], outer[PREFIX_TEXT_MAX];

	if (cidr_is_empty(peer)) {
		lint_warn(run, "empty-cidr", peer->place,
			"the exceptions leave nothing of the cidr %s: this peer is nobody",
			prefix_format(&peer->cidr, outer));
		return;
	}
	for (size_t i = 0; i < peer->except_count; i++) {
		for (size_t k = 0; k < peer->except_count; k++) {
			const struct prefix *one = &peer->except[i], *other = &peer->except[k];

			if (i == k || !prefix_covers(other, one) ||
				(i < k && prefix_covers(one, other)))
				continue;
			lint_warn(run, "redundant-except", peer->place,
				"except %s is covered by except %s", prefix_format(one, inner),
				prefix_format(other, outer));
			break;
		}
	}
}

void lint_rule(struct lint_run *run, const struct policy_rule *rule)
{
	if (rule->peers_empty)
		lint_warn(run, "empty-peers", rule_place(rule),
			"an empty list of peers means every peer; leave it out to say so, or leave "
			"out the rule if nobody is meant");
	check_peers(run, rule);
	check_ports(run, rule);
	for (size_t i = 0; i < rule->peers_count; i++)
		if (rule->peers[i].kind == PEER_CIDR)
			check_except(run, &rule->peers[i]);
}

/* --- all ----------------------------------------------------------------------------------------
 */

static void lint_policy(struct lint_run *run)
{
	const struct policy *policy = run->document->policy;

	for (int direction = 0; direction < DIRECTION_COUNT; direction++) {
		for (size_t i = 0; i < policy->rules_count[direction]; i++) {
			const struct policy_rule *rule = &policy->rules[direction][i];

			lint_rule(run, rule);
			if (rule->action == POLICY_ALLOW && !policy->audit)
				lint_other_end(run, (enum direction)direction, rule);
		}
	}
	if (run->input->model->workloads_count)
		lint_workloads(run);
	lint_others(run);
}

void lint(const struct lint_input *input, struct diagnostics *diagnostics)
{
	struct lint_run run = {input, diagnostics, NULL};

	for (size_t i = 0; i < input->concerned->count; i++) {
		run.document = input->concerned->items[i];
		if (document_is_policy(run.document) && run.document->kind != DOCUMENT_QUARANTINE)
			lint_policy(&run);
	}
}
