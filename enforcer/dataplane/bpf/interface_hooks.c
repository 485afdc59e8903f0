/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "dataplane/bpf/interface_hooks.h"

#include "base/cleanup.h"
#include "base/network_namespace.h"
#include "dataplane/bpf/stubs.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/socket.h>

static const char *pin_path(const struct interfaces *interfaces, const struct mechanism *mechanism,
	uint32_t ifindex, enum abi_direction direction, char path[static PATH_MAX])
{
	static const char *const suffixes[ABI_DIRECTIONS] = {
		[ABI_INGRESS] = "enter",
		[ABI_EGRESS] = "leave",
	};
	char name[32];

	snprintf(name, sizeof(name), "%u-%s", ifindex, suffixes[direction]);
	return pins_path(interfaces->pins, mechanism->part, name, path);
}

/* The path may lead to another namespace by now: process numbers come again. */
static int check_namespace(const struct interface *interface)
{
	_cleanup_close_ int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	uint64_t cookie;
	int r;

	if (fd < 0)
		return -errno;
	r = network_namespace_cookie(fd, &cookie);
	if (r < 0)
		return r;
	return network_namespace_interface(cookie, interface->inside) == interface->ifindex
		       ? 0
		       : -ENODEV;
}

/* Goes to where the hook is; the caller leaves again. */
static int reach(const struct interface *interface, enum abi_direction direction,
	struct network_namespace *visit, struct hook *ret)
{
	_cleanup_close_ int target = -1;
	int r;

	*ret = (struct hook){interface->ifindex, direction, false, false};
	if (!network_namespace_is_interface(interface->ifindex))
		return 0;
	*ret = (struct hook){interface->inside, direction, true, false};
	if (!interface->netns) /* adopted, and not named by an apply yet */
		return -ENODEV;
	target = open(interface->netns, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	if (target < 0)
		return errno == ENOENT ? -ENODEV : -errno;
	r = network_namespace_enter(target, visit);
	/* EINVAL: a file that no namespace is mounted on any more. */
	if (r < 0)
		return r == -EINVAL ? -ENODEV : r;
	return check_namespace(interface);
}

/* *ret is borrowed where the interface is on the node, else made, and in owned. */
static int program_of(const struct interfaces *interfaces, const struct interface *interface,
	enum abi_direction direction, int *owned, int *ret)
{
	int r;

	if (!network_namespace_is_interface(interface->ifindex)) {
		*ret = interfaces->objects->programs[direction];
		return 0;
	}
	r = stub_inside(interfaces->objects, direction, interface->ifindex, owned);
	*ret = *owned;
	return r;
}

int interface_hook_attach(const struct interfaces *interfaces, struct interface *interface,
	enum abi_direction direction, const struct mechanism *mechanism)
{
	_cleanup_namespace_ struct network_namespace visit = NETWORK_NAMESPACE_INIT;
	_cleanup_close_ int owned = -1;
	char path[PATH_MAX];
	struct hook hook;
	int program = -1, fd = -1, r;

	r = program_of(interfaces, interface, direction, &owned, &program);
	if (r == 0)
		r = reach(interface, direction, &visit, &hook);
	if (r == 0)
		r = mechanism->attach(&hook, program,
			pin_path(interfaces, mechanism, interface->ifindex, direction, path), &fd);
	if (r < 0)
		return r;
	closep(&interface->fds[direction]);
	interface->fds[direction] = fd;
	interface->mechanism = mechanism;
	return 0;
}

int interface_hook_query(
	const struct interface *interface, enum abi_direction direction, struct occupation *ret)
{
	_cleanup_namespace_ struct network_namespace visit = NETWORK_NAMESPACE_INIT;
	struct hook hook;
	int r;

	if (!interface->mechanism || interface->fds[direction] < 0) {
		*ret = (struct occupation){0};
		return 0;
	}
	r = reach(interface, direction, &visit, &hook);
	return r < 0 ? r : interface->mechanism->query(&hook, interface->fds[direction], ret);
}

int interface_hook_exchange(const struct interfaces *interfaces, struct interface *interface,
	enum abi_direction direction)
{
	_cleanup_namespace_ struct network_namespace visit = NETWORK_NAMESPACE_INIT;
	_cleanup_close_ int owned = -1;
	char path[PATH_MAX];
	struct hook hook;
	int program = -1, r;

	r = program_of(interfaces, interface, direction, &owned, &program);
	if (r == 0)
		r = reach(interface, direction, &visit, &hook);
	if (r < 0)
		return r;
	return interface->mechanism->exchange(&hook, program,
		pin_path(interfaces, interface->mechanism, interface->ifindex, direction, path),
		&interface->fds[direction]);
}

int interface_hook_advance(const struct interfaces *interfaces, struct interface *interface,
	enum abi_direction direction)
{
	_cleanup_namespace_ struct network_namespace visit = NETWORK_NAMESPACE_INIT;
	_cleanup_close_ int owned = -1, hold = -1;
	char path[PATH_MAX];
	struct hook hook;
	int program = -1, r;

	r = stub_hold(&hold);
	if (r == 0)
		r = program_of(interfaces, interface, direction, &owned, &program);
	if (r == 0)
		r = reach(interface, direction, &visit, &hook);
	if (r < 0)
		return r;
	return interface->mechanism->advance(&hook, program, hold,
		pin_path(interfaces, interface->mechanism, interface->ifindex, direction, path),
		&interface->fds[direction]);
}

int interface_hook_detach(const struct interfaces *interfaces, const struct interface *interface,
	enum abi_direction direction)
{
	_cleanup_namespace_ struct network_namespace visit = NETWORK_NAMESPACE_INIT;
	char path[PATH_MAX];
	struct hook hook;
	int r;

	pin_path(interfaces, interface->mechanism, interface->ifindex, direction, path);
	r = reach(interface, direction, &visit, &hook);
	/* With the namespace the interface has gone: only the pin is left, and is enough for a
	 * link. */
	if (r == -ENODEV && interface->mechanism == &clsact_mechanism)
		return unlink(path) < 0 && errno != ENOENT ? -errno : 0;
	if (r < 0 && r != -ENODEV)
		return r;
	return interface->mechanism->detach(&hook, path);
}
