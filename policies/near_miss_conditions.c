/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "policies/near_miss_conditions.h"

#include "base/cleanup.h"
#include "policies/array.h"
#include "policies/requirement.h"

#include <stdarg.h>

/* Small: what a person wrote is nearly it. Large: they wrote of something else. */
enum weight {
	WEIGHT_SLIP = 10,
	WEIGHT_EXCEPT = 10,
	WEIGHT_POLICY_NAMESPACE = 15,
	WEIGHT_NAMESPACE_LABEL = 30,
	WEIGHT_NAMESPACE = 35,
	WEIGHT_ADDRESS = 50,
	WEIGHT_LABEL_ABSENT = 50,
	WEIGHT_LABEL_OTHER = 60,
	WEIGHT_NO_WORKLOAD = 65,
	WEIGHT_SUBJECT = 5, /* added: rules of other subjects are seldom meant */
};

void misses_add(struct misses *misses, enum unmet_kind kind, bool subject, unsigned int weight,
	const char *format, ...)
{
	struct unmet *unmet;
	va_list arguments;

	misses->count++;
	misses->weight += weight + (subject ? WEIGHT_SUBJECT : 0);
	if (!misses->describe)
		return;
	unmet = array_append(misses->items, misses->items_count);
	if (!unmet) {
		misses->out_of_memory = true;
		return;
	}
	*unmet = (struct unmet){.kind = kind, .subject = subject};
	va_start(arguments, format);
	if (vasprintf(&unmet->message, format, arguments) < 0) {
		unmet->message = NULL;
		misses->out_of_memory = true;
	}
	va_end(arguments);
}

int misses_compare(const struct misses *a, const struct misses *b)
{
	if (a->count != b->count)
		return a->count < b->count ? -1 : 1;
	return (a->weight > b->weight) - (a->weight < b->weight);
}

void misses_clear(struct misses *misses)
{
	for (size_t i = 0; i < misses->items_count; i++)
		free(misses->items[i].message);
	free(misses->items);
}

/* Each requirement of a selector by itself. who has the labels, whose wants them. */
static void check_selector(struct misses *misses, const struct selector *selector,
	const struct labels *labels, enum unmet_kind kind, bool subject, const char *who,
	const char *whose, const char *hint)
{
	for (size_t i = 0; i < selector->count; i++) {
		const struct selector_requirement *requirement = &selector->requirements[i];
		enum requirement_gap gap = requirement_gap(requirement, labels);
		_cleanup_free_ char *found = NULL, *wanted = NULL;
		unsigned int weight = gap == REQUIREMENT_NEARLY        ? WEIGHT_SLIP
				      : kind == UNMET_NAMESPACE_LABELS ? WEIGHT_NAMESPACE_LABEL
				      : gap == REQUIREMENT_ABSENT      ? WEIGHT_LABEL_ABSENT
								       : WEIGHT_LABEL_OTHER;

		if (gap == REQUIREMENT_MET)
			continue;
		if (misses->describe) {
			found = requirement_found(requirement, labels);
			wanted = requirement_format(requirement);
			misses->out_of_memory |= !found || !wanted;
		}
		misses_add(misses, kind, subject, weight, "%s has %s, %s wants %s%s", who,
			found ? found : "", whose, wanted ? wanted : "", hint);
	}
}

bool view_is_elsewhere(const struct view *view, const struct document *document)
{
	const char *namespace = document->policy->subject.namespace;

	return !view->host && namespace && strcmp(namespace, view->subject->namespace) != 0;
}

void check_subject(const struct view *view, const struct document *document, struct misses *misses)
{
	const struct policy_workloads *subject = &document->policy->subject;
	char namespace[END_NAME_MAX];

	if (view->host)
		return;
	if (view_is_elsewhere(view, document))
		misses_add(misses, UNMET_POLICY_NAMESPACE, true, WEIGHT_POLICY_NAMESPACE,
			"the policy is in namespace %s, %s is in namespace %s", subject->namespace,
			view->subject_name, view->subject->namespace);
	if (!subject->namespace) {
		snprintf(namespace, sizeof(namespace), "namespace %s", view->subject->namespace);
		check_selector(misses, &subject->namespaces, &view->subject_namespace->labels,
			UNMET_NAMESPACE_LABELS, true, namespace, "the policy's subject", "");
	}
	check_selector(misses, &subject->labels, &view->subject->labels, UNMET_LABELS, true,
		view->subject_name, "the policy's subject", "");
}

/* --- peers --------------------------------------------------------------------------------------
 */

