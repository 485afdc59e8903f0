/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "workload/docker_interfaces.h"

#include "base/cleanup.h"

#include <errno.h>
#include <string.h>

static bool is_assigned(const struct workload *workload, const struct netns_interface *inside)
{
	for (size_t i = 0; i < workload->interfaces_count; i++)
		if (workload->interfaces[i].ifindex == inside->peer)
			return true;
	return false;
}

static int match_by_mac(struct workload *workload, const char *path,
	const struct netns_interface *inside, size_t count)
{
	int r = 0;

	for (size_t i = 0; i < workload->interfaces_count; i++) {
		struct workload_interface *interface = &workload->interfaces[i];

		for (size_t j = 0; r == 0 && !interface->ifindex && j < count; j++)
			if (inside[j].peer && !is_assigned(workload, &inside[j]) &&
				memcmp(inside[j].mac, interface->mac, sizeof(interface->mac)) == 0)
				r = workload_interface_locate(interface, &inside[j], path);
	}
	return r;
}

/* One network and one veth are left: they belong together whatever MAC the container has set. */
static int match_last(struct workload *workload, const char *path,
	const struct netns_interface *inside, size_t count)
{
	struct workload_interface *interface = NULL;
	const struct netns_interface *veth = NULL;
	size_t interfaces = 0, veths = 0;

	for (size_t i = 0; i < workload->interfaces_count; i++)
		if (!workload->interfaces[i].ifindex) {
			interface = &workload->interfaces[i];
			interfaces++;
		}
	for (size_t i = 0; i < count; i++)
		if (inside[i].peer && !is_assigned(workload, &inside[i])) {
			veth = &inside[i];
			veths++;
		}
	if (interfaces != 1 || veths != 1)
		return 0;
	return workload_interface_locate(interface, veth, path);
}

int docker_match_interfaces(struct workload *workload, const char *path,
	const struct netns_interface *inside, size_t count)
{
	if (match_by_mac(workload, path, inside, count) < 0 ||
		match_last(workload, path, inside, count) < 0)
		return -ENOMEM;
	for (size_t i = 0; i < count; i++) {
		struct workload_interface *extra;

		if (!inside[i].peer || is_assigned(workload, &inside[i]))
			continue;
		if (workload_add_interface(workload, &extra) < 0 ||
			workload_interface_locate(extra, &inside[i], path) < 0)
			return -ENOMEM;
		memcpy(extra->mac, inside[i].mac, sizeof(extra->mac));
	}
	return 0;
}
