/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Who is there: the workloads and namespaces that policies are resolved against. Offline it comes
 * from Pod and Namespace documents, in the agent from the runtimes. Plain data, owned by the model;
 * whoever builds it adds in any order and calls model_finish() once.
 */
#pragma once

#include "base/address.h"
#include "base/error.h"
#include "policies/labels.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MODEL_NAMESPACE_DEFAULT "default"
/* Every namespace carries this label with its own name. */
#define MODEL_NAMESPACE_LABEL "kubernetes.io/metadata.name"

struct model_namespace {
	char *name;
	struct labels labels;
};

/* A named port of a workload: what a policy's "http" means there. */
struct model_port {
	char *name;
	uint16_t port;    /* host byte order */
	uint8_t protocol; /* IPPROTO_TCP, IPPROTO_UDP, IPPROTO_SCTP */
};

struct model_workload {
	char *namespace;
	char *name;
	struct labels labels;
	struct address *addresses; /* sorted */
	size_t addresses_count;
	struct model_port *ports;
	size_t ports_count;
	bool host_network; /* shares the node's addresses: not a subject, no peer by label */
	bool remote;       /* on another node: a peer, but nothing here enforces its own policies */
	unsigned int *references; /* private: of what this points to, which copies share */
};

/* Whose an address is. */
struct model_address {
	struct address address;
	size_t workload; /* index */
};

/* A machine of the cluster: a peer by its labels. */
struct model_node {
	char *name;
	struct labels labels;
	struct address *addresses;
	size_t addresses_count;
};

struct model_name; /* private: finds names that come twice */

struct model {
	struct model_namespace *namespaces; /* by name */
	size_t namespaces_count;
	struct model_workload *workloads; /* by namespace, name */
	size_t workloads_count;
	struct model_node *nodes;
	size_t nodes_count;
	struct address *host_addresses; /* entity host: the node's own, sorted */
	size_t host_addresses_count;
	struct model_address *addresses; /* of all workloads but host-network ones, sorted; made by
					    model_finish() */
	size_t addresses_count;
	struct model_name *names;
	size_t finished_count; /* private: so many workloads are sorted and in addresses */
	unsigned int references;
};

int model_new(struct model **ret);
/* Drops one reference; the last one frees. */
void model_free(struct model *model);
/* A finished model does not change any more, so it can be kept by several. */
struct model *model_reference(struct model *model);

/*
 * The same once more, to be changed and finished anew while the first stays as it is. Workloads are
 * shared between both, so this and a few changes take far less than building a model. model is
 * finished. 0 or -ENOMEM.
 */
int model_copy(const struct model *model, struct model **ret);
/* Of a copy, before anything is added to it. -ENOENT: not there. */
int model_remove_workload(struct model *model, const char *namespace, const char *name);

/* Adds or replaces. Copies labels (NULL: none). */
int model_add_namespace(struct model *model, const char *name, const struct labels *labels);

/* Adds a workload without labels, addresses and ports; *ret is valid until the next addition. A
 * second one of the same namespace and name is -EEXIST. */
int model_add_workload(
	struct model *model, const char *namespace, const char *name, struct model_workload **ret);
int model_workload_add_address(struct model_workload *workload, const struct address *address);
int model_workload_add_port(
	struct model_workload *workload, const char *name, uint8_t protocol, uint16_t port);
/* Adds or replaces. Copies labels. *ret has no addresses and is valid until the next addition. */
int model_add_node(struct model *model, const char *name, const struct labels *labels,
	struct model_node **ret);
int model_node_add_address(struct model_node *node, const struct address *address);
void model_node_clear(struct model_node *node);
int model_add_host_address(struct model *model, const struct address *address);

/* For who builds each model from the ground up: takes workloads that are just as in former from
 * there, so that both share them as if one were a copy of the other. Both are finished. */
void model_share(struct model *model, const struct model *former);

/* Private to the model's own files. */
void model_workload_clear(struct model_workload *workload);
/* model_finish() in a copied model: puts the last workload where it belongs. 0 or -ENOMEM. */
int model_insert_last(struct model *model);

/* Sorts, adds namespaces that only workloads name, and each namespace's own name as its label. One
 * address on two workloads is -EADDRINUSE with both names in the error. */
int model_finish(struct model *model, struct error *error);

const struct model_namespace *model_find_namespace(const struct model *model, const char *name);
const struct model_workload *model_find_workload(
	const struct model *model, const char *namespace, const char *name);
const struct model_workload *model_find_address(
	const struct model *model, const struct address *address);

static inline void model_freep(struct model **model)
{
	model_free(*model);
}
