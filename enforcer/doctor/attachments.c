/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is attached where: our programs, and those of others before and behind them. */
#include "base/cleanup.h"
#include "base/network_namespace.h"
#include "doctor/check.h"
#include "doctor/hooks.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define LINE_MAX_BYTES 256

/* An interface of a workload, and how it is called in a sentence. */
struct place {
	const struct workload *workload;
	const struct workload_interface *interface;
	uint32_t ifindex; /* where the thread is now */
	char name[160];
};

/* The thread is where the interface is; the caller leaves again. */
static int reach(struct place *place, struct network_namespace *visit)
{
	_cleanup_close_ int target = -1;

	place->ifindex = place->interface->ifindex;
	snprintf(place->name, sizeof(place->name), "%s (%s/%s)", place->interface->name,
		place->workload->namespace, place->workload->name);
	if (!place->interface->netns)
		return 0;
	place->ifindex = place->interface->inside;
	target = open(place->interface->netns, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	return target < 0 ? -errno : network_namespace_enter(target, visit);
}

/* "mark, segd_leave and 2 more" of those before or behind ours. */
static void list_names(const struct hook_programs *programs, size_t first, size_t end,
	char text[static LINE_MAX_BYTES])
{
	size_t used = 0;

	*text = '\0';
	for (size_t i = first; i < end && used < LINE_MAX_BYTES; i++)
		used += (size_t)snprintf(text + used, LINE_MAX_BYTES - used, "%s%s",
			i > first ? ", " : "", programs->items[i].name);
}

static bool check_end(const struct place *place, struct findings *findings,
	const struct hook_programs *programs, const char *way)
{
	size_t ours = hooks_ours(programs);
	char names[LINE_MAX_BYTES];

	if (ours == programs->count) {
		findings_add(findings, FINDING_ERROR, "detached",
			"systemctl restart segd puts it back; look for who removed it",
			"no program of ours judges what %s %s", way, place->name);
		return false;
	}
	if (ours) {
		list_names(programs, 0, ours, names);
		findings_add(findings, FINDING_ERROR, "foreign-before", NULL,
			"%s runs before ours on what %s %s: where it says pass, policy is not asked",
			names, way, place->name);
		findings_advise(findings,
			"take %s off, or have it attached behind segd's; bpftool net shows who it is",
			names);
	}
	if (ours + 1 < programs->count) {
		list_names(programs, ours + 1, programs->count, names);
		findings_add(findings, FINDING_NOTE, "foreign-behind",
			"nothing, where it is wanted; bpftool net shows whose it is",
			"%s runs behind ours on what %s %s, and sees what policy allows", names,
			way, place->name);
	}
	return !ours;
}

/* An agent attached here once and has not taken it off: its pins (bpf/pins.h) are there. */
static bool was_attached(const struct doctor_view *view, const struct place *place)
{
	static const char *const parts[] = {"links", "filters"};
	char path[PATH_MAX];

	for (size_t i = 0; i < ARRAY_SIZE(parts); i++) {
		snprintf(path, sizeof(path), "%s/%s/%u-leave", view->pin_directory, parts[i],
			place->interface->ifindex);
		if (access(path, F_OK) == 0)
			return true;
	}
	return false;
}

static void check_ebpf(
	const struct doctor_view *view, const struct place *place, struct findings *findings)
{
	struct hook_programs leaves, enters;
	bool inside = place->interface->netns, first;
	int r = hooks_list(place->ifindex, !inside, &leaves);

	if (r == 0)
		r = hooks_list(place->ifindex, inside, &enters);
	if (r < 0) {
		findings_add(findings, FINDING_WARNING, "interface", "run segd as root",
			"what is attached to %s cannot be read: %s", place->name, strerror(-r));
		return;
	}
	if (!view->status && hooks_ours(&leaves) == leaves.count &&
		hooks_ours(&enters) == enters.count && !was_attached(view, place)) {
		findings_add(findings, FINDING_NOTE, "not-attached", "systemctl start segd",
			"nothing enforces on %s yet", place->name);
		return;
	}
	first = check_end(place, findings, &leaves, "leaves");
	first &= check_end(place, findings, &enters, "enters");
	if (first)
		findings_add(findings, FINDING_OK, "attached", NULL,
			"%s: %s, first of %zu where it is left and of %zu where it is entered",
			place->name, leaves.items[0].mechanism, leaves.count, enters.count);
}

/* Programs of any kind come before nftables, and may send packets past it. */
static void check_nft(const struct place *place, struct findings *findings)
{
	struct hook_programs programs;
	char names[LINE_MAX_BYTES];
	bool foreign = false;

	for (int comes_in = 1; comes_in >= 0; comes_in--) {
		if (hooks_list(place->ifindex, comes_in, &programs) < 0 || !programs.count)
			continue;
		list_names(&programs, 0, programs.count, names);
		foreign = true;
		findings_add(findings, FINDING_WARNING, "foreign-before", NULL,
			"%s on %s may redirect packets past nftables", names, place->name);
		findings_advise(findings, "take %s off, or use segd --dataplane=ebpf", names);
	}
	if (!foreign)
		findings_add(findings, FINDING_OK, "attached", NULL,
			"%s: nft, and nobody's programs before it", place->name);
}

static void check_xdp(const char *name, uint32_t ifindex, struct findings *findings)
{
	struct hook_program program;

	if (hooks_xdp(ifindex, &program) <= 0)
		return;
	if (program.ours) {
		findings_add(findings, FINDING_OK, "xdp-attached", NULL,
			"%s: XDP drops early what quarantine, deny lists and limits say", name);
		return;
	}
	findings_add(findings, FINDING_WARNING, "foreign-xdp", NULL,
		"the XDP program %s on %s sees packets before policy, and may redirect them past it",
		program.name, name);
	findings_advise(findings, "ip link set dev %s xdp off, unless it is wanted there", name);
}

static void check_place(
	const struct doctor_view *view, struct place *place, struct findings *findings)
{
	_cleanup_namespace_ struct network_namespace visit = NETWORK_NAMESPACE_INIT;
	int r = reach(place, &visit);

	if (r < 0) {
		findings_add(findings, FINDING_WARNING, "interface",
			"run segd as root, in the mount namespace that the workloads are started from",
			"the namespace of %s cannot be entered: %s", place->name, strerror(-r));
		return;
	}
	if (doctor_uses(view, "ebpf"))
		check_ebpf(view, place, findings);
	else if (!place->interface->netns) /* else said of the workload */
		check_nft(place, findings);
	check_xdp(place->interface->name, place->ifindex, findings);
}

static bool is_of_workload(const struct registry *registry, uint32_t ifindex)
{
	for (size_t i = 0; registry && i < registry_count(registry); i++) {
		const struct workload *workload = registry_at(registry, i);

		for (size_t j = 0; j < workload->interfaces_count; j++)
			if (workload->interfaces[j].ifindex == ifindex)
				return true;
	}
	return false;
}

/* Uplinks, bridges and all else on the node. */
static void check_others(const struct doctor_view *view, struct findings *findings)
{
	struct if_nameindex *names = if_nameindex();

	for (const struct if_nameindex *name = names; name && name->if_index; name++)
		if (!is_of_workload(view->workloads, name->if_index))
			check_xdp(name->if_name, name->if_index, findings);
	if_freenameindex(names);
}

void check_attachments(const struct doctor_view *view, struct findings *findings)
{
	for (size_t i = 0; view->workloads && i < registry_count(view->workloads); i++) {
		const struct workload *workload = registry_at(view->workloads, i);

		for (size_t j = 0; j < workload->interfaces_count; j++) {
			struct place place = {workload, &workload->interfaces[j], 0, ""};

			if (place.interface->ifindex)
				check_place(view, &place, findings);
		}
	}
	check_others(view, findings);
}
