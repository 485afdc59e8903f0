/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/write_all.h"

#include <errno.h>
#include <unistd.h>

int write_all(int fd, const void *bytes, size_t size)
{
	const char *rest = bytes;

	while (size) {
		ssize_t written = write(fd, rest, size);

		if (written < 0 && errno != EINTR)
			return -errno;
		if (written > 0) {
			rest += written;
			size -= (size_t)written;
		}
	}
	return 0;
}
