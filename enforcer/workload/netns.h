/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Looking into another network namespace: its interfaces and the hosts' ends of its veths. */
#pragma once

#include "base/address.h"
#include "base/error.h"

#include <stddef.h>
#include <stdint.h>

struct netns_interface {
	char name[16];      /* inside */
	uint32_t ifindex;   /* inside */
	uint32_t peer;      /* veth: ifindex of the other end in the agent's namespace; macvlan and
			       ipvlan, which have none: network_namespace_interface(); else 0 */
	char peer_name[16]; /* as on the node; of those without another end: its name inside */
	uint8_t mac[6];
	struct address *addresses; /* without link-local ones */
	size_t addresses_count;
};

/*
 * Lists the interfaces, except loopback, of the namespace at path ("/run/netns/web",
 * "/proc/4711/ns/net"). peer is set only where the other end really is in the agent's own namespace
 * (checked by link-netnsid and by the peer's own iflink). A namespace with interfaces that have no
 * other end gets a number, so that NETLINK_LISTEN_ALL_NSID hears from it. The calling thread's
 * namespace is the same before and after. -ENOENT: no such namespace.
 */
int netns_list_interfaces(
	const char *path, struct netns_interface **ret, size_t *ret_count, struct error *error);
void netns_interfaces_free(struct netns_interface *interfaces, size_t count);