static void check_workloads(const struct view *view, const struct document *document,
	const struct policy_peer *peer, bool moved, struct misses *misses)
{
	const struct policy_workloads *workloads = &peer->workloads;
	const char *home = workloads->namespace; /* NULL: a selector says where */
	size_t before = misses->count;
	char name[END_NAME_MAX];
	bool both;

	if (!view->peer) {
		misses_add(misses, UNMET_LABELS, false, WEIGHT_NO_WORKLOAD,
			"%s is no workload, the rule wants one by its labels", view->peer_name);
		return;
	}
	if (home && moved && strcmp(home, document->namespace) == 0)
		home = view->subject->namespace;
	if (home && strcmp(home, view->peer->namespace) != 0)
		misses_add(misses, UNMET_NAMESPACE, false, WEIGHT_NAMESPACE,
			"%s is in namespace %s, the rule without a selector for namespaces means "
			"its own, %s",
			view->peer_name, view->peer->namespace, home);
	if (!home) {
		snprintf(name, sizeof(name), "namespace %s", view->peer->namespace);
		check_selector(misses, &workloads->namespaces, &view->peer_namespace->labels,
			UNMET_NAMESPACE_LABELS, false, name, "the rule", "");
	}
	/* What people mean to be two items, and wrote as one. */
	both = !home && workloads->namespaces.count && misses->count == before;
	check_selector(misses, &workloads->labels, &view->peer->labels, UNMET_LABELS, false,
		view->peer_name, "the rule",
		both ? ", as its item asks for both the namespace, which fits, and these labels; "
		       "two items would mean either"
		     : "");
}

static void check_cidr(
	const struct view *view, const struct policy_peer *peer, struct misses *misses)
{
	char text[PREFIX_TEXT_MAX], outer[PREFIX_TEXT_MAX], address[ADDRESS_TEXT_MAX];

	address_format(view->peer_address, address);
	if (!prefix_contains(&peer->cidr, view->peer_address)) {
		misses_add(misses, UNMET_CIDR, false, WEIGHT_ADDRESS,
			"address %s is not in the rule's cidr %s", address,
			prefix_format(&peer->cidr, text));
		return;
	}
	for (size_t i = 0; i < peer->except_count; i++) {
		if (!prefix_contains(&peer->except[i], view->peer_address))
			continue;
		misses_add(misses, UNMET_EXCEPT, false, WEIGHT_EXCEPT,
			"address %s is in the rule's cidr %s, but also in its except %s", address,
			prefix_format(&peer->cidr, outer), prefix_format(&peer->except[i], text));
		return;
	}
}

static bool is_host(const struct model *model, const struct address *address)
{
	for (size_t i = 0; i < model->host_addresses_count; i++)
		if (address_equal(&model->host_addresses[i], address))
			return true;
	for (size_t i = 0; i < model->workloads_count; i++) {
		const struct model_workload *workload = &model->workloads[i];

		for (size_t k = 0; workload->host_network && !workload->remote &&
				   k < workload->addresses_count;
			k++)
			if (address_equal(&workload->addresses[k], address))
				return true;
	}
	return false;
}

static void check_entity(
	const struct view *view, const struct policy_peer *peer, struct misses *misses)
{
	bool host = !view->peer && is_host(view->model, view->peer_address);
	bool matches = peer->entity == ENTITY_ALL || (peer->entity == ENTITY_HOST && host) ||
		       (peer->entity == ENTITY_WORLD && !host && !view->peer);

	if (!matches)
		misses_add(misses, UNMET_ENTITY, false, WEIGHT_ADDRESS,
			"%s is %s, the rule wants %s", view->peer_name,
			view->peer ? "a workload"
			: host     ? "this node"
				   : "outside, neither a workload nor this node",
			peer->entity == ENTITY_HOST
				? "this node (entity host)"
				: "what is neither a workload nor this node (entity world)");
}

static void check_nodes(
	const struct view *view, const struct policy_peer *peer, struct misses *misses)
{
	const struct model *model = view->model;

	for (size_t i = 0; !view->peer && i < model->nodes_count; i++) {
		const struct model_node *node = &model->nodes[i];

		if (!selector_matches(&peer->workloads.labels, &node->labels))
			continue;
		for (size_t k = 0; k < node->addresses_count; k++)
			if (address_equal(&node->addresses[k], view->peer_address))
				return;
	}
	misses_add(misses, UNMET_NODES, false, WEIGHT_ADDRESS,
		"%s is none of the nodes that the rule wants", view->peer_name);
}

static void check_peer(const struct view *view, const struct document *document,
	const struct policy_peer *peer, bool moved, struct misses *misses)
{
	switch (peer->kind) {
	case PEER_WORKLOADS:
		check_workloads(view, document, peer, moved, misses);
		break;
	case PEER_CIDR:
		check_cidr(view, peer, misses);
		break;
	case PEER_ENTITY:
		check_entity(view, peer, misses);
		break;
	case PEER_NODES:
		check_nodes(view, peer, misses);
		break;
	}
}

void check_peers(const struct view *view, const struct document *document,
	const struct policy_rule *rule, bool moved, struct misses *misses)
{
	struct misses nearest = {0};
	size_t chosen = 0;

	if (!rule->peers_count)
		return;
	for (size_t i = 0; i < rule->peers_count; i++) {
		struct misses trial = {0};

		check_peer(view, document, &rule->peers[i], moved, &trial);
		if (i && misses_compare(&trial, &nearest) >= 0)
			continue;
		nearest = trial;
		chosen = i;
	}
	check_peer(view, document, &rule->peers[chosen], moved, misses);
}
