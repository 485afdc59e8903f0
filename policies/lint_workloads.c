/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Selectors and names of ports that mean nobody among the workloads that there are. */
#include "policies/lint_checks.h"

#include "base/cleanup.h"
#include "policies/requirement.h"

#include <string.h>

static bool takes_anyone(const struct policy_workloads *workloads, const struct model *model)
{
	for (size_t i = 0; i < model->workloads_count; i++)
		if (lint_takes(model, workloads, &model->workloads[i]))
			return true;
	return false;
}

static bool takes_namespace(
	const struct policy_workloads *workloads, const struct model_namespace *namespace)
{
	return workloads->namespace ? strcmp(workloads->namespace, namespace->name) == 0
				    : selector_matches(&workloads->namespaces, &namespace->labels);
}

/* --- what was meant, perhaps --------------------------------------------------------------------
 */

/* The label among these that a requirement misses by a slip; NULL: none. */
static const struct label *nearly(const struct selector *selector, const struct labels *labels)
{
	for (size_t i = 0; i < selector->count; i++) {
		const struct selector_requirement *requirement = &selector->requirements[i];

		if (requirement_gap(requirement, labels) != REQUIREMENT_NEARLY)
			continue;
		for (size_t k = 0; k < labels->count; k++)
			if (strcmp(labels->items[k].key, requirement->key) == 0 ||
				requirement_words_alike(labels->items[k].key, requirement->key))
				return &labels->items[k];
	}
	return NULL;
}

static const struct label *nearest_namespace_label(
	const struct policy_workloads *workloads, const struct model *model)
{
	const struct label *label = NULL;

	for (size_t i = 0; i < model->namespaces_count && !label; i++)
		label = nearly(&workloads->namespaces, &model->namespaces[i].labels);
	return label;
}

static const struct label *nearest_label(
	const struct policy_workloads *workloads, const struct model *model)
{
	const struct label *label = NULL;

	for (size_t i = 0; i < model->workloads_count && !label; i++) {
		const struct model_workload *workload = &model->workloads[i];
		const struct model_namespace *namespace =
			model_find_namespace(model, workload->namespace);

		if (namespace && takes_namespace(workloads, namespace))
			label = nearly(&workloads->labels, &workload->labels);
	}
	return label;
}

static bool has_namespace(const struct policy_workloads *workloads, const struct model *model)
{
	for (size_t i = 0; i < model->namespaces_count; i++)
		if (takes_namespace(workloads, &model->namespaces[i]))
			return true;
	return false;
}

static void warn_unmatched(struct lint_run *run, const char *code, struct policy_place place,
	const struct policy_workloads *workloads)
{
	const struct model *model = run->input->model;
	bool any_namespace = has_namespace(workloads, model);
	const struct label *meant = any_namespace ? nearest_label(workloads, model)
						  : nearest_namespace_label(workloads, model);
	_cleanup_free_ char *labels = selector_format(&workloads->labels);
	_cleanup_free_ char *namespaces = selector_format(&workloads->namespaces);
	const char *in = workloads->namespace           ? workloads->namespace
			 : !workloads->namespaces.count ? "any namespace"
			 : namespaces                   ? namespaces
							: "";

	if (any_namespace)
		lint_warn(run, code, place, "no workload matches %s in %s%s%s%s%s%s%s",
			labels ? labels : "",
			workloads->namespace          ? "namespace "
			: workloads->namespaces.count ? "namespaces with "
						      : "",
			in, meant ? "; did you mean " : "", meant ? meant->key : "",
			meant ? "=" : "", meant ? meant->value : "", meant ? "?" : "");
	else
		lint_warn(run, code, place, "no namespace %s%s%s%s%s%s%s",
			workloads->namespace ? "is called " : "matches ", in,
			meant ? "; did you mean " : "", meant ? meant->key : "", meant ? "=" : "",
			meant ? meant->value : "", meant ? "?" : "");
}

