/* SPDX-License-Identifier: GPL-2.0-or-later */
/* From documents and workloads to an enforced generation. */
#pragma once

#include "agent.h"

/*
 * Compiles documents against the workloads of now and makes the data plane enforce it. With
 * documents NULL the applied ones stay and only the workloads are new.
 *
 * New documents are stored before they count: 0 means that they are on disk and in the kernel. On
 * failure the generation in force stays, on disk as in the kernel; but for -ESTALE: the new one is
 * in force, and what is on disk nobody knows. The caller keeps documents.
 */
int agent_reconcile(
	struct agent *agent, const struct document_list *documents, struct error *error);

/* The same for documents that must be in force, whether they can be stored or not: -ESTALE, too,
 * where they cannot. */
int agent_fall_back(
	struct agent *agent, const struct document_list *documents, struct error *error);

/* Only whether documents compile against the workloads of now; nothing changes. */
int agent_check(struct agent *agent, const struct document_list *documents, struct error *error);

/* The registry has changed: reconcile, and on failure again a little later. For event handlers. */
void agent_workloads_changed(void *agent);
