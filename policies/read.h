/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * From YAML nodes to documents: what the readers of the single kinds share. Mistakes go to the
 * reader's diagnostics and reading goes on; what comes out then is partial, and whoever called
 * throws it away. All structures come zeroed and are owned by the caller in any case.
 */
#pragma once

#include "policies/document.h"
#include "policies/policy.h"
#include "policies/yaml_reader.h"

/* Reads one document, or a List of them, and appends what came out. text() gives the text of a node
 * (owned by the caller; NULL: out of memory). */
struct document_sink {
	struct document_list *list;
	char *(*text)(const yaml_node_t *node, void *userdata);
	void *userdata;
};
void document_read(struct yaml_reader *reader, yaml_node_t *node, const struct document_sink *sink);

void labels_read(
	struct yaml_reader *reader, yaml_node_t *node, const char *what, struct labels *labels);
/* matchLabels and matchExpressions. */
void selector_read(
	struct yaml_reader *reader, yaml_node_t *node, const char *what, struct selector *selector);
/* That, or a string as selector_parse() takes it. */
void selector_read_any(
	struct yaml_reader *reader, yaml_node_t *node, const char *what, struct selector *selector);

enum cidr_strictness {
	CIDR_LENIENT, /* bits behind the length are a warning, as in Kubernetes */
	CIDR_STRICT,
};
/* cidr and except (NULL: absent) into peer. */
void cidr_read(struct yaml_reader *reader, yaml_node_t *cidr, yaml_node_t *except,
	enum cidr_strictness strictness, struct policy_peer *peer);

/* Calls read for each item of the list at node, with a new rule of the policy. */
void rules_read(struct yaml_reader *reader, yaml_node_t *node, enum direction direction,
	struct policy *policy,
	void (*read)(struct yaml_reader *reader, yaml_node_t *node, enum direction direction,
		const struct document *document, struct policy_rule *rule),
	const struct document *document);
/* The same for the peers and the ports of a rule (node may be NULL: absent). */
void peers_read(struct yaml_reader *reader, yaml_node_t *node, const struct document *document,
	struct policy_rule *rule,
	void (*read)(struct yaml_reader *reader, yaml_node_t *node, const struct document *document,
		struct policy_peer *peer));
void ports_read(struct yaml_reader *reader, yaml_node_t *node, struct policy_rule *rule,
	void (*read)(struct yaml_reader *reader, yaml_node_t *node, struct policy_port *port));

/* A port as port_parse() takes it. */
void port_read(struct yaml_reader *reader, yaml_node_t *node, struct policy_port *port);

/* All of from behind the last of list, or none: 0 or -ENOMEM. */
int documents_append(struct document_list *list, const struct document_list *from);

struct policy_place place_of(const struct yaml_reader *reader, const yaml_node_t *node);

/* A copy into *ret; out of memory is noted in the reader. */
void string_copy(struct yaml_reader *reader, const char *text, char **ret);

/* The kinds. document->name is set, and document->namespace for all but a SegmentPolicy, which
 * settles it by its tier; document->policy exists for policies. */
void network_policy_read(struct yaml_reader *reader, yaml_node_t *spec, struct document *document);
void cluster_network_policy_read(
	struct yaml_reader *reader, yaml_node_t *spec, struct document *document);
void segment_policy_read(struct yaml_reader *reader, yaml_node_t *spec, struct document *document);
/* One peer of a SegmentPolicy's rule. */
void segment_peer_read(struct yaml_reader *reader, yaml_node_t *node,
	const struct document *document, struct policy_peer *peer);
void quarantine_read(struct yaml_reader *reader, yaml_node_t *spec, struct document *document);
void policy_test_read(struct yaml_reader *reader, yaml_node_t *spec, struct document *document);
void pod_read(struct yaml_reader *reader, yaml_node_t *spec, yaml_node_t *status,
	struct document *document);
/* What document->pod says, into a workload of the same name. */
int pod_to_model(const struct document *document, struct model *model, struct error *error);
void pod_free(struct model_workload *pod);
void node_read(struct yaml_reader *reader, yaml_node_t *status, struct document *document);
int node_to_model(const struct document *document, struct model *model);
void node_free(struct model_node *node);
