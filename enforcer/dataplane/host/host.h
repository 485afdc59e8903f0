/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Policy on the node itself (subject entity:host), beside either data plane: table inet segd_host
 * on the input and output hooks. It exists only while some policy binds the node, goes on while the
 * agent is away, and is taken over by the next one. A connection that policy allowed and allows no
 * longer is cut, as in the nftables data plane, whose parts do the work here.
 *
 * Connections between the node and a workload of this node are reported by the data plane, which
 * judges the workload's end; what is reported of them here is what the node's policy refuses, cuts
 * or audits.
 *
 * Used from the event loop's thread only.
 */
#pragma once

#include "base/error.h"
#include "dataplane/dataplane.h"
#include "dataplane/host/failsafe.h"
#include "policies/ir.h"

#include <jansson.h>
#include <stdint.h>
#include <systemd/sd-event.h>

struct host;

struct host_options {
	struct failsafe failsafe;
	uint16_t nflog_group;
	uint64_t adoption_ns; /* how long mid-stream TCP is taken in after the table was made */
};

/* Finds what an earlier agent left; it goes on until the first apply. Without nf_tables in the
 * kernel only an apply that binds the node fails (-EOPNOTSUPP). 0 or -ENOMEM. */
int host_open(const struct host_options *options, const struct dataplane_callbacks *callbacks,
	sd_event *event, struct host **ret, struct error *error);

/* Makes the IR's policy on the node the truth; without one the table goes. On failure the earlier
 * policy stays in force. */
int host_apply(struct host *host, const struct ir *ir, struct error *error);

/* As dataplane_ops.collect. */
int host_collect(struct host *host, struct error *error);

/* {"bound": true, "failsafe": "tcp/22", "connections": n, "counters": {…}, "repairs": {…}}. New
 * reference. */
json_t *host_describe(struct host *host);

/* detach: the table goes, too. */
void host_close(struct host *host, bool detach);
