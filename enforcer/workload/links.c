/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "workload/links.h"

#include "base/cleanup.h"
#include "base/hash.h"
#include "workload/rtnetlink.h"

#include <errno.h>
#include <linux/rtnetlink.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#define RECEIVE_BUFFER_BYTES (1 << 20)
#define MESSAGE_BYTES        32768
#define MESSAGES_PER_WAKEUP  64
#define RELIST_RETRY_USEC    500000ULL

struct link {
	uint32_t ifindex;
	char name[16];
	uint32_t master;
	bool veth;
	bool bridge;
	bool seen;         /* in the listing that is under way */
	uint32_t reported; /* the bridge that port() was told of, or 0 */
	UT_hash_handle hh;
};

/* An address of the node, once for each interface that has it. */
struct link_address {
	struct {
		struct address address;
		uint32_t ifindex;
	} key;
	bool seen;
	UT_hash_handle hh;
};

struct links {
	struct links_callbacks callbacks;
	struct mnl_socket *events;   /* groups */
	struct mnl_socket *requests; /* dumps: their answers are not mixed with events */
	sd_event_source *io;
	sd_event_source *relist; /* timer: on where what is known may be incomplete */
	struct link *links;
	struct link_address *addresses;
	struct address *host; /* sorted, each once */
	size_t host_count;
	bool incomplete; /* out of memory: list again */
};

/* --- what is known -------------------------------------------------------------------------- */

static struct link *find_link(const struct links *links, uint32_t ifindex)
{
	struct link *link;

	HASH_FIND(hh, links->links, &ifindex, sizeof(ifindex), link);
	return link;
}

static struct link *get_link(struct links *links, uint32_t ifindex)
{
	struct link *link = find_link(links, ifindex);

	if (link)
		return link;
	link = calloc(1, sizeof(*link));
	if (!link)
		return NULL;
	link->ifindex = ifindex;
	HASH_ADD(hh, links->links, ifindex, sizeof(link->ifindex), link);
	if (!HASH_ADDED(link)) {
		free(link);
		return NULL;
	}
	return link;
}

static void put_link(struct links *links, const struct rtnetlink_link *news)
{
	struct link *link = get_link(links, news->ifindex);

	if (!link) {
		links->incomplete = true;
		return;
	}
	memcpy(link->name, news->name, sizeof(link->name));
	link->master = news->master;
	link->veth = news->veth;
	link->bridge = news->bridge;
	link->seen = true;
}

static void drop_link(struct links *links, struct link *link)
{
	uint32_t ifindex = link->ifindex;

	HASH_DEL(links->links, link);
	free(link);
	links->callbacks.gone(ifindex, links->callbacks.userdata);
}

static struct link_address *find_address(
	const struct links *links, const struct rtnetlink_address *address)
{
	struct link_address wanted = {
		.key = {.address = address->address, .ifindex = address->ifindex}};
	struct link_address *found;

	HASH_FIND(hh, links->addresses, &wanted.key, sizeof(wanted.key), found);
	return found;
}

static void put_address(struct links *links, const struct rtnetlink_address *news)
{
	struct link_address *address = find_address(links, news);

	if (!address) {
		address = calloc(1, sizeof(*address));
		if (!address) {
			links->incomplete = true;
			return;
		}
		address->key.address = news->address;
		address->key.ifindex = news->ifindex;
		HASH_ADD(hh, links->addresses, key, sizeof(address->key), address);
		if (!HASH_ADDED(address)) {
			free(address);
			links->incomplete = true;
			return;
		}
	}
	address->seen = true;
}

static void drop_address(struct links *links, struct link_address *address)
{
	HASH_DEL(links->addresses, address);
	free(address);
}

/* --- telling the agent -------------------------------------------------------------------------
 */

/* A port's name may come with its first message and its bridge with a later one. */
static void report_ports(struct links *links)
{
	struct link *link, *next;

	HASH_ITER (hh, links->links, link, next) {
		const struct link *master = link->master ? find_link(links, link->master) : NULL;
		uint32_t bridge = link->veth && master && master->bridge ? link->master : 0;

		if (link->reported == bridge)
			continue;
		link->reported = bridge;
		if (bridge)
			links->callbacks.port(
				link->ifindex, link->name, master->name, links->callbacks.userdata);
	}
}

static int compare_addresses(const void *a, const void *b)
{
	return address_compare(a, b);
}

/* Gathers the node's addresses anew; whether they have changed. */
static bool refresh_host_addresses(struct links *links)
{
	struct address *host = calloc(HASH_COUNT(links->addresses) + 1, sizeof(*host));
	const struct link_address *address;
	size_t count = 0, kept = 0;
	bool same;

	if (!host) {
		links->incomplete = true;
		return false;
	}
	for (address = links->addresses; address; address = address->hh.next)
		host[count++] = address->key.address;
	qsort(host, count, sizeof(*host), compare_addresses);
	for (size_t i = 0; i < count; i++)
		if (kept == 0 || !address_equal(&host[kept - 1], &host[i]))
			host[kept++] = host[i];
	same = kept == links->host_count &&
	       (kept == 0 || memcmp(host, links->host, kept * sizeof(*host)) == 0);
	free(links->host);
	links->host = host;
	links->host_count = kept;
	return !same;
}

static void report(struct links *links)
{
	report_ports(links);
	if (refresh_host_addresses(links))
		links->callbacks.addresses(links->callbacks.userdata);
	if (links->incomplete) {
		sd_event_source_set_time_relative(links->relist, RELIST_RETRY_USEC);
		sd_event_source_set_enabled(links->relist, SD_EVENT_ONESHOT);
	}
}

