/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "capture/view.h"

#include "policies/array.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

int view_add_interface(struct view *view, struct view_interface **ret)
{
	struct view_interface *interface = array_append(view->interfaces, view->interfaces_count);

	if (!interface)
		return -ENOMEM;
	*interface = (struct view_interface){0};
	*ret = interface;
	return 0;
}

int view_add_address(struct view_interface *interface, const struct address *address)
{
	struct address *added = array_append(interface->addresses, interface->addresses_count);

	if (!added)
		return -ENOMEM;
	*added = *address;
	return 0;
}

int view_end_add(struct view_end *end, const struct address *address)
{
	struct address *added = array_append(end->addresses, end->addresses_count);

	if (!added)
		return -ENOMEM;
	*added = *address;
	return 0;
}

void view_forget_workloads(struct view *view)
{
	for (int end = 0; end < 2; end++) {
		if (!view->ends[end].is_workload)
			continue;
		view->ends[end].addresses_count = 0;
		for (size_t i = 0; i < view->interfaces_count; i++)
			view->interfaces[i].is_wanted[end] = false;
	}
}

bool view_end_has(const struct view_end *end, const uint8_t address[static 16])
{
	for (size_t i = 0; i < end->addresses_count; i++)
		if (!memcmp(end->addresses[i].bytes, address, 16))
			return true;
	return end->is_any;
}

static int compare_interfaces(const void *a, const void *b)
{
	const struct view_interface *left = a, *right = b;

	if (!left->netns != !right->netns)
		return left->netns ? 1 : -1;
	return (left->ifindex > right->ifindex) - (left->ifindex < right->ifindex);
}

static int compare_owners(const void *a, const void *b)
{
	return memcmp(a, b, sizeof(struct address));
}

int view_finish(struct view *view)
{
	if (view->interfaces_count)
		qsort(view->interfaces, view->interfaces_count, sizeof(*view->interfaces),
			compare_interfaces);
	for (size_t i = 0; i < view->interfaces_count; i++) {
		const struct view_interface *interface = &view->interfaces[i];

		for (size_t k = 0; k < interface->addresses_count; k++) {
			struct view_owner *owner = array_append(view->owners, view->owners_count);

			if (!owner)
				return -ENOMEM;
			*owner = (struct view_owner){interface->addresses[k], i};
		}
	}
	if (view->owners_count)
		qsort(view->owners, view->owners_count, sizeof(*view->owners), compare_owners);
	return 0;
}

void view_clear(struct view *view)
{
	for (size_t i = 0; i < view->interfaces_count; i++) {
		free(view->interfaces[i].netns);
		free(view->interfaces[i].workload);
		free(view->interfaces[i].addresses);
	}
	free(view->interfaces);
	for (int end = 0; end < 2; end++) {
		free(view->ends[end].workload);
		free(view->ends[end].addresses);
	}
	free(view->owners);
	memset(view, 0, sizeof(*view));
}

const struct view_interface *view_find(const struct view *view, uint32_t ifindex)
{
	const struct view_interface key = {.ifindex = ifindex};

	if (!view->interfaces_count)
		return NULL;
	return bsearch(
		&key, view->interfaces, view->interfaces_count, sizeof(key), compare_interfaces);
}

const struct view_interface *view_owner(const struct view *view, const uint8_t address[static 16])
{
	const struct view_owner *owner = NULL;

	if (view->owners_count)
		owner = bsearch(
			address, view->owners, view->owners_count, sizeof(*owner), compare_owners);
	return owner ? &view->interfaces[owner->interface] : NULL;
}

bool view_is_wanted(const struct view *view, const struct view_interface *interface)
{
	return view->is_of_all || interface->is_wanted[0] || interface->is_wanted[1];
}

/* Inside a workload there is only a tap where that workload is wanted. */
static bool leaves_by_a_tap(const struct view *view, const struct capture_packet *packet)
{
	const struct view_interface *owner = view_owner(view, packet->ends.source);

	return owner && (!owner->netns || view_is_wanted(view, owner));
}

static bool is_addressed_to(
	const struct view_interface *interface, const struct capture_packet *packet)
{
	for (size_t i = 0; i < interface->addresses_count; i++)
		if (!memcmp(interface->addresses[i].bytes, packet->ends.destination, 16))
			return true;
	return false;
}

static enum view_place place_at_workload(const struct view *view,
	const struct view_interface *interface, bool is_outgoing,
	const struct capture_packet *packet)
{
	/* Inside, the workload's own stack sends and receives. */
	bool is_sent = is_outgoing == (interface->netns != NULL);

	if (is_sent)
		return interface->netns ? VIEW_PASSED : VIEW_LEAVES;
	if (is_addressed_to(interface, packet) && leaves_by_a_tap(view, packet))
		return VIEW_ELSEWHERE;
	return interface->netns ? VIEW_ENTERS : VIEW_PASSED;
}

/* A packet for a workload that none of this node sends. */
static enum view_place place_on_the_way(const struct view *view,
	const struct view_interface *interface, bool is_outgoing, const struct view_interface *to)
{
	bool over_bridge = view->judges_at_interface && to->master;

	if (is_outgoing)
		return over_bridge && interface && interface->ifindex == to->master
			       ? VIEW_ARRIVES
			       : VIEW_ELSEWHERE;
	if (interface && interface->is_bridge)
		return VIEW_ELSEWHERE;
	if (interface && to->master && interface->master == to->master)
		return VIEW_ARRIVES;
	return over_bridge ? VIEW_ELSEWHERE : VIEW_ARRIVES;
}

enum view_place view_place(const struct view *view, const struct view_interface *interface,
	bool is_outgoing, const struct capture_packet *packet)
{
	const struct view_interface *to;

	if (interface && interface->workload)
		return place_at_workload(view, interface, is_outgoing, packet);
	to = view_owner(view, packet->ends.destination);
	if (!to || to->netns || view_owner(view, packet->ends.source))
		return VIEW_ELSEWHERE;
	return place_on_the_way(view, interface, is_outgoing, to);
}

struct judge_sender view_sender(const struct view_interface *interface)
{
	struct judge_sender sender = {
		.addresses = interface->addresses,
		.addresses_count = interface->addresses_count,
	};

	memcpy(sender.mac, interface->mac, sizeof(sender.mac));
	return sender;
}
