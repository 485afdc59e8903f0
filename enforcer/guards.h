/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Interfaces that belong to some workload, but nobody knows yet to which: a new veth on a runtime's
 * bridge. They are refused everything from the moment they appear, so that no packet passes before
 * policy does.
 */
#pragma once

#include "dataplane/attachment.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct guards;

int guards_new(struct guards **ret);
void guards_free(struct guards *guards);

/* A bridge of which every port is guarded until its workload is known. */
int guards_set_bridge(struct guards *guards, const char *bridge, bool present);
bool guards_cover(const struct guards *guards, const char *bridge);

int guards_add(struct guards *guards, uint32_t ifindex, const char *name);
void guards_remove(struct guards *guards, uint32_t ifindex);

/* Adds an attachment without a workload for each guarded interface that is not in the list, keeping
 * its order by ifindex; one that is in the list is guarded no longer. 0 or -ENOMEM. */
int guards_add_attachments(struct guards *guards, struct attachment **attachments, size_t *count);
