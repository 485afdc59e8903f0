/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The little that netns.c and links.c need of rtnetlink(7), over libmnl. */
#pragma once

#include "base/address.h"
#include "base/error.h"

#include <libmnl/libmnl.h>
#include <stdbool.h>
#include <stdint.h>

struct rtnetlink_link {
	uint32_t ifindex;
	char name[16];
	uint8_t mac[6]; /* zero where the link has no Ethernet address */
	uint32_t link;  /* IFLA_LINK: of a veth its other end, in that one's namespace */
	int32_t nsid; /* namespace of link, as this one numbers it; RTNETLINK_NSID_SAME: this one */
	uint32_t master;
	bool loopback;
	bool veth;
	bool bridge;
	bool sub; /* macvlan, ipvlan: a part of another interface, without an end of its own there
		   */
};

#define RTNETLINK_NSID_SAME (-1)

struct rtnetlink_address {
	uint32_t ifindex;
	struct address address;
	bool link_local;
};

/* A socket in the calling thread's network namespace; groups: RTMGRP_*, 0: for requests only. */
int rtnetlink_open(unsigned int groups, struct mnl_socket **ret, struct error *error);

/* From RTM_NEWLINK or RTM_DELLINK, RTM_NEWADDR or RTM_DELADDR. False: of no interest (a bridge's
 * message about its port, another address family) or not as the kernel writes it. */
bool rtnetlink_parse_link(const struct nlmsghdr *message, struct rtnetlink_link *ret);
bool rtnetlink_parse_address(const struct nlmsghdr *message, struct rtnetlink_address *ret);

/* Calls visit for each link or address of the socket's namespace (type: RTM_GETLINK, RTM_GETADDR).
 * -EINTR: the kernel's tables changed meanwhile, and again at each repeat: visit may have seen the
 * same twice; results of visit other than 0 end the dump. */
int rtnetlink_dump(struct mnl_socket *socket, uint16_t type,
	int (*visit)(const struct nlmsghdr *message, void *userdata), void *userdata,
	struct error *error);

/* One link. -ENODEV: none of this index. */
int rtnetlink_get_link(struct mnl_socket *socket, uint32_t ifindex, struct rtnetlink_link *ret,
	struct error *error);

/* How the socket's namespace numbers the one that fd refers to; RTNETLINK_NSID_SAME where it does
 * not. */
int rtnetlink_get_nsid(struct mnl_socket *socket, int fd, int32_t *ret, struct error *error);

/* Has the socket's namespace number the one that fd refers to, unless it does already: sockets that
 * listen to all namespaces hear from those that have a number. */
int rtnetlink_number_namespace(struct mnl_socket *socket, int fd, struct error *error);

static inline void rtnetlink_closep(struct mnl_socket **socket)
{
	if (*socket)
		mnl_socket_close(*socket);
}
