/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What early dropping consists of. */
#pragma once

#include "base/hash.h"
#include "dataplane/bpf/denials.h"
#include "dataplane/bpf/report.h"
#include "dataplane/xdp/deny_job.h"
#include "dataplane/xdp/xdp.h"
#include "dataplane/xdp/xdp_hooks.h"
#include "dataplane/xdp/xdp_objects.h"

#define XDP_ROLE_UPLINK      1U
#define XDP_ROLE_WORKLOAD    2U
#define XDP_ROLE_QUARANTINED 4U

/* An interface with a wish. */
struct xdp_target {
	struct xdp_interface interface;
	unsigned int roles; /* XDP_ROLE_*; 0: left by an earlier agent, and nobody wishes for it */
	bool failed;        /* and trouble was told */
	bool listed;        /* the map has it */
	struct abi_early_interface entry;
	UT_hash_handle hh;
};

struct xdp_deny_state {
	size_t *prefixes;   /* of each file; NULL: none loaded by this agent */
	size_t ranges;      /* in force */
	uint64_t loaded_ns; /* CLOCK_REALTIME */
	uint64_t duration_ns;
	char *error;          /* of the last load; NULL: it succeeded */
	struct deny_job *job; /* that runs, or NULL */
	xdp_deny_lists_fn done;
	void *userdata;
};

struct xdp {
	struct xdp_options options;
	struct dataplane_callbacks callbacks;
	sd_event *event;
	sd_event_source *tick;
	bool is_open; /* pins, objects, hooks and denials are there */
	struct pins pins;
	struct xdp_objects objects;
	struct xdp_hooks hooks;
	struct report report;
	struct denials denials;
	struct xdp_target *targets;
	struct xdp_deny_state deny;
	bool tidy; /* no pins but ours are left */
	bool tick_fails;
};

/* xdp.c: loads programs and maps, and takes over what is pinned. Does nothing where it is open. */
int xdp_open(struct xdp *xdp, struct error *error);
/* xdp_targets.c */
struct xdp_target *xdp_targets_get(struct xdp *xdp, const struct xdp_interface *interface);
int xdp_targets_adopt(struct xdp *xdp, struct error *error);
void xdp_targets_clear(struct xdp *xdp);
/* xdp_quarantine.c */
int xdp_investigators_write(
	struct xdp *xdp, const struct xdp_quarantine *quarantine, struct error *error);
