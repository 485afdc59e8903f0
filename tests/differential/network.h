/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The node and its neighbours as network namespaces without names: all is gone with the process.
 * The calling process becomes the node.
 */
#pragma once

#include "base/error.h"
#include "place.h"
#include "workload/netns.h"

enum topology {
	TOPOLOGY_BRIDGE, /* workloads are ports of one bridge */
	TOPOLOGY_ROUTED, /* each veth has its workload's routes */
	TOPOLOGIES
};

const char *topology_name(enum topology topology);

#define NETWORK_PIN_DIRECTORY "/mnt/bpf/segd" /* in a mount namespace of its own */

struct network {
	int spaces[PLACES];                                  /* descriptors of the namespaces */
	struct netns_interface *interfaces[PLACE_WORKLOADS]; /* one each; owned */
};

#define NETWORK_INIT                                                     \
	{                                                                \
		.spaces = {[0 ... PLACES - 1] = -1}, .interfaces = { 0 } \
	}

/* On failure what there is goes with the process. */
int network_build(enum topology topology, struct network *ret, struct error *error);
/* Closes descriptors; the process stays where it is. */
void network_clear(struct network *network);
