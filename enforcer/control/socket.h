/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The listening Unix socket and its file. */
#pragma once

#include "base/error.h"

#include <sys/types.h>

/* Which file is ours, so that nobody else's is removed. */
struct socket_id {
	dev_t device;
	ino_t inode;
};

/*
 * Listens on path. Its directory is made (0755). A socket file on which nobody answers is replaced;
 * -EADDRINUSE: somebody does; -EEXIST: it is no socket.
 *
 * Everybody may connect (0666), because the peer's credentials decide and two groups have rights,
 * which the mode of a file cannot express; who has none is closed at once.
 */
int socket_listen(const char *path, int *ret_fd, struct socket_id *ret_id, struct error *error);
/* Listens on "ADDRESS:PORT", an IPv6 address in brackets. -EINVAL: it is not one. */
int socket_listen_tcp(const char *text, int *ret_fd, struct error *error);
void socket_remove(const char *path, const struct socket_id *id);
