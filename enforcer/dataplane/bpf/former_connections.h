/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Connections in the maps of an earlier agent whose ABI was another, taken over into ours: with
 * their orientation, state, beginning and counters, so that none is cut and each goes on as the
 * same flow. They are entered as judged under no generation, so policy is asked about each on its
 * next packet.
 */
#pragma once

#include "dataplane/bpf/objects.h"
#include "dataplane/bpf/pins.h"

#include <stdint.h>

struct former_connections {
	uint64_t taken;
	uint64_t left; /* unreadable, or the table is full: for adoption, where that goes on */
};

/*
 * To be called before the attached programs are exchanged for ours, so that no packet meets a table
 * without its connection, and once more behind, for those that came between; what is in our table
 * already stays as it is. Counts into totals.
 *
 * What packets add to an old entry between the two calls is not in the new one's counters.
 */
void former_connections_take(
	struct objects *objects, const struct pins *pins, struct former_connections *totals);
