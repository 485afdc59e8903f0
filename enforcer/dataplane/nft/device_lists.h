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

struct device_inputs; /* private: what lists were made of */

/* By set; each sorted. */
struct device_lists {
	struct element_list items[DEVICE_LISTS];
	struct device_inputs *inputs;
};

/* Likewise. */
struct device_lists_change {
	struct element_list removed[DEVICE_LISTS];
	struct element_list added[DEVICE_LISTS];
	struct device_inputs *inputs; /* of the lists as they are not */
	size_t *differing;            /* indexes of attachments that are not as before */
	size_t differing_count;
};

/*
 * What has to change in lists, so that they say what state says of attachments that have a
 * workload. What its IR shares with another one is to live until the next comparison, or
 * device_lists_forget() comes before that. 0 or -ENOMEM; *ret is to be cleared in any case.
 */
int device_lists_compare(const struct device_lists *lists, const struct dataplane_state *state,
	struct device_lists_change *ret);
/* The next comparison takes nothing for granted. */
void device_lists_forget(struct device_lists *lists);
/* 0, or -ENOMEM and lists stay. */
int device_lists_patch(struct device_lists *lists, struct device_lists_change *change);
/* The way back from there, for which there is always room. */
void device_lists_unpatch(struct device_lists *lists, struct device_lists_change *change);
/* 0 or -ENOMEM. back: the way back. */
int device_lists_write(struct batch *batch, const struct device_lists_change *change, bool back);
/* All of lists. 0 or -ENOMEM. */
int device_lists_write_all(struct batch *batch, const struct device_lists *lists);

void device_lists_clear(struct device_lists *lists);
void device_lists_change_clear(struct device_lists_change *change);
