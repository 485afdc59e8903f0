/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "policies/document.h"

#include "base/cleanup.h"
#include "policies/array.h"
#include "policies/expectation.h"
#include "policies/model.h"
#include "policies/policy.h"
#include "policies/quarantine.h"
#include "policies/read.h"

#include <errno.h>
#include <string.h>
#include <strings.h>

static const struct {
	const char *name;
	const char *plural;
	const char *abbreviation; /* kubectl's, or in its manner */
} kinds[] = {
	[DOCUMENT_NETWORK_POLICY] = {"NetworkPolicy", "NetworkPolicies", "netpol"},
	[DOCUMENT_CLUSTER_NETWORK_POLICY] = {"ClusterNetworkPolicy", "ClusterNetworkPolicies",
		"cnp"},
	[DOCUMENT_SEGMENT_POLICY] = {"SegmentPolicy", "SegmentPolicies", "segpol"},
	[DOCUMENT_POD] = {"Pod", "Pods", "po"},
	[DOCUMENT_NAMESPACE] = {"Namespace", "Namespaces", "ns"},
	[DOCUMENT_NODE] = {"Node", "Nodes", "no"},
	[DOCUMENT_POLICY_TEST] = {"PolicyTest", "PolicyTests", "poltest"},
	[DOCUMENT_QUARANTINE] = {"Quarantine", "Quarantines", "quarantine"},
};

const char *document_kind_name(enum document_kind kind)
{
	return kinds[kind].name;
}

int document_kind_parse(const char *text, enum document_kind *ret)
{
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		if (strcasecmp(text, kinds[i].name) && strcasecmp(text, kinds[i].plural) &&
			strcasecmp(text, kinds[i].abbreviation))
			continue;
		*ret = (enum document_kind)i;
		return 0;
	}
	return -EINVAL;
}

bool document_is_policy(const struct document *document)
{
	return document->policy;
}

bool document_is_applied(const struct document *document)
{
	return (document_is_policy(document) && document->kind != DOCUMENT_QUARANTINE) ||
	       document->kind == DOCUMENT_NAMESPACE || document->kind == DOCUMENT_NODE;
}

bool document_is_called(const struct document *document, const char *reference)
{
	const char *slash = strchr(reference, '/');
	size_t length = slash ? (size_t)(slash - reference) : 0;

	if (!slash)
		return !strcmp(document->name, reference);
	return !strcmp(document->name, slash + 1) && strlen(document->namespace) == length &&
	       !strncmp(document->namespace, reference, length);
}

struct document *document_reference(struct document *document)
{
	document->references++;
	return document;
}

void document_release(struct document *document)
{
	if (!document || --document->references)
		return;
	policy_free(document->policy);
	pod_free(document->pod);
	node_free(document->node);
	policy_test_free(document->test);
	if (document->namespace_labels)
		labels_clear(document->namespace_labels);
	free(document->namespace_labels);
	free(document->namespace);
	free(document->name);
	free(document->file);
	free(document->text);
	free(document->reason);
	free(document);
}

int documents_to_model(const struct document_list *list, struct model *model, struct error *error)
{
	for (size_t i = 0; i < list->count; i++) {
		const struct document *document = list->items[i];
		int r = 0;

		if (document->kind == DOCUMENT_NAMESPACE &&
			model_add_namespace(model, document->name, document->namespace_labels) < 0)
			r = error_nomem(error);
		else if (document->kind == DOCUMENT_POD)
			r = pod_to_model(document, model, error);
		else if (document->kind == DOCUMENT_NODE && node_to_model(document, model) < 0)
			r = error_nomem(error);
		if (r < 0)
			return r;
	}
	for (size_t i = 0; i < list->count; i++) {
		const struct document *document = list->items[i];

		if (document->kind == DOCUMENT_QUARANTINE &&
			quarantine_mark(document, document->namespace, document->name, model) < 0)
			return error_nomem(error);
	}
	return 0;
}
