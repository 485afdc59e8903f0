/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "control/credentials.h"

#include "base/cleanup.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>

#define CACHE_NS        5000000000ULL
#define GROUP_TEXT_MAX  (1 << 20)
#define PEER_GROUPS_MAX 65536 /* NGROUPS_MAX of the kernel */

static uint64_t monotonic_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

static void look_up(struct credentials_group *group)
{
	struct group entry, *found = NULL;

	group->exists = false;
	/* A group of many members needs a big buffer. */
	for (size_t size = 1024; size <= GROUP_TEXT_MAX; size *= 4) {
		_cleanup_free_ char *text = malloc(size);
		int result = text ? getgrnam_r(group->name, &entry, text, size, &found) : ENOMEM;

		if (result == ERANGE)
			continue;
		if (!result && found) {
			group->exists = true;
			group->gid = entry.gr_gid;
		}
		return;
	}
}

static void refresh(struct credentials *credentials)
{
	uint64_t now_ns = monotonic_ns();

	if (now_ns < credentials->expires_ns)
		return;
	look_up(&credentials->change);
	look_up(&credentials->read);
	credentials->expires_ns = now_ns + CACHE_NS;
}

static unsigned int group_rights(const struct credentials *credentials, gid_t gid)
{
	if (credentials->change.exists && gid == credentials->change.gid)
		return CREDENTIALS_READ | CREDENTIALS_CHANGE;
	if (credentials->read.exists && gid == credentials->read.gid)
		return CREDENTIALS_READ;
	return 0;
}

static unsigned int supplementary_rights(const struct credentials *credentials, int socket_fd)
{
	_cleanup_free_ gid_t *groups = NULL;
	socklen_t length = 0;
	unsigned int rights = 0;

	/* The first call only says how much room it takes. */
	if (!getsockopt(socket_fd, SOL_SOCKET, SO_PEERGROUPS, NULL, &length) || errno != ERANGE ||
		length > PEER_GROUPS_MAX * sizeof(*groups))
		return 0;
	groups = malloc(length);
	if (!groups || getsockopt(socket_fd, SOL_SOCKET, SO_PEERGROUPS, groups, &length) < 0)
		return 0;
	for (size_t i = 0; i < length / sizeof(*groups); i++)
		rights |= group_rights(credentials, groups[i]);
	return rights;
}

int credentials_user(int socket_fd, uid_t *ret)
{
	struct ucred peer;
	socklen_t length = sizeof(peer);

	if (getsockopt(socket_fd, SOL_SOCKET, SO_PEERCRED, &peer, &length) < 0)
		return -errno;
	*ret = peer.uid;
	return 0;
}

unsigned int credentials_rights(struct credentials *credentials, int socket_fd)
{
	struct ucred peer;
	socklen_t length = sizeof(peer);

	if (getsockopt(socket_fd, SOL_SOCKET, SO_PEERCRED, &peer, &length) < 0)
		return 0;
	if (peer.uid == 0)
		return CREDENTIALS_READ | CREDENTIALS_CHANGE;
	refresh(credentials);
	return group_rights(credentials, peer.gid) | supplementary_rights(credentials, socket_fd);
}
