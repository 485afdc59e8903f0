/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Holds workloads to their own addresses: keeps table netdev segd's sets, and a chain on each
 * interface (device_layout.h), in step with the attachments. Refusals are counted by interface and
 * reason; what the refused packets said is not kept, so events have the workload's own address as
 * source, or as destination where it did not receive, and none at the other end.
 */
#pragma once

#include "base/error.h"
#include "dataplane/dataplane.h"

#include <jansson.h>
#include <stddef.h>

struct device_sources;

/* Takes over the chains that an earlier agent left. Copies the ethertypes of options. */
int device_sources_open(
	const struct dataplane_options *options, struct device_sources **ret, struct error *error);
void device_sources_free(struct device_sources *sources);

/* In one transaction. Attachments without a workload are left to device_guards.h. What is to go
 * altogether stays until device_sources_settle(). */
int device_sources_apply(
	struct device_sources *sources, const struct dataplane_state *state, struct error *error);

/* Lets go of interfaces that the last device_sources_apply() did not name. There is no way back. */
int device_sources_settle(struct device_sources *sources, struct error *error);
/* Puts the addresses back that were there before it. An interface that is new may send nothing. */
int device_sources_revert(struct device_sources *sources, struct error *error);
/* Somebody else was at the table: writes everything again. */
int device_sources_repair(struct device_sources *sources, struct error *error);

/* Reports what has been refused since the last call. */
int device_sources_collect(struct device_sources *sources,
	const struct dataplane_callbacks *callbacks, struct error *error);
/* Adds {"packets": n, "bytes": n} by reason. */
void device_sources_describe(struct device_sources *sources, json_t *counters);

static inline void device_sources_freep(struct device_sources **sources)
{
	device_sources_free(*sources);
}
