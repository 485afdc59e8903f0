/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What samples of packets say, between data plane and flow pipeline (observe/observer.h). */
#pragma once

#include "agent.h"
#include "observe/observer.h"

/* Unless --no-observe; after the flow pipeline, before the data plane. */
int observation_open(struct agent *agent, struct error *error);
/* null where nobody looks. New reference. */
json_t *observation_describe(const struct agent *agent);

/* As in struct dataplane_callbacks and struct flow_resolver; userdata: the agent. */
void observation_sample(const struct flow_sample *sample, void *userdata);
struct name *observation_named(const struct name *workload, const struct address *address,
	struct name *end, uint64_t start_ns, void *userdata);
void observation_observed(const struct flow_event *event, struct name_pool *pool,
	struct flow_observation *ret, void *userdata);
