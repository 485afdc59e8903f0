/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Policy documents: text in, checked documents out, or a list of everything that is wrong.
 *
 * Accepted: networking.k8s.io/v1 NetworkPolicy, policy.networking.k8s.io/v1alpha2
 * ClusterNetworkPolicy, segctl.io/v1 SegmentPolicy, PolicyTest and Quarantine, v1 Pod, Namespace,
 * Node and List of these; YAML 1.1 (libyaml) or JSON, any mix, many to a file.
 *
 * A document is immutable and counted by references: policy sets share them.
 */
#pragma once

#include "base/error.h"
#include "policies/diagnostic.h"

#include <stdbool.h>
#include <stddef.h>

enum document_kind {
	DOCUMENT_NETWORK_POLICY,
	DOCUMENT_CLUSTER_NETWORK_POLICY,
	DOCUMENT_SEGMENT_POLICY,
	DOCUMENT_POD,
	DOCUMENT_NAMESPACE,
	DOCUMENT_NODE,
	DOCUMENT_POLICY_TEST,
	DOCUMENT_QUARANTINE,
};

struct model;
struct model_node;
struct model_workload;
struct labels;
struct policy_test; /* policies/expectation.h */
struct policy;      /* policies/policy.h: the one normal form of all three policy kinds */

struct document {
	unsigned int references;
	enum document_kind kind;
	char *namespace; /* "" where the kind has none */
	char *name;
	char *file; /* as given to the parser; what locations point to */
	unsigned int line;
	char *text;                      /* this document alone, as it was written */
	struct policy *policy;           /* of the policy kinds, else NULL */
	struct model_workload *pod;      /* of Pod, else NULL */
	struct labels *namespace_labels; /* of Namespace, else NULL */
	struct model_node *node;         /* of Node, else NULL */
	struct policy_test *test;        /* of PolicyTest, else NULL */
	char *reason;                    /* of Quarantine, else NULL */
};

struct document_list {
	struct document **items;
	size_t count;
};

/* "NetworkPolicy", … as in YAML. */
const char *document_kind_name(enum document_kind kind);
/* Also the plural and kubectl's short names, any case: "netpol", "segmentpolicies". -EINVAL. */
int document_kind_parse(const char *text, enum document_kind *ret);
bool document_is_policy(const struct document *document);
/* Policies, Namespaces and Nodes are for the agent; the others describe and test offline, and a
 * Quarantine has a command of its own. */
bool document_is_applied(const struct document *document);
/* reference: "namespace/name", or a name alone. */
bool document_is_called(const struct document *document, const char *reference);

/*
 * Parses text and appends its documents to list. All or nothing: with any error in this text
 * nothing is appended and -EINVAL comes back; what is wrong is in diagnostics (warnings may be
 * there in either case). Bounds: 16 MiB of text, 64 levels, 20,000 documents, aliases are refused.
 * file is copied where it is needed. Other results: 0, -ENOMEM.
 */
int documents_parse(struct document_list *list, const char *file, const char *text, size_t size,
	struct diagnostics *diagnostics);

/* Reads a file, a directory (*.yaml, *.yml, *.json, not recursive, by name), or "-" for standard
 * input. Files that cannot be read are errors in diagnostics too. */
int documents_load(struct document_list *list, const char *path, struct diagnostics *diagnostics);

/* Puts each of from's documents into list in place of the one of the same kind, namespace and name,
 * or behind the last. from keeps its own. All or nothing: 0 or -ENOMEM. */
int documents_merge(struct document_list *list, const struct document_list *from);
/* -ENOENT: not there. */
int documents_remove(struct document_list *list, enum document_kind kind, const char *namespace,
	const char *name);
int documents_copy(const struct document_list *list, struct document_list *ret);
const struct document *documents_find(const struct document_list *list, enum document_kind kind,
	const char *namespace, const char *name);
/* The same kind, namespace and name twice in a list: an error at the second. 0 or -EINVAL. */
int documents_check_unique(const struct document_list *list, struct diagnostics *diagnostics);
void documents_clear(struct document_list *list);

struct document *document_reference(struct document *document);
void document_release(struct document *document);

/* Adds the list's Pods, Namespaces and Nodes to the model, and marks the workloads in it that a
 * Quarantine is about; policies are passed over. */
int documents_to_model(const struct document_list *list, struct model *model, struct error *error);
