/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the agent wishes to be dropped early, from its options, its workloads and its routes. */
#pragma once

#include "agent.h"

/* Before the first reconcile; takes over what an earlier agent left. A deny list that cannot be
 * read is a trouble, and the former one goes on. */
int early_open(struct agent *agent, struct error *error);
void early_close(struct agent *agent);
/* Takes what any agent left out of the kernel. */
int early_remove(const struct options *options, struct error *error);

/* After a reconcile: whose connections are limited, and who is in quarantine. */
void early_workloads_changed(struct agent *agent);
/* What the uplinks and the lists in force ask for. */
int early_apply(struct agent *agent, struct error *error);

/* Puts early dropping's own counters among those of the data plane's description. */
void early_merge_counters(struct agent *agent, json_t *plane);
