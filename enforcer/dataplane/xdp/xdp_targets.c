/* SPDX-License-Identifier: GPL-2.0-or-later */
/* From wishes to programs on interfaces. */
#include "dataplane/xdp/xdp_private.h"

#include "base/cleanup.h"
#include "base/clock.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct xdp_target *xdp_targets_get(struct xdp *xdp, const struct xdp_interface *interface)
{
	_cleanup_free_ struct xdp_target *fresh = NULL;
	struct xdp_target *target;

	HASH_FIND(hh, xdp->targets, &interface->ifindex, sizeof(interface->ifindex), target);
	if (target) {
		target->interface = *interface;
		return target;
	}
	fresh = calloc(1, sizeof(*fresh));
	if (!fresh)
		return NULL;
	fresh->interface = *interface;
	HASH_ADD(hh, xdp->targets, interface.ifindex, sizeof(interface->ifindex), fresh);
	return HASH_ADDED(fresh) ? TAKE_PTR(fresh) : NULL;
}

static void forget(struct xdp *xdp, struct xdp_target *target)
{
	HASH_DEL(xdp->targets, target);
	free(target);
}

void xdp_targets_clear(struct xdp *xdp)
{
	struct xdp_target *target, *next;

	HASH_ITER (hh, xdp->targets, target, next) {
		forget(xdp, target);
	}
}

/* What an earlier agent's map says: quarantines go on until they are set. */
int xdp_targets_adopt(struct xdp *xdp, struct error *error)
{
	uint32_t ifindex, *former = NULL;

	while (bpf_map_get_next_key(xdp->objects.interfaces, former, &ifindex) == 0) {
		struct xdp_interface interface = {.ifindex = ifindex, .veth = true};
		struct abi_early_interface entry;
		struct xdp_target *target;
		char name[IF_NAMESIZE];

		former = &ifindex;
		if (bpf_map_lookup_elem(xdp->objects.interfaces, &ifindex, &entry) < 0)
			continue;
		if (if_indextoname(ifindex, name))
			snprintf(interface.name, sizeof(interface.name), "%s", name);
		target = xdp_targets_get(xdp, &interface);
		if (!target)
			return error_nomem(error);
		target->entry = entry;
		target->listed = true;
		if (entry.jobs & ABI_EARLY_QUARANTINE && *interface.name)
			target->roles |= XDP_ROLE_QUARANTINED;
	}
	return 0;
}

static void limit(struct abi_early_interface *entry, uint32_t per_second)
{
	if (!per_second)
		return;
	entry->jobs |= ABI_EARLY_LIMIT;
	entry->limit_interval_ns = NS_PER_SECOND / per_second;
	entry->limit_burst_ns = NS_PER_SECOND;
}

/* Workloads' own limit where an interface is both. */
static struct abi_early_interface entry_of(const struct xdp *xdp, const struct xdp_target *target)
{
	struct abi_early_interface entry = {.hook = ABI_INGRESS};

	if (target->roles & XDP_ROLE_UPLINK) {
		limit(&entry, xdp->options.uplink_limit);
		if (xdp->deny.ranges)
			entry.jobs |= ABI_EARLY_DENY_LIST;
	}
	if (target->roles & XDP_ROLE_WORKLOAD)
		limit(&entry, xdp->options.workload_limit);
	if (target->roles & XDP_ROLE_QUARANTINED)
		entry.jobs |= ABI_EARLY_QUARANTINE;
	if (target->roles & (XDP_ROLE_WORKLOAD | XDP_ROLE_QUARANTINED))
		entry.hook = ABI_EGRESS;
	return entry;
}

static bool has_jobs(const struct xdp *xdp)
{
	for (const struct xdp_target *target = xdp->targets; target; target = target->hh.next) {
		if (entry_of(xdp, target).jobs)
			return true;
	}
	return false;
}

/* Before the programs look for it. */
static int list(struct xdp *xdp, struct xdp_target *target, const struct abi_early_interface *entry,
	struct error *error)
{
	int r;

	if (target->listed && !memcmp(entry, &target->entry, sizeof(*entry)))
		return 0;
	r = bpf_map_update_elem(
		xdp->objects.interfaces, &target->interface.ifindex, entry, BPF_ANY);
	if (r < 0)
		return error_errno(
			error, r, "write %s to table early_interfaces", target->interface.name);
	target->entry = *entry;
	target->listed = true;
	return 0;
}

static void tell(struct xdp *xdp, struct xdp_target *target, const char *what, const char *why)
{
	_cleanup_free_ char *message = NULL;

	if (target->failed)
		return;
	target->failed = true;
	if (asprintf(&message, "interface %s: %s%s%s", target->interface.name, what,
		    *why ? ": " : "", why) < 0)
		message = NULL;
	xdp->callbacks.trouble(message ? message : what, false, xdp->callbacks.userdata);
}

/* Native where it pays: a quarantined workload's own throughput is nobody's concern. */
static enum xdp_mechanism first_way(const struct xdp_target *target)
{
	return target->interface.veth && !(target->roles & XDP_ROLE_QUARANTINED) ? XDP_TC
										 : XDP_NATIVE;
}

