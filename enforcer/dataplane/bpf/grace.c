/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "dataplane/bpf/grace.h"

#include "base/cleanup.h"

#include <errno.h>
#include <fcntl.h>

static const char path[] = "/sys/kernel/rcu_expedited";

struct grace grace_hurry(void)
{
	_cleanup_close_ int fd = open(path, O_RDWR | O_CLOEXEC);
	struct grace grace = {-1};
	char before;

	if (fd < 0 || pread(fd, &before, 1, 0) != 1 || before != '0' || pwrite(fd, "1", 1, 0) != 1)
		return grace;
	grace.fd = TAKE_FD(fd);
	return grace;
}

void grace_relax(struct grace *grace)
{
	int saved = errno;

	if (grace->fd < 0)
		return;
	/* It was written a moment ago. */
	(void)!pwrite(grace->fd, "0", 1, 0);
	closep(&grace->fd);
	grace->fd = -1;
	errno = saved;
}
