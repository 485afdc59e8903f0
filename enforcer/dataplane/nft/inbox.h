/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Room for many short messages of a netlink socket, which come in one call of the kernel: it sends
 * each event of conntrack for itself, and to fetch one costs more than to understand it.
 */
#pragma once

#include <libmnl/libmnl.h>

#define INBOX_SIZE 32

struct inbox;

/* NULL: out of memory. */
struct inbox *inbox_new(void);
void inbox_free(struct inbox *inbox);

/* Reads up to INBOX_SIZE of those that are there, without waiting, and calls back for each of their
 * messages, even behind one where that fails. 0: there may be more. 1: these were the last, or
 * the next call says that the kernel dropped some. -EAGAIN: there were none; -ENOBUFS: the kernel
 * dropped some, or one has no room here. */
int inbox_receive(
	struct inbox *inbox, struct mnl_socket *socket, mnl_cb_t callback, void *userdata);

static inline void inbox_freep(struct inbox **inbox)
{
	inbox_free(*inbox);
}
