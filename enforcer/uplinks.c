/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "uplinks.h"

#include "base/cleanup.h"
#include "workload/rtnetlink.h"

#include <errno.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#define MESSAGE_BYTES 32768

struct uplinks {
	const char *const *names;
	size_t names_count;
	void (*changed)(void *userdata);
	void *userdata;
	struct mnl_socket *events;
	struct mnl_socket *requests;
	sd_event_source *io;
};

struct collection {
	struct xdp_interface *items;
	size_t count;
};

static void collection_clear(struct collection *collection)
{
	free(collection->items);
}

/* Whatever happened to links or routes: one look at all of them is what it takes. */
static int on_event(sd_event_source *source, int fd, uint32_t revents, void *userdata)
{
	struct uplinks *uplinks = userdata;
	char buffer[MESSAGE_BYTES];

	(void)source;
	(void)revents;
	while (recv(fd, buffer, sizeof(buffer), MSG_DONTWAIT) >= 0 || errno == ENOBUFS)
		;
	uplinks->changed(uplinks->userdata);
	return 0;
}

int uplinks_new(sd_event *event, const char *const *names, size_t names_count,
	void (*changed)(void *userdata), void *userdata, struct uplinks **ret, struct error *error)
{
	struct uplinks *uplinks = calloc(1, sizeof(*uplinks));
	int r;

	if (!uplinks)
		return error_nomem(error);
	*uplinks = (struct uplinks){
		.names = names,
		.names_count = names_count,
		.changed = changed,
		.userdata = userdata,
	};
	r = rtnetlink_open(
		RTMGRP_LINK | RTMGRP_IPV4_ROUTE | RTMGRP_IPV6_ROUTE, &uplinks->events, error);
	if (r == 0)
		r = rtnetlink_open(0, &uplinks->requests, error);
	if (r == 0) {
		r = sd_event_add_io(event, &uplinks->io, mnl_socket_get_fd(uplinks->events),
			EPOLLIN, on_event, uplinks);
		if (r < 0)
			error_errno(error, r, "watch routes");
	}
	if (r < 0) {
		uplinks_free(uplinks);
		return r;
	}
	*ret = uplinks;
	return 0;
}

void uplinks_free(struct uplinks *uplinks)
{
	if (!uplinks)
		return;
	sd_event_source_disable_unref(uplinks->io);
	rtnetlink_closep(&uplinks->events);
	rtnetlink_closep(&uplinks->requests);
	free(uplinks);
}

static int add(struct collection *collection, uint32_t ifindex)
{
	struct xdp_interface *grown;

	for (size_t i = 0; i < collection->count; i++) {
		if (collection->items[i].ifindex == ifindex)
			return 0;
	}
	grown = reallocarray(collection->items, collection->count + 1, sizeof(*grown));
	if (!grown)
		return -ENOMEM;
	collection->items = grown;
	grown[collection->count++] = (struct xdp_interface){.ifindex = ifindex};
	return 0;
}

static int add_next_hops(struct collection *collection, const struct nlattr *attribute)
{
	const struct rtnexthop *hop = mnl_attr_get_payload(attribute);
	int rest = mnl_attr_get_payload_len(attribute);

	for (; RTNH_OK(hop, rest); rest -= NLMSG_ALIGN(hop->rtnh_len), hop = RTNH_NEXT(hop)) {
		int r = add(collection, (uint32_t)hop->rtnh_ifindex);

		if (r < 0)
			return r;
	}
	return 0;
}

static int visit_route(const struct nlmsghdr *message, void *userdata)
{
	const struct rtmsg *route = mnl_nlmsg_get_payload(message);
	const struct nlattr *attribute;
	int r = 0;

	if (mnl_nlmsg_get_payload_len(message) < sizeof(*route) || route->rtm_dst_len ||
		route->rtm_type != RTN_UNICAST ||
		(route->rtm_family != AF_INET && route->rtm_family != AF_INET6))
		return 0;
	mnl_attr_for_each(attribute, message, sizeof(*route))
	{
		if (mnl_attr_get_type(attribute) == RTA_OIF)
			r = add(userdata, mnl_attr_get_u32(attribute));
		else if (mnl_attr_get_type(attribute) == RTA_MULTIPATH)
			r = add_next_hops(userdata, attribute);
		if (r < 0)
			return r;
	}
	return 0;
}

static int find(struct uplinks *uplinks, struct collection *collection, struct error *error)
{
	if (!uplinks->names_count)
		return rtnetlink_dump(
			uplinks->requests, RTM_GETROUTE, visit_route, collection, error);
	for (size_t i = 0; i < uplinks->names_count; i++) {
		uint32_t ifindex = if_nametoindex(uplinks->names[i]);

		if (ifindex && add(collection, ifindex) < 0)
			return error_nomem(error);
	}
	return 0;
}

int uplinks_list(
	struct uplinks *uplinks, struct xdp_interface **ret, size_t *ret_count, struct error *error)
{
	__attribute__((cleanup(collection_clear))) struct collection collection = {0};
	size_t kept = 0;
	int r;

	r = find(uplinks, &collection, error);
	if (r < 0)
		return r;
	for (size_t i = 0; i < collection.count; i++) {
		struct rtnetlink_link link;

		r = rtnetlink_get_link(
			uplinks->requests, collection.items[i].ifindex, &link, error);
		if (r == -ENODEV)
			continue;
		if (r < 0)
			return r;
		if (link.loopback)
			continue;
		collection.items[kept].ifindex = link.ifindex;
		collection.items[kept].veth = link.veth;
		memcpy(collection.items[kept].name, link.name, sizeof(link.name));
		kept++;
	}
	*ret = TAKE_PTR(collection.items);
	*ret_count = kept;
	return 0;
}