static int ensure(
	struct xdp *xdp, struct xdp_target *target, enum xdp_side side, struct error *error)
{
	struct xdp_hook *hook = xdp_hooks_find(&xdp->hooks, target->interface.ifindex, side);
	bool foreign, lost = hook && !xdp_hook_holds(hook);
	int r;

	if (hook && !lost && xdp_hook_is_first(hook)) {
		hook->wanted = true;
		return xdp_hooks_exchange(&xdp->hooks, hook, &xdp->objects, error);
	}
	/* Attached anew it comes first; the data plane judges meanwhile as ever. */
	if (hook)
		xdp_hooks_drop(&xdp->hooks, hook, NULL);
	r = xdp_hooks_attach(&xdp->hooks, &xdp->objects, target->interface.ifindex,
		target->interface.name, side, first_way(target), &hook, &foreign, error);
	if (r < 0)
		return r;
	hook->wanted = true;
	if (foreign)
		tell(xdp, target,
			"it has another XDP program, which stays; early dropping is done by tc",
			"");
	if (lost)
		xdp->callbacks.trouble("someone has detached a program of early dropping", true,
			xdp->callbacks.userdata);
	return 0;
}

static int attach(struct xdp *xdp, struct xdp_target *target, struct error *error)
{
	const struct abi_early_interface entry = entry_of(xdp, target);
	int r;

	if (!entry.jobs)
		return 0;
	r = list(xdp, target, &entry, error);
	if (r == 0)
		r = ensure(xdp, target, XDP_SIDE_IN, error);
	if (r == 0 && (target->roles & XDP_ROLE_UPLINK) && entry.jobs & ABI_EARLY_DENY_LIST)
		r = ensure(xdp, target, XDP_SIDE_OUT, error);
	/* An interface that is gone is forgotten by whoever wished for it. */
	if (r < 0 && r != -ENODEV)
		tell(xdp, target, "nothing is dropped early there", error_message(error));
	return r == -ENODEV ? 0 : r;
}

static int detach_unwanted(struct xdp *xdp, struct error *error)
{
	struct xdp_hook *hook, *next;
	struct xdp_target *target, *next_target;
	int result = 0;

	HASH_ITER (hh, xdp->hooks.items, hook, next) {
		int r = hook->wanted ? 0 : xdp_hooks_drop(&xdp->hooks, hook, error);

		if (r < 0)
			result = r;
	}
	HASH_ITER (hh, xdp->targets, target, next_target) {
		if (target->listed && !entry_of(xdp, target).jobs) {
			bpf_map_delete_elem(xdp->objects.interfaces, &target->interface.ifindex);
			target->listed = false;
		}
		if (!target->roles)
			forget(xdp, target);
	}
	return result;
}

int xdp_apply(struct xdp *xdp, struct error *error)
{
	struct xdp_target *target, *next;
	struct xdp_hook *hook, *next_hook;
	int result = 0, r;

	if (!xdp->is_open && !has_jobs(xdp))
		return 0;
	r = xdp_open(xdp, error);
	if (r < 0)
		return r;
	HASH_ITER (hh, xdp->hooks.items, hook, next_hook) {
		hook->wanted = false;
	}
	HASH_ITER (hh, xdp->targets, target, next) {
		r = attach(xdp, target, result < 0 ? NULL : error);
		if (r < 0)
			result = r;
	}
	r = detach_unwanted(xdp, result < 0 ? NULL : error);
	if (r < 0 || result < 0)
		return r < 0 ? r : result;
	if (!xdp->tidy)
		r = xdp_objects_remove_others(&xdp->objects, &xdp->pins, error);
	xdp->tidy = r == 0;
	return r;
}

/* All or, without memory, nothing. */
static int set_role(
	struct xdp *xdp, const struct xdp_interface *interfaces, size_t count, unsigned int role)
{
	for (size_t i = 0; i < count; i++) {
		if (!xdp_targets_get(xdp, &interfaces[i]))
			return -ENOMEM;
	}
	for (struct xdp_target *target = xdp->targets; target; target = target->hh.next)
		target->roles &= ~role;
	for (size_t i = 0; i < count; i++)
		xdp_targets_get(xdp, &interfaces[i])->roles |= role;
	return 0;
}

int xdp_uplinks_set(struct xdp *xdp, const struct xdp_interface *uplinks, size_t count)
{
	return set_role(xdp, uplinks, count, XDP_ROLE_UPLINK);
}

int xdp_workloads_set(struct xdp *xdp, const struct xdp_interface *workloads, size_t count)
{
	return set_role(xdp, workloads, count, XDP_ROLE_WORKLOAD);
}

int xdp_quarantine_set(
	struct xdp *xdp, const struct xdp_quarantine *quarantine, struct error *error)
{
	int r = 0;

	if (xdp->is_open || quarantine->interfaces_count) {
		r = xdp_open(xdp, error);
		if (r == 0)
			r = xdp_investigators_write(xdp, quarantine, error);
	}
	if (r < 0)
		return r;
	r = set_role(
		xdp, quarantine->interfaces, quarantine->interfaces_count, XDP_ROLE_QUARANTINED);
	return r < 0 ? error_nomem(error) : xdp_apply(xdp, error);
}
