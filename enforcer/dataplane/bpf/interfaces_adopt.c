/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Interfaces on which an earlier agent left its programs, found by their pins. */
#include "dataplane/bpf/interfaces.h"

#include "base/cleanup.h"
#include "base/network_namespace.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct adoption {
	struct interfaces *interfaces;
	const struct mechanism *mechanism;
};

/* "7-leave" */
static int parse_name(const char *name, struct hook *ret)
{
	enum abi_direction direction;
	unsigned long ifindex;
	char *end;

	errno = 0;
	ifindex = strtoul(name, &end, 10);
	if (errno || end == name || !ifindex || ifindex > UINT32_MAX)
		return -EINVAL;
	if (strcmp(end, "-leave") == 0)
		direction = ABI_EGRESS;
	else if (strcmp(end, "-enter") == 0)
		direction = ABI_INGRESS;
	else
		return -EINVAL;
	*ret = (struct hook){.ifindex = (uint32_t)ifindex, .direction = direction};
	return 0;
}

static int visit(const char *name, void *userdata, struct error *error)
{
	struct adoption *adoption = userdata;
	const struct mechanism *mechanism = adoption->mechanism;
	_cleanup_close_ int fd = -1;
	struct interface *interface;
	char path[PATH_MAX];
	struct hook hook;
	struct occupation occupation = {0};
	struct hook query;
	int r;

	if (parse_name(name, &hook) < 0)
		return 0;
	fd = bpf_obj_get(pins_path(adoption->interfaces->pins, mechanism->part, name, path));
	if (fd < 0)
		return error_errno(error, -errno, "open pin %s", path);
	/* Which namespace an interface inside is in, only an apply says. */
	query = hook;
	if (network_namespace_is_interface(hook.ifindex))
		query = (struct hook){0, hook.direction, true, false};
	r = mechanism->query(&query, fd, &occupation);
	if (r < 0)
		return error_errno(error, r, "ask what is attached by %s", path);
	if (!occupation.program_id)
		/* The interface is gone, and what is left is only a name. */
		return unlink(path) < 0 ? error_errno(error, -errno, "remove pin %s", path) : 0;
	r = interfaces_add(adoption->interfaces, hook.ifindex, &interface);
	if (r < 0)
		return error_nomem(error);
	interface->mechanism = mechanism;
	interface->fds[hook.direction] = TAKE_FD(fd);
	return 0;
}

static int read_endpoint(struct interfaces *interfaces, struct interface *interface)
{
	int r = bpf_map_lookup_elem(
		interfaces->objects->maps.endpoints, &interface->ifindex, &interface->endpoint);

	if (r < 0 && r != -ENOENT)
		return r;
	interface->known = r == 0;
	/* Its agent was killed before it knew the workload: ours may not know it yet, either. */
	interface->waiting = interface->known && interface->endpoint.flags & ABI_ENDPOINT_GUARD;
	return 0;
}

int interfaces_adopt(struct interfaces *interfaces, struct error *error)
{
	static const struct mechanism *const mechanisms[] = {&clsact_mechanism, &tcx_mechanism};
	int r;

	for (size_t i = 0; i < ARRAY_SIZE(mechanisms); i++) {
		struct adoption adoption = {interfaces, mechanisms[i]};

		r = pins_make(interfaces->pins, mechanisms[i]->part, error);
		if (r < 0)
			return r;
		r = pins_list(interfaces->pins, mechanisms[i]->part, visit, &adoption, error);
		if (r < 0)
			return r;
	}
	for (struct interface *interface = interfaces->items; interface;
		interface = interface->hh.next) {
		if (!if_indextoname(interface->ifindex, interface->name))
			interface->name[0] = '\0';
		r = read_endpoint(interfaces, interface);
		if (r < 0)
			return error_errno(error, r, "read table endpoints");
	}
	interfaces->outdated = objects_generation(interfaces->objects) == 0;
	return interfaces->outdated ? 0 : interfaces_exchange(interfaces, error);
}