/* --- names of ports -----------------------------------------------------------------------------
 */

/* Who may be meant by a name: the subjects, on egress the peers. */
static bool is_destination(const struct lint_run *run, enum direction direction,
	const struct policy_rule *rule, const struct model_workload *workload)
{
	const struct model *model = run->input->model;

	if (direction == DIRECTION_INGRESS)
		return !run->document->policy->host &&
		       lint_takes(model, &run->document->policy->subject, workload);
	for (size_t i = 0; i < rule->peers_count; i++)
		if (rule->peers[i].kind != PEER_WORKLOADS ||
			lint_takes(model, &rule->peers[i].workloads, workload))
			return true;
	return !rule->peers_count;
}

struct name_search {
	bool known;
	bool destinations;          /* there is somebody to have it */
	const char *alike;          /* a name that they do have */
	const char *wrong_protocol; /* they have it, under another one; the name itself */
};

static void search_name(struct name_search *search, const struct policy_rule *rule,
	const struct policy_port *port, const struct model_workload *workload)
{
	for (size_t i = 0; i < workload->ports_count; i++) {
		const struct model_port *there = &workload->ports[i];

		if (strcmp(there->name, port->name) != 0) {
			if (there->protocol == port->protocol &&
				requirement_words_alike(port->name, there->name))
				search->alike = there->name;
			continue;
		}
		search->wrong_protocol = there->name;
		/* A name that stands for itself under several protocols is known by one. */
		for (size_t k = 0; k < rule->ports_count; k++)
			search->known |= rule->ports[k].name &&
					 rule->ports[k].protocol == there->protocol &&
					 strcmp(rule->ports[k].name, there->name) == 0;
	}
}

static bool named_before(const struct policy_rule *rule, size_t index)
{
	for (size_t i = 0; i < index; i++)
		if (rule->ports[i].name && !strcmp(rule->ports[i].name, rule->ports[index].name))
			return true;
	return false;
}

static void check_names(
	struct lint_run *run, enum direction direction, const struct policy_rule *rule)
{
	const struct model *model = run->input->model;

	for (size_t i = 0; i < rule->ports_count; i++) {
		const struct policy_port *port = &rule->ports[i];
		struct name_search search = {0};

		if (!port->name || named_before(rule, i))
			continue;
		for (size_t k = 0; k < model->workloads_count; k++) {
			if (!is_destination(run, direction, rule, &model->workloads[k]))
				continue;
			search.destinations = true;
			search_name(&search, rule, port, &model->workloads[k]);
		}
		if (!search.destinations || search.known)
			continue;
		lint_warn(run, "unknown-port-name", port->place,
			"no workload that is meant here has a port named \"%s\"%s%s%s%s",
			port->name, search.wrong_protocol ? " of this protocol" : "",
			!search.wrong_protocol && search.alike ? "; did you mean \"" : "",
			!search.wrong_protocol && search.alike ? search.alike : "",
			!search.wrong_protocol && search.alike ? "\"?" : "");
	}
}

void lint_workloads(struct lint_run *run)
{
	const struct policy *policy = run->document->policy;

	if (!policy->host && !takes_anyone(&policy->subject, run->input->model))
		warn_unmatched(run, "unmatched-subject", policy->subject_place, &policy->subject);
	for (int direction = 0; direction < DIRECTION_COUNT; direction++) {
		for (size_t i = 0; i < policy->rules_count[direction]; i++) {
			const struct policy_rule *rule = &policy->rules[direction][i];

			for (size_t k = 0; k < rule->peers_count; k++)
				if (rule->peers[k].kind == PEER_WORKLOADS &&
					!takes_anyone(&rule->peers[k].workloads, run->input->model))
					warn_unmatched(run, "unmatched-peer", rule->peers[k].place,
						&rule->peers[k].workloads);
			check_names(run, (enum direction)direction, rule);
		}
	}
}
