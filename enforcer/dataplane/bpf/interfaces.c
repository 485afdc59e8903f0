/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "dataplane/bpf/interfaces.h"

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/network_namespace.h"
#include "dataplane/bpf/interface_hooks.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void interface_free(struct interface *interface)
{
	for (unsigned int i = 0; i < ABI_DIRECTIONS; i++)
		closep(&interface->fds[i]);
	free(interface->netns);
	free(interface);
}

DEFINE_CLEANUP(struct interface *, interface_free)

void interfaces_clear(struct interfaces *interfaces)
{
	struct interface *interface, *next;

	HASH_ITER (hh, interfaces->items, interface, next) {
		HASH_DEL(interfaces->items, interface);
		interface_free(interface);
	}
}

struct interface *interfaces_find(const struct interfaces *interfaces, uint32_t ifindex)
{
	struct interface *interface;

	HASH_FIND(hh, interfaces->items, &ifindex, sizeof(ifindex), interface);
	return interface;
}

int interfaces_add(struct interfaces *interfaces, uint32_t ifindex, struct interface **ret)
{
	_cleanup_(interface_freep) struct interface *interface = NULL;
	struct interface *there = interfaces_find(interfaces, ifindex);

	if (there) {
		*ret = there;
		return 0;
	}
	interface = calloc(1, sizeof(*interface));
	if (!interface)
		return -ENOMEM;
	interface->ifindex = ifindex;
	for (unsigned int i = 0; i < ABI_DIRECTIONS; i++)
		interface->fds[i] = -1;
	HASH_ADD(hh, interfaces->items, ifindex, sizeof(ifindex), interface);
	if (!HASH_ADDED(interface))
		return -ENOMEM;
	*ret = TAKE_PTR(interface);
	return 0;
}

static void forget(struct interfaces *interfaces, struct interface *interface)
{
	HASH_DEL(interfaces->items, interface);
	interface_free(interface);
}

/* Which program is on the hook; 0: none of ours. */
static uint32_t attached(const struct interface *interface, enum abi_direction direction)
{
	struct occupation occupation = {0};

	return interface_hook_query(interface, direction, &occupation) < 0 ? 0
									   : occupation.program_id;
}

static bool is_whole(const struct interface *interface)
{
	return attached(interface, ABI_INGRESS) && attached(interface, ABI_EGRESS);
}

/* Of what happens in other network namespaces we hear nothing. */
static bool stays_whole(struct interface *interface)
{
	bool whole = interface->whole || is_whole(interface);

	interface->whole = whole && !network_namespace_is_interface(interface->ifindex);
	return whole;
}

int interface_set(const struct interfaces *interfaces, struct interface *interface,
	const struct abi_endpoint *endpoint, struct error *error)
{
	int r = bpf_map_update_elem(
		interfaces->objects->maps.endpoints, &interface->ifindex, endpoint, BPF_ANY);

	if (r == -E2BIG)
		return error_set(error, r, "table endpoints is full: more than %u interfaces",
			ABI_MAX_ENDPOINTS);
	if (r < 0)
		return error_errno(error, r, "write %s to table endpoints", interface->name);
	interface->endpoint = *endpoint;
	interface->known = true;
	return 0;
}

/* What leaves a workload is stopped first. */
int interfaces_attach(
	struct interfaces *interfaces, struct interface *interface, struct error *error)
{
	static const enum abi_direction order[ABI_DIRECTIONS] = {ABI_EGRESS, ABI_INGRESS};

	for (unsigned int i = 0; i < ABI_DIRECTIONS; i++) {
		const struct mechanism *mechanism = interface->mechanism;
		int r;

		if (attached(interface, order[i]))
			continue;
		if (!mechanism)
			mechanism = interfaces->preferred;
		r = interface_hook_attach(interfaces, interface, order[i], mechanism);
		if (r == -EOPNOTSUPP && mechanism != &clsact_mechanism) {
			mechanism = interfaces->preferred = &clsact_mechanism;
			r = interface_hook_attach(interfaces, interface, order[i], mechanism);
		}
		if (r < 0)
			return error_errno(error, r, "attach to interface %s (%u) by %s",
				interface->name, interface->ifindex, mechanism->name);
	}
	return 0;
}

static int guard(struct interfaces *interfaces, struct interface *interface, struct error *error)
{
	const struct abi_endpoint endpoint = {
		.attached_ns = clock_ns(CLOCK_BOOTTIME),
		.flags = ABI_ENDPOINT_GUARD,
	};

	return interface_set(interfaces, interface, &endpoint, error);
}

