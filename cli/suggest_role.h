/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What part somebody plays, in the labels that a person would choose: not this container, but all
 * that do the same work. */
#pragma once

#include "policies/model.h"

#include <stdbool.h>

struct suggest_role {
	char *namespace; /* of a workload; NULL: it is none */
	char *selector;  /* "app=web,env=prod"; NULL: nothing to select it by */
	char *word;      /* for names of policies: "web", "host", "outside" */
	bool host;
	struct address address; /* where there is no selector, and it is not the host */
};

/*
 * The fewest labels that take, in its namespace, just the workloads which differ from this one by
 * nothing but hashes, numbers and versions. app, app.kubernetes.io/name and the like come first.
 * workload: NULL for the node (host) or an address outside.
 */
void suggest_role_find(const struct model *model, const struct model_workload *workload, bool host,
	const struct address *address, struct suggest_role *ret);
void suggest_role_clear(struct suggest_role *role);

/* "app=web", "entity:host", as the subject of a policy; the role has a selector, or is the host.
 * New string. */
char *suggest_role_subject(const struct suggest_role *role);
/* "{workloads: app=web}", "{entity: host}", "{cidr: 192.0.2.1/32}", as a peer in a policy of that
 * namespace. New string. */
char *suggest_role_peer(const struct suggest_role *role, const char *namespace);

#define _cleanup_role_ __attribute__((cleanup(suggest_role_clear)))
