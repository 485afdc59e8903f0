/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which data plane enforces, and the change from one to the other: the new one is in force before
 * the former is taken out of the kernel, so there is no moment without. DIR/dataplane in the state
 * directory names the one that was used last.
 */
#pragma once

#include "agent.h"

/* By --dataplane; sets agent->plane_ops and agent->plane. */
int planes_open(
	struct agent *agent, const struct dataplane_callbacks *callbacks, struct error *error);

/* After the first successful reconcile: removes what another data plane left of an earlier run. */
int planes_retire_former(struct agent *agent, struct error *error);

/* Takes everything out of the kernel that any of options' data planes left there. */
int planes_remove(const struct options *options, struct error *error);
