/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Cutting workloads off: the agent's quarantines, from the store to the data plane and back.
 *
 * A change is in the kernel first and on disk next, since an intruder who fills the disk must not
 * keep himself from being locked in. The kernel goes on while no agent runs; one that ends
 * meanwhile is ended by the next agent, before anything else. Times are of the wall clock, as a
 * person means them.
 */
#pragma once

#include "agent.h"
#include "quarantine_list.h"

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

struct quarantines;

/* Before the first reconcile. 0, -ENOMEM, -EBADMSG (the agent must not start). */
int quarantines_open(struct agent *agent, struct error *error);
void quarantines_free(struct quarantines *quarantines);

struct quarantine_request {
	const char *namespace;
	const char *name;
	const char *reason;
	json_t *allow;        /* as in a Quarantine's spec, or NULL; borrowed */
	uint64_t duration_ns; /* 0: until someone ends it */
	enum quarantine_origin origin;
	const char *user;
	uint32_t uid;
};

/*
 * Isolates the workload, whether it runs already or will; a quarantine that it has is replaced.
 * When it returns 0, the next packet is refused.
 *
 * Detectors are bounded: -EDQUOT where as many of origin QUARANTINE_DETECTOR are in force as the
 * agent's options allow; -EEXIST where a person has quarantined the workload. -EINVAL: reason or
 * allow; -EOPNOTSUPP: it shares the node's network; -ENOSPC. On failure nothing changes, except
 * with -ESTALE: it is in force, but not on disk.
 */
int quarantine_add(
	struct agent *agent, const struct quarantine_request *request, struct error *error);
/* As above; -ENOENT. What was allowed before passes again. */
int quarantine_remove(
	struct agent *agent, const char *namespace, const char *name, struct error *error);

/* Sorted; valid until the next change. */
const struct quarantine_list *quarantines_list(const struct agent *agent);
/* Another number after each change. */
uint64_t quarantines_changes(const struct agent *agent);
/* NULL: it is free. */
const struct quarantine *quarantine_of(const struct agent *agent, const struct workload *workload);

/* For reconcile: labels the quarantined workloads of a model that is not finished. */
int quarantines_mark(const struct agent *agent, struct model *model);
/* After a reconcile: notes which container has a quarantined name now. */
void quarantines_follow(struct agent *agent);
/* Early dropping knows no rules: puts the quarantine's to a refusal of its own. */
void quarantines_name_rule(const struct agent *agent, struct flow_event *event);