/* --- listing and following ---------------------------------------------------------------------
 */

static int note(const struct nlmsghdr *message, void *userdata)
{
	struct links *links = userdata;
	struct rtnetlink_address address;
	struct rtnetlink_link link;
	struct link_address *known_address;
	struct link *known;

	switch (message->nlmsg_type) {
	case RTM_NEWLINK:
		if (rtnetlink_parse_link(message, &link))
			put_link(links, &link);
		break;
	case RTM_DELLINK:
		if (rtnetlink_parse_link(message, &link) &&
			(known = find_link(links, link.ifindex)))
			drop_link(links, known);
		break;
	case RTM_NEWADDR:
		if (rtnetlink_parse_address(message, &address) && !address.link_local)
			put_address(links, &address);
		break;
	case RTM_DELADDR:
		if (rtnetlink_parse_address(message, &address) &&
			(known_address = find_address(links, &address)))
			drop_address(links, known_address);
		break;
	default:
		break;
	}
	return 0;
}

/* What was known and is not in the new listing is gone. */
static int list(struct links *links, struct error *error)
{
	struct link_address *address, *next_address;
	struct link *link, *next;
	int r;

	links->incomplete = false;
	for (link = links->links; link; link = link->hh.next)
		link->seen = false;
	for (address = links->addresses; address; address = address->hh.next)
		address->seen = false;
	r = rtnetlink_dump(links->requests, RTM_GETLINK, note, links, error);
	if (r == 0)
		r = rtnetlink_dump(links->requests, RTM_GETADDR, note, links, error);
	if (r < 0) {
		links->incomplete = true;
		return r;
	}
	HASH_ITER (hh, links->links, link, next) {
		if (!link->seen)
			drop_link(links, link);
	}
	HASH_ITER (hh, links->addresses, address, next_address) {
		if (!address->seen)
			drop_address(links, address);
	}
	return 0;
}

/* At the start, and after messages were lost. */
static int on_relist(sd_event_source *source, uint64_t usec, void *userdata)
{
	struct links *links = userdata;

	(void)source;
	(void)usec;
	list(links, NULL); /* a failure is tried again */
	report(links);
	return 0;
}

static int note_event(const struct nlmsghdr *message, void *userdata)
{
	note(message, userdata);
	return MNL_CB_OK;
}

static int on_events(sd_event_source *source, int fd, uint32_t revents, void *userdata)
{
	struct links *links = userdata;
	char buffer[MESSAGE_BYTES];

	(void)source;
	(void)revents;
	for (int i = 0; i < MESSAGES_PER_WAKEUP; i++) {
		ssize_t size = recv(fd, buffer, sizeof(buffer), MSG_DONTWAIT);

		if (size < 0 && errno == EAGAIN)
			break;
		if (size < 0 && errno == EINTR)
			continue;
		/* ENOBUFS: messages were lost. Those that still wait are as old as the listing or
		 * newer, so they may be read after it. */
		if (size < 0) {
			list(links, NULL);
			continue;
		}
		mnl_cb_run(buffer, (size_t)size, 0, 0, note_event, links);
	}
	report(links);
	return 0;
}

static int open_sockets(struct links *links, struct error *error)
{
	const unsigned int groups = RTMGRP_LINK | RTMGRP_IPV4_IFADDR | RTMGRP_IPV6_IFADDR;
	const int size = RECEIVE_BUFFER_BYTES;
	int r;

	r = rtnetlink_open(groups, &links->events, error);
	if (r < 0)
		return r;
	/* A bigger buffer only makes listings rarer: without the right to it, less will do. */
	if (setsockopt(mnl_socket_get_fd(links->events), SOL_SOCKET, SO_RCVBUFFORCE, &size,
		    sizeof(size)) < 0)
		setsockopt(mnl_socket_get_fd(links->events), SOL_SOCKET, SO_RCVBUF, &size,
			sizeof(size));
	return rtnetlink_open(0, &links->requests, error);
}

int links_new(sd_event *event, const struct links_callbacks *callbacks, struct links **ret,
	struct error *error)
{
	_cleanup_(links_freep) struct links *links = calloc(1, sizeof(*links));
	int r;

	if (!links)
		return error_nomem(error);
	links->callbacks = *callbacks;
	r = open_sockets(links, error);
	if (r == 0)
		r = list(links, error);
	if (r < 0)
		return error_context(error, r, "follow network interfaces");
	refresh_host_addresses(links);
	r = sd_event_add_io(
		event, &links->io, mnl_socket_get_fd(links->events), EPOLLIN, on_events, links);
	/* The first listing is repeated from the event loop, which is when ports are reported. */
	if (r >= 0)
		r = sd_event_add_time_relative(
			event, &links->relist, CLOCK_MONOTONIC, 0, 0, on_relist, links);
	if (r < 0)
		return error_errno(error, r, "follow network interfaces");
	*ret = TAKE_PTR(links);
	return 0;
}

void links_free(struct links *links)
{
	struct link_address *address, *next_address;
	struct link *link, *next;

	if (!links)
		return;
	sd_event_source_disable_unref(links->io);
	sd_event_source_disable_unref(links->relist);
	if (links->events)
		mnl_socket_close(links->events);
	if (links->requests)
		mnl_socket_close(links->requests);
	HASH_ITER (hh, links->links, link, next) {
		HASH_DEL(links->links, link);
		free(link);
	}
	HASH_ITER (hh, links->addresses, address, next_address) {
		drop_address(links, address);
	}
	free(links->host);
	free(links);
}

const struct address *links_host_addresses(const struct links *links, size_t *ret_count)
{
	*ret_count = links->host_count;
	return links->host;
}
