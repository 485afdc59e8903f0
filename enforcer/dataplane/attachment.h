/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Where a workload meets the node: one entry for each interface of each local workload. What an
 * entry points to is the registry's, and there until that changes. */
#pragma once

#include "base/address.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct attachment {
	uint32_t ifindex;  /* host side of the veth, in the agent's network namespace; or the number
			      of one inside (base/network_namespace.h) */
	uint32_t inside;   /* macvlan, ipvlan: index in the workload's namespace; else 0 */
	const char *netns; /* then: path of that namespace; else NULL */
	char name[16];     /* its name, for people */
	uint8_t mac[6];    /* the workload's own side */
	const struct address *addresses;
	size_t addresses_count;
	int64_t workload; /* index into the model's workloads; -1: guard, not known yet: refuse all
			   */
	bool adopt;       /* the workload may have connections from before enforcement */
};
