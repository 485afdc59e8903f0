/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a workload may send at all, as rules of table netdev segd: only in its own name. The same
 * checks as xdp/source.bpf.h and xdp/neighbour.bpf.h make.
 *
 *	sends-N (ingress of interface N) -> leave: one look-up of interface, MAC and address, and
 *	the packet passes; what that does not find is taken apart for the reason, and dropped.
 *
 * device_arrival.h has the other way.
 */
#pragma once

#include "dataplane/dataplane.h"
#include "dataplane/nft/batch.h"
#include "xdp/reasons.h"

#include <stddef.h>

#define DEVICE_CHECK "leave" /* where chains of interfaces lead */

/* Keys: interface and MAC, then an address where the name says so. */
#define DEVICE_MACS   "macs"
#define DEVICE_OWN4   "own4"
#define DEVICE_OWN6   "own6"
#define DEVICE_CLAIMS "claims6" /* own6 and the link-local addresses made of the MACs */

/* Counting sets by interface, named as their reason. POLICY_DENIED is about what enters it
 * (device_arrival.h), the others are about what leaves it. */
#define DEVICE_REASONS ((size_t)10)
extern const enum reason device_reasons[DEVICE_REASONS];

/* Sets and chains; chains that are there get these rules instead of theirs. batch is of family
 * netdev, and has the table; ethertypes are as in dataplane.h. 0 or -ENOMEM. */
int device_layout_write(
	struct batch *batch, const uint16_t ethertypes[static DATAPLANE_ETHERTYPES]);
