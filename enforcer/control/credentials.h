/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the peer of a Unix socket may do, by the credentials with which it connected. */
#pragma once

#include <grp.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/* A set of these bits. */
#define CREDENTIALS_READ   (1U << 0)
#define CREDENTIALS_CHANGE (1U << 1)

struct credentials_group {
	const char *name;
	bool exists;
	gid_t gid;
};

/* Which groups have rights, with their ids as of at most a few seconds ago. */
struct credentials {
	struct credentials_group change;
	struct credentials_group read;
	uint64_t expires_ns; /* CLOCK_MONOTONIC */
};

#define CREDENTIALS_INIT(change_group, read_group)                      \
	{                                                               \
		{(change_group), false, 0}, {(read_group), false, 0}, 0 \
	}

/* The user id of the peer. 0 or -errno. */
int credentials_user(int socket_fd, uid_t *ret);

/* Root and members of the groups, primary or supplementary; changing includes reading. 0: none, or
 * the kernel does not say who it is. */
unsigned int credentials_rights(struct credentials *credentials, int socket_fd);