/* With an earlier agent's programs it goes on by that agent's maps until the programs are
 * exchanged; the guard is in ours. */
int interfaces_guard(
	struct interfaces *interfaces, struct interface *interface, struct error *error)
{
	int r;

	interface->carried = interfaces->outdated && is_whole(interface);
	interface->deferred = false;
	interface->moved = false;
	r = guard(interfaces, interface, error);
	return r < 0 ? r : interfaces_attach(interfaces, interface, error);
}

/* What the interface is called may change, and where its namespace is found. */
static int describe(struct interface *interface, const struct attachment *attachment)
{
	char *netns = NULL;

	if (attachment->netns) {
		netns = strdup(attachment->netns);
		if (!netns)
			return -ENOMEM;
	}
	free(interface->netns);
	interface->netns = netns;
	interface->inside = attachment->inside;
	snprintf(interface->name, sizeof(interface->name), "%s", attachment->name);
	return 0;
}

int interfaces_ensure(struct interfaces *interfaces, const struct attachment *attachment,
	struct interface **ret, struct error *error)
{
	struct interface *interface = interfaces_find(interfaces, attachment->ifindex);
	bool fresh = !interface;
	int r;

	if (fresh && interfaces_add(interfaces, attachment->ifindex, &interface) < 0)
		return error_nomem(error);
	if (describe(interface, attachment) < 0)
		return error_nomem(error);
	if (interface->known && !interface->moved && stays_whole(interface)) {
		*ret = interface;
		return 0;
	}
	r = interfaces_guard(interfaces, interface, error);
	if (r < 0) {
		if (fresh)
			interfaces_drop(interfaces, interface, NULL);
		return r;
	}
	*ret = interface;
	return 0;
}

int interfaces_note(struct interfaces *interfaces, const struct attachment *attachment,
	struct interface **ret, struct error *error)
{
	struct interface *interface = interfaces_find(interfaces, attachment->ifindex);

	if (interface && !interface->deferred)
		return interfaces_ensure(interfaces, attachment, ret, error);
	if (interfaces_add(interfaces, attachment->ifindex, &interface) < 0 ||
		describe(interface, attachment) < 0)
		return error_nomem(error);
	interface->endpoint.attached_ns = clock_ns(CLOCK_BOOTTIME);
	interface->deferred = true;
	*ret = interface;
	return 0;
}

static void withdraw(const struct interfaces *interfaces, struct interface *interface)
{
	if (interface->known)
		bpf_map_delete_elem(interfaces->objects->maps.endpoints, &interface->ifindex);
	interface->known = false;
}

/* Its index names nothing here, and the programs are still on it. */
static bool has_moved(const struct interface *interface)
{
	char name[IF_NAMESIZE];

	return !network_namespace_is_interface(interface->ifindex) &&
	       !if_indextoname(interface->ifindex, name) && is_whole(interface);
}

int interfaces_drop(struct interfaces *interfaces, struct interface *interface, struct error *error)
{
	int result = 0;

	if (has_moved(interface)) {
		withdraw(interfaces, interface);
		interface->moved = true;
		return 0;
	}
	for (unsigned int direction = 0; interface->mechanism && direction < ABI_DIRECTIONS;
		direction++) {
		int r = interface_hook_detach(interfaces, interface, direction);

		if (r < 0)
			result = error_errno(error, r, "detach from interface %s", interface->name);
	}
	withdraw(interfaces, interface);
	forget(interfaces, interface);
	return result;
}

/* All programs inside jump by one table, which has been filled with today's: theirs are exchanged
 * only where that table is another one. */
static int exchange(struct interfaces *interfaces, struct interface *interface,
	enum abi_direction direction, struct error *error)
{
	bool inside = network_namespace_is_interface(interface->ifindex);
	uint32_t id = inside ? 0 : attached(interface, direction);
	int r;

	if (inside ? !interfaces->outdated
		   : !id || id == interfaces->objects->program_ids[direction])
		return 0;
	r = interface_hook_exchange(interfaces, interface, direction);
	if (inside && r == -ENODEV)
		return 0;
	if (r < 0)
		return error_errno(
			error, r, "exchange the program on interface %s", interface->name);
	return 0;
}

int interfaces_exchange(struct interfaces *interfaces, struct error *error)
{
	for (struct interface *interface = interfaces->items; interface;
		interface = interface->hh.next) {
		for (unsigned int direction = 0; direction < ABI_DIRECTIONS; direction++) {
			int r = exchange(interfaces, interface, direction, error);

			if (r < 0)
				return r;
		}
	}
	interfaces->outdated = false;
	return 0;
}
