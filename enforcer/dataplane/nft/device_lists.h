/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the sets of table netdev segd that are keyed by interface hold, and what changes in them
 * with a new state. Whatever is the same for an interface as before costs a look at it and no more.
 */
#pragma once

#include "dataplane/dataplane.h"
#include "dataplane/nft/batch.h"
#include "dataplane/nft/element.h"

#define DEVICE_LISTS ((size_t)9)

/* By set; each sorted. */
struct device_lists {
	struct element_list items[DEVICE_LISTS];
};

/* Likewise. */
struct device_lists_change {
	struct device_lists removed;
	struct device_lists added;
};

/* What has to change in lists, so that they say what state says of attachments that have a
 * workload. 0 or -ENOMEM; *ret is to be cleared in any case. */
int device_lists_compare(const struct device_lists *lists, const struct dataplane_state *state,
	struct device_lists_change *ret);
/* 0, or -ENOMEM and lists stay. Back again, there is always room. */
int device_lists_patch(struct device_lists *lists, const struct device_lists_change *change);
/* The way back. Borrows from change. */
struct device_lists_change device_lists_reverse(const struct device_lists_change *change);
/* 0 or -ENOMEM. */
int device_lists_write(struct batch *batch, const struct device_lists_change *change);

void device_lists_clear(struct device_lists *lists);
void device_lists_change_clear(struct device_lists_change *change);
