/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The programs, loaded, and their maps: those that an earlier agent pinned where their shape is
 * ours, else new ones.
 */
#pragma once

#include "base/error.h"
#include "dataplane/bpf/pins.h"
#include "dataplane/dataplane.h"
#include "xdp/abi.h"

#include <stdbool.h>
#include <stdint.h>

/* Every map that is shared with the programs and outlives the agent. */
/* clang-format off */
#define OBJECT_MAPS(X)                                                                           \
	X(control) X(endpoints) X(addresses) X(prefixes) X(identities) X(peers) X(peer_tables)   \
	X(port_tables) X(ports) X(connections) X(shares) X(hits) X(recent_hits) X(denials) X(fragments)         \
	X(counters) X(losses) X(events) X(samples) X(inside)
/* clang-format on */

struct objects {
	struct {
#define X(name) int name;
		OBJECT_MAPS(X)
#undef X
	} maps;
	int programs[ABI_DIRECTIONS]; /* ABI_EGRESS: what leaves the workload */
	uint32_t program_ids[ABI_DIRECTIONS];
	struct abi_configuration configuration; /* as frozen into the programs */
	struct abi_control *control;            /* memory of the map */
	struct abi_identity *identities;        /* memory of the map, as far as it is reached */
	size_t identities_bytes;
	struct abi_share *shares; /* memory of the map; NULL: early dropping has none */
	char part[64];            /* where the maps are pinned, below the pin directory */
};

#define OBJECTS_INIT                                                          \
	{                                                                     \
		.maps = {OBJECT_MAPS(OBJECTS_CLOSED)}, .programs = { -1, -1 } \
	}
#define OBJECTS_CLOSED(name) .name = -1,

/* After it control->generation says whether an earlier agent has filled the maps. */
int objects_open(struct objects *objects, const struct pins *pins, uint32_t abi_version,
	const struct dataplane_options *options, struct error *error);
void objects_close(struct objects *objects);

/* Whether something below the pin directory is a set of maps, of whatever ABI. */
bool objects_is_part(const char *name);

/* Removes the pins of all maps but these: no program that is attached uses others any more. */
int objects_remove_others(
	const struct objects *objects, const struct pins *pins, struct error *error);

/* The running generation, and the slot of identities that it reads. */
uint32_t objects_generation(const struct objects *objects);
unsigned int objects_slot(const struct objects *objects);
/* The one step from the running generation to the next: all that was written before is seen by
 * every packet that sees it. */
void objects_flip(struct objects *objects);
/* Waits until all packets that programs are working on now are done with: a fraction of a
 * millisecond, or some where grace.h cannot hurry. */
void objects_wait_for_packets(void);
/* What a workload takes of the connection table; owner as in struct abi_connection. */
struct abi_share *objects_share(const struct objects *objects, uint32_t owner);
/* An entry of this hook was taken out of denials. */
void objects_denial_gone(const struct objects *objects, uint32_t ifindex);
/* Makes the identities below this number, at most ABI_MAX_IDENTITIES, be in memory. Those that were
 * may be elsewhere then. 0 or -ENOMEM. */
int objects_reach(struct objects *objects, uint32_t end, struct error *error);
/* The meaning of an identity in a slot, if it is reached. */
struct abi_identity *objects_identity(
	const struct objects *objects, uint32_t number, unsigned int slot);
