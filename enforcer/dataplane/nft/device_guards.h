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

struct device_guards;

/* Takes over the guards that an earlier agent left. */
int device_guards_open(struct device_guards **ret, struct error *error);
void device_guards_free(struct device_guards *guards);

/* No-op for an interface that is guarded. */
int device_guards_add(
	struct device_guards *guards, uint32_t ifindex, const char *name, struct error *error);
int device_guards_remove(struct device_guards *guards, uint32_t ifindex, struct error *error);
/* Somebody else was at the table: writes all again. */
int device_guards_repair(struct device_guards *guards, struct error *error);
/* Forgets those whose interface is gone. */
void device_guards_prune(struct device_guards *guards);
/* Removes the table, if it is there. */
int device_guards_remove_all(struct device_guards *guards, struct error *error);

static inline void device_guards_freep(struct device_guards **guards)
{
	device_guards_free(*guards);
}
