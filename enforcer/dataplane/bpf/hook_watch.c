/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "dataplane/bpf/hook_watch.h"

#include "base/cleanup.h"
#include "base/network_namespace.h"
#include "dataplane/bpf/clsact_filters.h"
#include "dataplane/bpf/interface_hooks.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/rtnetlink.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#define ROUND_USEC        500000
#define ROUND_PARTS       10   /* so that nothing else waits long */
#define ROUND_COST        4096 /* of mechanism.cost: some milliseconds */
#define MESSAGE_BYTES     32768
#define EVENTS_PER_WAKEUP 64
#define EVENTS_PER_APPLY  1024
#define GROUPS            (RTMGRP_TC | RTMGRP_LINK)

static const char *const direction_names[ABI_DIRECTIONS] = {
	[ABI_INGRESS] = "what enters",
	[ABI_EGRESS] = "what leaves",
};

/* --- putting right ------------------------------------------------------------------------------
 */

__attribute__((format(printf, 3, 4))) static void tell(
	const struct hook_watch *watch, bool repaired, const char *format, ...)
{
	_cleanup_free_ char *message = NULL;
	va_list arguments;

	va_start(arguments, format);
	if (vasprintf(&message, format, arguments) < 0)
		message = NULL;
	va_end(arguments);
	watch->callbacks->trouble(message ? message
					  : "someone has changed the programs on an "
					    "interface",
		repaired, watch->callbacks->userdata);
}

static void restore(struct hook_watch *watch, struct interface *interface)
{
	_cleanup_error_ struct error error = ERROR_INIT;
	int r = interfaces_attach(watch->interfaces, interface, &error);

	tell(watch, r == 0, "someone has detached the programs from interface %s%s%s",
		interface->name, r < 0 ? ": " : "", r < 0 ? error_message(&error) : "");
}

static void program_name(uint32_t id, char name[static BPF_OBJ_NAME_LEN])
{
	_cleanup_close_ int fd = id == FILTER_OF_OTHER_KIND ? -1 : bpf_prog_get_fd_by_id(id);
	struct bpf_prog_info info = {0};
	uint32_t size = sizeof(info);

	strcpy(name, "a filter");
	if (fd >= 0 && bpf_obj_get_info_by_fd(fd, &info, &size) == 0 && info.name[0])
		memcpy(name, info.name, BPF_OBJ_NAME_LEN);
}

static void advance(struct hook_watch *watch, struct interface *interface,
	enum abi_direction direction, uint32_t before_id)
{
	char name[BPF_OBJ_NAME_LEN];
	int r;

	program_name(before_id, name);
	r = interface_hook_advance(watch->interfaces, interface, direction);
	tell(watch, r == 0,
		"someone has put %s before the program that judges %s on interface %s%s%s", name,
		direction_names[direction], interface->name, r < 0 ? ": " : "",
		r < 0 ? strerror(-r) : "");
}

/* The same index on the node: an interface keeps it for its life, whatever it is called. */
static bool is_there(const struct interface *interface)
{
	char name[IF_NAMESIZE];

	return network_namespace_is_interface(interface->ifindex) ||
	       if_indextoname(interface->ifindex, name);
}

/* Moved, and now gone or back. */
static void check_moved(struct hook_watch *watch, struct interface *interface)
{
	struct occupation occupation = {0};

	if (interface_hook_query(interface, ABI_EGRESS, &occupation) < 0 || !occupation.program_id)
		interfaces_drop(watch->interfaces, interface, NULL);
}

static void check(struct hook_watch *watch, struct interface *interface)
{
	struct occupation occupations[ABI_DIRECTIONS] = {0};

	if (interface->moved) {
		check_moved(watch, interface);
		return;
	}
	/* Adopted ones inside are looked after once an apply has said where they are. */
	if (!interface->known || interface->deferred)
		return;
	for (unsigned int i = 0; i < ABI_DIRECTIONS; i++)
		if (interface_hook_query(interface, i, &occupations[i]) < 0)
			return;
	if (!occupations[ABI_INGRESS].program_id || !occupations[ABI_EGRESS].program_id) {
		interface->whole = false;
		if (is_there(interface))
			restore(watch, interface);
		else if (interface->waiting)
			interfaces_drop(watch->interfaces, interface, NULL);
		return;
	}
	for (unsigned int i = 0; i < ABI_DIRECTIONS; i++)
		if (occupations[i].before_id)
			advance(watch, interface, i, occupations[i].before_id);
}

/* The next of them, as many as count and as far as they cost no more than limit. */
static void look(struct hook_watch *watch, unsigned int count, unsigned int limit)
{
	struct interface *interface = interfaces_find(watch->interfaces, watch->checked), *next;
	unsigned int cost = 0;

	if (!interface)
		interface = watch->interfaces->items;
	for (; interface && count > 0 && cost < limit; interface = next, count--) {
		next = interface->hh.next ? interface->hh.next : watch->interfaces->items;
		cost += ABI_DIRECTIONS * (interface->mechanism ? interface->mechanism->cost : 0);
		watch->checked = next == interface ? 0 : next->ifindex;
		check(watch, interface);
	}
}

