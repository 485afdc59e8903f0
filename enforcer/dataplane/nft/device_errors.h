/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ICMP errors that a workload sends, as rules of table netdev segd: only about packets that were
 * sent to it, and no redirects. conntrack would relate those about anybody's connections, since to
 * it any sender may be a router on the way.
 */
#pragma once

#include "dataplane/nft/batch.h"

#include <stdbool.h>

/* The chains that judge. As device_layout_write(), which calls it. */
int device_errors_write(struct batch *batch);
/* Leads errors from a chain of packets of that family to them. */
int device_errors_write_dispatch(struct batch *batch, const char *chain, bool ipv4);
