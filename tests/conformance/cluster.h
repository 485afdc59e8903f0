/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The state of a cluster at one step: who is there and which policies are in force. Either as the
 * corpus lists it, or as it comes out of replaying actions. Values of the corpus are shared, never
 * changed.
 */
#pragma once

#include "base/error.h"
#include "corpus.h"

#include <jansson.h>
#include <stdio.h>

struct cluster {
	json_t *namespaces; /* name: labels */
	json_t *pods;       /* array; the newest is last */
	json_t *nodes;      /* name: {labels, ip} */
	json_t *policies;   /* array of documents of any kind */
};

/* The cluster of that key, without policies. -EINVAL: there is none, or it is malformed. */
int cluster_load(
	const struct corpus *corpus, const char *key, struct cluster *ret, struct error *error);
/* What the step says is in force: "cluster", "policies", "namespace_labels". */
int cluster_load_step(const struct corpus *corpus, const char *key, const json_t *step,
	struct cluster *ret, struct error *error);
/* One action of a step. -EINVAL: unknown or malformed, or about something that is not there. */
int cluster_apply(struct cluster *cluster, const json_t *action, struct error *error);
void cluster_clear(struct cluster *cluster);

#define _cleanup_cluster_ __attribute__((cleanup(cluster_clear)))
