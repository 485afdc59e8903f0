/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "workload/netns.h"

#include "base/cleanup.h"
#include "base/network_namespace.h"
#include "workload/rtnetlink.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/rtnetlink.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What one look gathers. */
struct listing {
	struct netns_interface *items;
	int32_t *nsids; /* of each one's peer, as numbered inside */
	size_t count;
	uint64_t cookie; /* of the namespace */
	bool any_inside; /* there is an interface that has no end on the node */
};

static void listing_clear(struct listing *listing)
{
	netns_interfaces_free(listing->items, listing->count);
	free(listing->nsids);
}

/* A socket belongs to the namespace that it was opened in, so the thread is elsewhere for one
 * system call only. */
static int open_socket_inside(int target, struct mnl_socket **ret, struct error *error)
{
	_cleanup_namespace_ struct network_namespace visit = NETWORK_NAMESPACE_INIT;
	int r = network_namespace_enter(target, &visit);

	if (r < 0)
		return error_errno(error, r, "enter the network namespace");
	return rtnetlink_open(0, ret, error);
}

static int add_link(const struct nlmsghdr *message, void *userdata)
{
	struct listing *listing = userdata;
	struct rtnetlink_link link;
	struct netns_interface *items;
	int32_t *nsids;

	if (!rtnetlink_parse_link(message, &link) || link.loopback)
		return 0;
	for (size_t i = 0; i < listing->count; i++) /* a dump that was repeated */
		if (listing->items[i].ifindex == link.ifindex)
			return 0;
	items = reallocarray(listing->items, listing->count + 1, sizeof(*items));
	if (!items)
		return -ENOMEM;
	listing->items = items;
	nsids = reallocarray(listing->nsids, listing->count + 1, sizeof(*nsids));
	if (!nsids)
		return -ENOMEM;
	listing->nsids = nsids;
	nsids[listing->count] = link.nsid;
	items += listing->count++;
	*items = (struct netns_interface){
		.ifindex = link.ifindex,
		/* A veth without a namespace number has both ends in there. */
		.peer = link.veth && link.nsid != RTNETLINK_NSID_SAME ? link.link : 0,
	};
	if (link.sub && listing->cookie) {
		listing->any_inside = true;
		items->peer = network_namespace_interface(listing->cookie, link.ifindex);
		memcpy(items->peer_name, link.name, sizeof(items->peer_name));
	}
	memcpy(items->name, link.name, sizeof(items->name));
	memcpy(items->mac, link.mac, sizeof(items->mac));
	return 0;
}

static int interface_add_address(struct netns_interface *interface, const struct address *address)
{
	struct address *grown;

	for (size_t i = 0; i < interface->addresses_count; i++)
		if (address_equal(&interface->addresses[i], address))
			return 0;
	grown = reallocarray(interface->addresses, interface->addresses_count + 1, sizeof(*grown));
	if (!grown)
		return -ENOMEM;
	interface->addresses = grown;
	grown[interface->addresses_count++] = *address;
	return 0;
}

static int add_address(const struct nlmsghdr *message, void *userdata)
{
	struct listing *listing = userdata;
	struct rtnetlink_address address;

	if (!rtnetlink_parse_address(message, &address) || address.link_local)
		return 0;
	for (size_t i = 0; i < listing->count; i++)
		if (listing->items[i].ifindex == address.ifindex)
			return interface_add_address(&listing->items[i], &address.address);
	return 0;
}

/*
 * An ifindex says nothing without its namespace: the other end may be in a third one, where the
 * same number means something else. The two ends must name each other.
 */
static int check_peer(
	struct mnl_socket *own, int target, struct netns_interface *interface, struct error *error)
{
	struct rtnetlink_link peer;
	int32_t nsid = RTNETLINK_NSID_SAME;
	int r;

	r = rtnetlink_get_link(own, interface->peer, &peer, NULL);
	if (r < 0 && r != -ENODEV)
		return error_errno(error, r, "look up network interface %u", interface->peer);
	/* Only now, since looking at the link is what numbers its other end's namespace. */
	if (r == 0) {
		r = rtnetlink_get_nsid(own, target, &nsid, error);
		if (r < 0)
			return r;
	}
	if (r == -ENODEV || !peer.veth || peer.link != interface->ifindex ||
		nsid == RTNETLINK_NSID_SAME || peer.nsid != nsid) {
		interface->peer = 0;
		return 0;
	}
	memcpy(interface->peer_name, peer.name, sizeof(interface->peer_name));
	return 0;
}

static int list(int target, struct listing *listing, struct error *error)
{
	_cleanup_(rtnetlink_closep) struct mnl_socket *inside = NULL, *own = NULL;
	int r;

	r = open_socket_inside(target, &inside, error);
	if (r < 0)
		return r;
	r = rtnetlink_open(0, &own, error);
	if (r < 0)
		return r;
	/* Kernels before 5.14 have no such number: what is inside cannot be enforced there. */
	if (network_namespace_cookie(mnl_socket_get_fd(inside), &listing->cookie) < 0)
		listing->cookie = 0;
	r = rtnetlink_dump(inside, RTM_GETLINK, add_link, listing, error);
	if (r < 0)
		return r;
	r = rtnetlink_dump(inside, RTM_GETADDR, add_address, listing, error);
	for (size_t i = 0; r == 0 && i < listing->count; i++)
		if (listing->items[i].peer &&
			!network_namespace_is_interface(listing->items[i].peer))
			r = check_peer(own, target, &listing->items[i], error);
	if (r == 0 && listing->any_inside)
		r = rtnetlink_number_namespace(own, target, error);
	return r;
}

int netns_list_interfaces(
	const char *path, struct netns_interface **ret, size_t *ret_count, struct error *error)
{
	_cleanup_(listing_clear) struct listing listing = {0};
	/* Not to block where somebody has put a FIFO. */
	_cleanup_close_ int target = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	int r;

	if (target < 0)
		return error_errno(error, -errno, "open network namespace %s", path);
	r = list(target, &listing, error);
	if (r < 0)
		return error_context(error, r, "list interfaces of network namespace %s", path);
	*ret = TAKE_PTR(listing.items);
	*ret_count = listing.count;
	listing.count = 0;
	return 0;
}

void netns_interfaces_free(struct netns_interface *interfaces, size_t count)
{
	for (size_t i = 0; interfaces && i < count; i++)
		free(interfaces[i].addresses);
	free(interfaces);
}
