/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Neighbour discovery (RFC 4861) and listener discovery (RFC 3810), as a workload may send them.
 *
 * Rules cannot walk a list of options. So messages pass that have none or one, without extension
 * headers, as all known systems send them; others are refused.
 */
#pragma once

#include "dataplane/nft/batch.h"

#define DEVICE_STRANGER "stranger-ipv6" /* chain: source is no address that a runtime knows */

/* The chains. device_layout.h's sets and refusals must be there. */
int device_discovery_write(struct batch *batch);

/* Rules that let such messages pass, whatever they say. */
int device_discovery_write_passage(struct batch *batch, const char *chain);
/* Rules that lead such messages to them, in chain, where the source is from first to last (NULL:
 * any), 16 bytes each. */
int device_discovery_write_dispatch(
	struct batch *batch, const char *chain, const void *first, const void *last);
