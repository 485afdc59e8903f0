/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What one reconcile does to interfaces: new ones are guarded, known ones opened, others left. */
#pragma once

#include "dataplane/bpf/generation.h"

/* Guards every interface of the state that our programs are not on yet. One that is gone already is
 * passed over: whoever watches links will say so. On failure the guards stay. */
int endpoints_ensure(
	struct generations *generations, const struct dataplane_state *state, struct error *error);
/* Tells the kernel which workloads are behind the interfaces, so that they are judged by policy. */
int endpoints_grant(
	struct generations *generations, const struct dataplane_state *state, struct error *error);
/* The state will not be: what was to be attached behind the flip becomes a guard. */
void endpoints_give_up(struct generations *generations);
/* Detaches from interfaces that the state does not name. */
int endpoints_leave(struct generations *generations, struct error *error);