void hook_watch_round(struct hook_watch *watch)
{
	look(watch, HASH_COUNT(watch->interfaces->items), ROUND_COST);
}

/* --- what the kernel tells -------------------------------------------------------------------- */

static void rename_interface(struct interface *interface, const struct nlmsghdr *message)
{
	const struct nlattr *attribute;

	mnl_attr_for_each(attribute, message, sizeof(struct ifinfomsg))
	{
		if (mnl_attr_get_type(attribute) == IFLA_IFNAME &&
			mnl_attr_validate(attribute, MNL_TYPE_NUL_STRING) >= 0)
			snprintf(interface->name, sizeof(interface->name), "%s",
				mnl_attr_get_str(attribute));
	}
}

static int on_message(const struct nlmsghdr *message, void *userdata)
{
	const struct ifinfomsg *link = mnl_nlmsg_get_payload(message);
	const struct tcmsg *filter = mnl_nlmsg_get_payload(message);
	struct interface *interface = NULL;
	struct hook_watch *watch = userdata;

	switch (message->nlmsg_type) {
	case RTM_NEWLINK:
		interface = interfaces_find(watch->interfaces, (uint32_t)link->ifi_index);
		if (interface && link->ifi_family == AF_UNSPEC)
			rename_interface(interface, message);
		return MNL_CB_OK;
	case RTM_DELLINK:
		/* Its index may come again. */
		interface = interfaces_find(watch->interfaces, (uint32_t)link->ifi_index);
		if (interface && link->ifi_family == AF_UNSPEC)
			interface->whole = false;
		return MNL_CB_OK;
	case RTM_NEWTFILTER:
	case RTM_DELTFILTER:
	case RTM_DELQDISC:
		interface = interfaces_find(watch->interfaces, (uint32_t)filter->tcm_ifindex);
		if (interface && interface->mechanism == &clsact_mechanism)
			check(watch, interface);
		return MNL_CB_OK;
	default:
		return MNL_CB_OK;
	}
}

static void doubt_all(struct hook_watch *watch)
{
	for (struct interface *interface = watch->interfaces->items; interface;
		interface = interface->hh.next)
		interface->whole = false;
}

/* Whether there was something. */
static bool hear(struct hook_watch *watch)
{
	char buffer[MESSAGE_BYTES];
	ssize_t size = recv(mnl_socket_get_fd(watch->socket), buffer, sizeof(buffer), MSG_DONTWAIT);

	/* Some were lost: the rounds will find out, or the next apply. */
	if (size < 0 && errno == ENOBUFS)
		doubt_all(watch);
	else if (size < 0)
		return errno == EINTR;
	else
		mnl_cb_run(buffer, (size_t)size, 0, 0, on_message, watch);
	return true;
}

void hook_watch_hear(struct hook_watch *watch)
{
	for (int i = 0; i < EVENTS_PER_APPLY; i++)
		if (!hear(watch))
			return;
	doubt_all(watch);
}

static int on_events(sd_event_source *source, int fd, uint32_t revents, void *userdata)
{
	(void)source;
	(void)fd;
	(void)revents;
	for (int i = 0; i < EVENTS_PER_WAKEUP && hear(userdata); i++)
		;
	return 0;
}

static int on_round(sd_event_source *source, uint64_t usec, void *userdata)
{
	struct hook_watch *watch = userdata;
	unsigned int count = HASH_COUNT(watch->interfaces->items);

	(void)usec;
	look(watch, (count + ROUND_PARTS - 1) / ROUND_PARTS, ROUND_COST / ROUND_PARTS);
	sd_event_source_set_time_relative(source, ROUND_USEC / ROUND_PARTS);
	return sd_event_source_set_enabled(source, SD_EVENT_ONESHOT);
}

int hook_watch_open(struct hook_watch *watch, struct interfaces *interfaces,
	const struct dataplane_callbacks *callbacks, sd_event *event, struct error *error)
{
	int r = 0;

	watch->interfaces = interfaces;
	watch->callbacks = callbacks;
	watch->socket = mnl_socket_open2(NETLINK_ROUTE, SOCK_CLOEXEC);
	if (!watch->socket || mnl_socket_bind(watch->socket, GROUPS, MNL_SOCKET_AUTOPID) < 0)
		r = -errno;
	if (r >= 0)
		r = sd_event_add_io(event, &watch->events, mnl_socket_get_fd(watch->socket),
			EPOLLIN, on_events, watch);
	if (r >= 0)
		r = sd_event_add_time_relative(event, &watch->round, CLOCK_MONOTONIC,
			ROUND_USEC / ROUND_PARTS, 0, on_round, watch);
	return r < 0 ? error_errno(error, r, "watch the programs on interfaces") : 0;
}

void hook_watch_close(struct hook_watch *watch)
{
	sd_event_source_disable_unref(watch->events);
	sd_event_source_disable_unref(watch->round);
	if (watch->socket)
		mnl_socket_close(watch->socket);
	*watch = (struct hook_watch){0};
}
