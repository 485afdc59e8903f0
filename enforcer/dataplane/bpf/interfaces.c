/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "dataplane/bpf/interfaces.h"

#include "base/cleanup.h"
#include "base/clock.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const direction_suffixes[ABI_DIRECTIONS] = {
	[ABI_INGRESS] = "enter",
	[ABI_EGRESS] = "leave",
};

static const char *pin_path(const struct interfaces *interfaces, const struct mechanism *mechanism,
	const struct hook *hook, char path[static PATH_MAX])
{
	char name[32];

	snprintf(name, sizeof(name), "%u-%s", hook->ifindex, direction_suffixes[hook->direction]);
	return pins_path(interfaces->pins, mechanism->part, name, path);
}

static void interface_free(struct interface *interface)
{
	for (unsigned int i = 0; i < ABI_DIRECTIONS; i++)
		closep(&interface->fds[i]);
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
	if (!interface->hh.tbl)
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
	const struct hook hook = {interface->ifindex, direction};
	uint32_t id = 0;

	if (!interface->mechanism || interface->fds[direction] < 0)
		return 0;
	return interface->mechanism->query(&hook, interface->fds[direction], &id) < 0 ? 0 : id;
}

static bool is_whole(const struct interface *interface)
{
	return attached(interface, ABI_INGRESS) && attached(interface, ABI_EGRESS);
}

/* The same interface as before, not one that was given its index. */
static bool is_same(const struct interface *interface)
{
	char name[IF_NAMESIZE];

	return if_indextoname(interface->ifindex, name) && strcmp(name, interface->name) == 0;
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

static int attach(struct interfaces *interfaces, struct interface *interface,
	enum abi_direction direction, const struct mechanism *mechanism)
{
	const struct hook hook = {interface->ifindex, direction};
	char path[PATH_MAX];
	int fd = -1;
	int r;

	r = mechanism->attach(&hook, interfaces->objects->programs[direction],
		pin_path(interfaces, mechanism, &hook, path), &fd);
	if (r < 0)
		return r;
	closep(&interface->fds[direction]);
	interface->fds[direction] = fd;
	interface->mechanism = mechanism;
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
		r = attach(interfaces, interface, order[i], mechanism);
		if (r == -EOPNOTSUPP && mechanism != &clsact_mechanism) {
			mechanism = interfaces->preferred = &clsact_mechanism;
			r = attach(interfaces, interface, order[i], mechanism);
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

int interfaces_ensure(struct interfaces *interfaces, uint32_t ifindex, const char *name,
	struct interface **ret, struct error *error)
{
	struct interface *interface = interfaces_find(interfaces, ifindex);
	bool fresh = !interface;
	int r;

	if (interface && interface->known && is_whole(interface)) {
		*ret = interface;
		return 0;
	}
	if (fresh) {
		r = interfaces_add(interfaces, ifindex, &interface);
		if (r < 0)
			return error_nomem(error);
	}
	snprintf(interface->name, sizeof(interface->name), "%s", name);
	/* With an earlier agent's programs it goes on by that agent's maps until the programs are
	 * exchanged; the guard is in ours. */
	interface->carried = interfaces->outdated && is_whole(interface);
	interface->deferred = false;
	r = guard(interfaces, interface, error);
	if (r == 0)
		r = interfaces_attach(interfaces, interface, error);
	if (r < 0) {
		if (fresh)
			interfaces_drop(interfaces, interface, NULL);
		return r;
	}
	*ret = interface;
	return 0;
}

int interfaces_note(struct interfaces *interfaces, uint32_t ifindex, const char *name,
	struct interface **ret, struct error *error)
{
	struct interface *interface = interfaces_find(interfaces, ifindex);

	if (interface && !interface->deferred)
		return interfaces_ensure(interfaces, ifindex, name, ret, error);
	if (interfaces_add(interfaces, ifindex, &interface) < 0)
		return error_nomem(error);
	snprintf(interface->name, sizeof(interface->name), "%s", name);
	interface->endpoint.attached_ns = clock_ns(CLOCK_BOOTTIME);
	interface->deferred = true;
	*ret = interface;
	return 0;
}

int interfaces_drop(struct interfaces *interfaces, struct interface *interface, struct error *error)
{
	const struct mechanism *mechanism = interface->mechanism;
	int result = 0;

	for (unsigned int direction = 0; mechanism && direction < ABI_DIRECTIONS; direction++) {
		const struct hook hook = {interface->ifindex, direction};
		char path[PATH_MAX];
		int r;

		r = mechanism->detach(&hook, pin_path(interfaces, mechanism, &hook, path));
		if (r < 0)
			result = error_errno(error, r, "detach from interface %s", interface->name);
	}
	if (interface->known)
		bpf_map_delete_elem(interfaces->objects->maps.endpoints, &interface->ifindex);
	forget(interfaces, interface);
	return result;
}

int interfaces_exchange(struct interfaces *interfaces, struct error *error)
{
	for (struct interface *interface = interfaces->items; interface;
		interface = interface->hh.next) {
		for (unsigned int direction = 0; direction < ABI_DIRECTIONS; direction++) {
			const struct hook hook = {interface->ifindex, direction};
			char path[PATH_MAX];
			uint32_t id = attached(interface, direction);
			int r;

			if (!id || id == interfaces->objects->program_ids[direction])
				continue;
			r = interface->mechanism->exchange(&hook,
				interfaces->objects->programs[direction],
				pin_path(interfaces, interface->mechanism, &hook, path),
				&interface->fds[direction]);
			if (r < 0)
				return error_errno(error, r, "exchange the program on interface %s",
					interface->name);
		}
	}
	interfaces->outdated = false;
	return 0;
}

static void repair(struct interfaces *interfaces, struct interface *interface,
	void (*trouble)(const char *message, bool repaired, void *userdata), void *userdata)
{
	_cleanup_error_ struct error error = ERROR_INIT;
	_cleanup_free_ char *message = NULL;
	int r = interfaces_attach(interfaces, interface, &error);

	if (asprintf(&message, "someone has detached the programs from interface %s%s%s",
		    interface->name, r < 0 ? ": " : "", r < 0 ? error_message(&error) : "") < 0)
		message = NULL;
	trouble(message ? message : "someone has detached the programs from an interface", r == 0,
		userdata);
}

void interfaces_check(struct interfaces *interfaces, size_t limit,
	void (*trouble)(const char *message, bool repaired, void *userdata), void *userdata)
{
	struct interface *interface = interfaces_find(interfaces, interfaces->checked), *next;

	if (!interface)
		interface = interfaces->items;
	for (; interface && limit > 0; interface = next, limit--) {
		next = interface->hh.next;
		interfaces->checked = next ? next->ifindex : 0;
		if (!interface->known || interface->deferred || is_whole(interface))
			continue;
		if (is_same(interface))
			repair(interfaces, interface, trouble, userdata);
		else if (interface->waiting)
			interfaces_drop(interfaces, interface, NULL);
	}
}
