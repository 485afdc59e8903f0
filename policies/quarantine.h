/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A Quarantine document: one workload, cut off in both directions, above all policies.
 *
 *   {apiVersion: segctl.io/v1, kind: Quarantine, metadata: {name: web, namespace: shop},
 *    spec: {reason: "odd DNS traffic", allow: [{from: [{cidr: 192.0.2.7/32}], ports: [tcp/22]}]}}
 *
 * Its name and namespace are the workload's own. It becomes a policy of TIER_QUARANTINE whose
 * subject is whoever carries the label QUARANTINE_LABEL with its value, which no document and no
 * selector can write: labels of others are as they were.
 */
#pragma once

#include "policies/document.h"
#include "policies/model.h"

/* Selectors may ask whether it is there; its value is "namespace/name". */
#define QUARANTINE_LABEL      "segctl.io/quarantine"
#define QUARANTINE_REASON_MAX 256 /* bytes */

/* Puts the label of the quarantine on a workload of a model that is not finished yet; one that is
 * not there is passed over. 0 or -ENOMEM. */
int quarantine_mark(const struct document *quarantine, const char *namespace, const char *name,
	struct model *model);
