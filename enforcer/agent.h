/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The agent: it owns the parts and carries changes from one to the next. Policies and workloads
 * both end in agent_reconcile(); flow events go from the data plane to the pipeline.
 */
#pragma once

#include "base/error.h"
#include "base/histogram.h"
#include "base/laps.h"
#include "control/server.h"
#include "dataplane/dataplane.h"
#include "dataplane/host/host.h"
#include "dataplane/lock/second_lock.h"
#include "dataplane/xdp/xdp.h"
#include "flow/pipeline.h"
#include "options.h"
#include "policies/document.h"
#include "policies/ir.h"
#include "policies/model.h"
#include "policy_journal.h"
#include "rule_table.h"
#include "troubles.h"
#include "workload/links.h"
#include "workload/registry.h"
#include "workload/source.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <systemd/sd-event.h>

#define AGENT_SOURCES_MAX 4

struct agent_source {
	const struct workload_source_ops *ops;
	struct workload_source *source;
	bool healthy;
	char *message; /* NULL: nothing to say */
};

struct agent {
	const struct options *options;
	sd_event *event;
	uint64_t started_ns; /* CLOCK_REALTIME */

	/* who */
	struct registry *registry;
	struct links *links;
	struct agent_source sources[AGENT_SOURCES_MAX];
	size_t sources_count;
	struct guards *guards;

	/* what is in force: these three belong together and change in one step */
	struct document_list documents;
	struct policy_journal *policies; /* the same on disk */
	struct model *model;
	uint64_t model_changes;     /* registry_changes() when it was made … */
	uint64_t model_quarantines; /* … and quarantines_changes() */
	struct ir *ir;
	struct ir_compiler *compiler; /* knows the last one that was built */
	uint64_t generation;          /* of this agent's run, counts successful reconciles */

	/* how */
	const struct dataplane_ops *plane_ops;
	struct dataplane *plane;
	struct host *host;        /* policy on the node itself */
	struct second_lock *lock; /* NULL: none is wanted */
	struct quarantines *quarantines;
	struct confirm *confirm;              /* a decision on policies that is open, or NULL */
	struct dataplane_callbacks callbacks; /* of the data plane and of early dropping */
	struct xdp *early;
	struct uplinks *uplinks;           /* NULL: nothing asks for them */
	struct deny_reload *reloads;       /* that wait for the reading which runs; NULL: none */
	struct deny_reload *later_reloads; /* and for the one behind it */
	sd_event_source *retry;
	sd_event_source *trim; /* NULL: none was needed yet */
	char *last_error;      /* of the last reconcile; NULL: what it was about is in force */
	char *unstored;        /* why policies in force are not on disk; NULL: they are */
	uint64_t reconciled_ns;
	uint64_t reconcile_duration_ns;
	struct histogram reconciles;
	uint64_t reconciles_failed;
	struct laps laps; /* where that went */

	/* what happened */
	struct rule_table *rules;
	struct troubles troubles;
	struct flow_pipeline *flows;
	struct observer *observer; /* NULL: nobody looks into packets */
	struct detection *detection;
	struct capture_files *captures; /* into files; NULL: there were none yet */
	struct flow_health *health;     /* of what flows are written to */
	struct control_server *control;
	struct control_server *metrics; /* over TCP; NULL: not wanted */
};

int agent_new(const struct options *options, struct agent **ret, struct error *error);
/* Until a signal ends it. */
int agent_run(struct agent *agent, struct error *error);
void agent_free(struct agent *agent);

/* Brings the hits in rules up to date, where the data plane counts them itself. */
void agent_count_hits(struct agent *agent);

static inline void agent_freep(struct agent **agent)
{
	agent_free(*agent);
}
