/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Programs of a few instructions, made here: too small to be worth a place among the real ones. */
#pragma once

#include "dataplane/bpf/objects.h"
#include "xdp/abi.h"

#include <stdint.h>

/* Refuses everything. *ret: a descriptor of its own. */
int stub_hold(int *ret);

/*
 * In a workload's own namespace an interface's index says nothing to the node, and no kernel tells
 * its program where it runs. So each gets a program that knows, writes the number that the node
 * knows the interface by into skb->cb[0], and jumps to the program that all share. Where that is
 * missing, everything is refused.
 */
int stub_inside(
	const struct objects *objects, enum abi_direction direction, uint32_t number, int *ret);
