/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which of a container's interfaces is on which of its networks. Pure. */
#pragma once

#include "workload/netns.h"
#include "workload/registry.h"

/*
 * Sets ifindex and name of the workload's interfaces from what its network namespace, which is at
 * path, holds: matched
 * by MAC address, and where one of each is left (the container may have changed its MAC), these
 * two. Addresses and MAC stay those that the runtime gave out. A veth that belongs to no network is
 * added without addresses, so that it is enforced too. 0 or -ENOMEM.
 */
int docker_match_interfaces(struct workload *workload, const char *path,
	const struct netns_interface *inside, size_t count);
