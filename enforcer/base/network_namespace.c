/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/network_namespace.h"

#include "base/cleanup.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <sys/socket.h>

int network_namespace_enter(int target, struct network_namespace *ret)
{
	_cleanup_close_ int home = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);

	if (home < 0 || setns(target, CLONE_NEWNET) < 0)
		return -errno;
	ret->home = TAKE_FD(home);
	return 0;
}

void network_namespace_leave(struct network_namespace *visit)
{
	if (visit->home < 0)
		return;
	if (setns(visit->home, CLONE_NEWNET) < 0) {
		fprintf(stderr, "cannot return to the agent's network namespace: %m\n");
		abort();
	}
	closep(&visit->home);
	visit->home = -1;
}

int network_namespace_cookie(int socket, uint64_t *ret)
{
	uint64_t cookie;
	socklen_t size = sizeof(cookie);

	if (getsockopt(socket, SOL_SOCKET, SO_NETNS_COOKIE, &cookie, &size) < 0)
		return -errno;
	*ret = cookie;
	return 0;
}

/* The finalizer of MurmurHash3: cookies are counted up, and so are indexes, but 31 bits have no
 * room for both. */
uint32_t network_namespace_interface(uint64_t cookie, uint32_t ifindex)
{
	uint64_t hash = cookie * UINT64_C(0x9e3779b97f4a7c15) + ifindex;

	hash = (hash ^ hash >> 33) * UINT64_C(0xff51afd7ed558ccd);
	hash = (hash ^ hash >> 33) * UINT64_C(0xc4ceb9fe1a85ec53);
	return (uint32_t)(hash ^ hash >> 33) | UINT32_C(1) << 31;
}
