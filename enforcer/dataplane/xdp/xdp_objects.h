/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The programs of early dropping, loaded, and their maps, which are pinned below
 * PINS/maps-<version>-<reasons>: those that an earlier agent left there go on.
 */
#pragma once

#include "base/error.h"
#include "dataplane/bpf/objects.h"
#include "dataplane/bpf/pins.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct segd_xdp_bpf;

struct xdp_objects {
	struct segd_xdp_bpf *skeleton;
	int interfaces, investigators, deny_lists, counters; /* maps; borrowed from the skeleton */
	struct objects shared; /* control, denials, losses and part only: what denials.h uses */
};

int xdp_objects_open(struct xdp_objects *objects, const struct pins *pins, struct error *error);
void xdp_objects_close(struct xdp_objects *objects);
/* Whether a name among the pins is of maps that have another shape. */
bool xdp_objects_is_other(const struct xdp_objects *objects, const char *name);
/* The pins of all those. */
int xdp_objects_remove_others(
	const struct xdp_objects *objects, const struct pins *pins, struct error *error);
/* Puts a map of ranges (-1: none) in the place of the one that is in force, in one step: each
 * packet sees the former lists or these. */
int xdp_objects_set_deny_lists(const struct xdp_objects *objects, int map, struct error *error);
/* How many ranges are in force. */
size_t xdp_objects_count_denied(const struct xdp_objects *objects);
