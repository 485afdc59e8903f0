/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Interfaces whose workload is not known yet: everything from and to them is dropped.
 *
 * The inet hooks see a bridged packet under the bridge's name, not the port's, and no ARP. So the
 * guards are base chains of their own table, netdev segd, at the ingress and egress hooks of the
 * interface itself: what the workload sends is dropped where it enters the node, what is sent to it
 * where it would leave.
 */
#pragma once

#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct guards;

/* Takes over the guards that an earlier agent left. */
int guards_open(struct guards **ret, struct error *error);
void guards_free(struct guards *guards);

/* No-op for an interface that is guarded. */
int guards_add(struct guards *guards, uint32_t ifindex, const char *name, struct error *error);
int guards_remove(struct guards *guards, uint32_t ifindex, struct error *error);
bool guards_has(const struct guards *guards, uint32_t ifindex);
/* Forgets those whose interface is gone. */
void guards_prune(struct guards *guards);
/* Removes the table, if it is there. */
int guards_remove_all(struct guards *guards, struct error *error);

static inline void guards_freep(struct guards **guards)
{
	guards_free(*guards);
}
