/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Netlink sockets of the netfilter family, as all files here use them. */
#pragma once

#include "base/error.h"

#include <libmnl/libmnl.h>
#include <stdbool.h>
#include <stdint.h>

/* Answers are short, bounded in time and come with room for bursts. */
int netlink_open(struct mnl_socket **ret, struct error *error);
/* The same for reading events from an event loop: never blocks. groups: NFNLGRP_*, ends with 0. */
int netlink_open_events(const int *groups, struct mnl_socket **ret, struct error *error);

/* For a socket of events: it has room for many, the kernel tries again what it had none for, where
 * it can (what ends in conntrack), and -ENOBUFS is not told any more. */
int netlink_keep_events(struct mnl_socket *socket, struct error *error);

/* Sends one request and calls back for each message of its answer, until the end of the dump or the
 * acknowledgement. -EINTR: the kernel's state changed during the dump; ask again. */
int netlink_query(
	struct mnl_socket *socket, struct nlmsghdr *request, mnl_cb_t callback, void *userdata);
/* The same, repeated a few times on -EINTR; restart (may be NULL) is called before each try. */
int netlink_dump(struct mnl_socket *socket, struct nlmsghdr *request, mnl_cb_t callback,
	void (*restart)(void *userdata), void *userdata);

/* The same, once, whatever changed meanwhile: for answers that cannot be given again. What it
 * passes over is there the next time. */
int netlink_dump_once(
	struct mnl_socket *socket, struct nlmsghdr *request, mnl_cb_t callback, void *userdata);

/* Reads what is there and calls back for each message. -EAGAIN: nothing is left; -ENOBUFS: the
 * kernel dropped messages. 0: there may be more. */
int netlink_receive(struct mnl_socket *socket, mnl_cb_t callback, void *userdata);

/* Messages that the kernel had no room for in this socket since it was opened; wraps around. One
 * such moment may have cost many, of which netlink_receive() tells only once. */
uint32_t netlink_drops(const struct mnl_socket *socket);

/* Is it a socket of this process, opened here, that has this port number? Then what the kernel
 * announces of its messages is our own doing. */
bool netlink_is_own(uint32_t port);

void netlink_close(struct mnl_socket *socket);

static inline void netlink_closep(struct mnl_socket **socket)
{
	if (*socket)
		netlink_close(*socket);
}
