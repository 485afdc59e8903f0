/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What enters a workload without being addressed to it, as rules of table netdev segd:
 *
 *	enters-N (egress of interface N) -> enter: what is for the workload's own addresses passes,
 *	since table inet has judged it; what is not passes unless the workload is deaf to it
 *	(device_hearing.h).
 */
#pragma once

#include "dataplane/nft/batch.h"

#define DEVICE_ARRIVAL "enter"

/* Keys: interface, then an address where there is one. */
#define DEVICE_AT4   "at4" /* the workload's own */
#define DEVICE_AT6   "at6"
#define DEVICE_DEAF  "deaf"
#define DEVICE_FROM4 "hears4"
#define DEVICE_FROM6 "hears6"

/* As device_layout_write(), which calls it; the refusals' chains must be there. */
int device_arrival_write(struct batch *batch);
