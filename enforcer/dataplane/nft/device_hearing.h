/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which workloads are deaf to what is not addressed to one of their addresses: multicast,
 * broadcast, link-local addresses, frames that a bridge floods. Table inet judges by destination,
 * so nobody's policy is asked about those. Where a workload's ingress refuses anything at all, only
 * the node's own pass, as far as that ingress allows all of them.
 */
#pragma once

#include "dataplane/dataplane.h"
#include "dataplane/nft/element.h"

#include <stdint.h>

struct device_hearing {
	struct ir_address *node; /* the node's own among the IR's addresses */
	size_t node_count;
	uint8_t *openness; /* by peer table: whether its ingress allows all */
};

/* Once, for all attachments of a state. 0 or -ENOMEM. */
int device_hearing_new(const struct ir *ir, struct device_hearing *ret);
void device_hearing_clear(struct device_hearing *hearing);
/* Adds what concerns this attachment, which has a workload. deaf: interface; from, by ipv4:
 * interface and a source that it hears all the same. 0 or -ENOMEM. */
int device_hearing_add(struct device_hearing *hearing, const struct dataplane_state *state,
	const struct attachment *attachment, struct element_list *deaf,
	struct element_list *const from[2]);
