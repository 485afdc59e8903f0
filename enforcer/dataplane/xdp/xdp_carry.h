/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "dataplane/bpf/pins.h"
#include "dataplane/xdp/xdp_objects.h"

/*
 * Brings what maps of another shape hold, which an agent of another version has left, into ours:
 * quarantines and the deny lists in force. What ours hold already stays. Their programs go on with
 * theirs until they are exchanged, so nothing is free in between.
 */
int xdp_carry(const struct xdp_objects *objects, const struct pins *pins, struct error *error);
