/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One reconcile in the kernel: from the running generation to the next in one store.
 *
 *   ensure   programs and guards on new interfaces
 *   build    numbers for tables and identities (no kernel)
 *   stage    tables, both slots of identities, new entries; what changes hands is withdrawn
 *   flip     control.generation
 *   grant    addresses to their owners, guards off, connections taken over and programs exchanged
 *            from an agent of another ABI, interfaces left, their addresses withdrawn
 *   collect  once no packet is judged by the former generation: delete what only that used
 *
 * An address that changes hands belongs to no interface between stage and grant: its former owner
 * has no right to it in the next generation, its new one had none in the running one.
 */
#pragma once

#include "base/error.h"
#include "dataplane/bpf/former_connections.h"
#include "dataplane/bpf/identities.h"
#include "dataplane/bpf/interfaces.h"
#include "dataplane/bpf/objects.h"
#include "dataplane/bpf/tables.h"
#include "dataplane/dataplane.h"

#include <stdbool.h>
#include <stdint.h>

struct generations {
	struct objects *objects;
	struct interfaces *interfaces;
	struct tables tables;
	struct identities identities;
	uint64_t adoption_ns;
	bool uncollected;                 /* a former generation's leftovers are still there */
	struct former_connections former; /* of an agent of another ABI */
};

/* Rebuilds from the maps what runs. */
int generations_adopt(struct generations *generations, struct error *error);
int generations_apply(
	struct generations *generations, const struct dataplane_state *state, struct error *error);
/* Waits until no packet is judged by the former generation (some milliseconds), then deletes what
 * only that used. Does nothing where there is nothing to do. */
void generations_collect(struct generations *generations);
void generations_clear(struct generations *generations);
