/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lock.h"

#include "base/cleanup.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define RUN_DIRECTORY "/run/segd"
#define NAMESPACE     "/proc/self/ns/net"
#define PID_TEXT_MAX  16

static int refuse(int fd, const char *what, struct error *error)
{
	char holder[PID_TEXT_MAX] = "";

	if (read(fd, holder, sizeof(holder) - 1) < 0)
		holder[0] = '\0';
	holder[strcspn(holder, "\n")] = '\0';
	return error_set(error, -EBUSY,
		"another segd (pid %s) %s: stop that one first; nothing was changed",
		*holder ? holder : "unknown", what);
}

/* Where nothing can be written, what an earlier agent left can be locked. */
static int open_lock(const char *path)
{
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);

	return fd < 0 && errno == EROFS ? open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW) : fd;
}

/* As far as the disk takes it: it only tells people who holds the lock. */
static void write_holder(int fd)
{
	char text[PID_TEXT_MAX];
	int length = snprintf(text, sizeof(text), "%d\n", getpid());

	if (ftruncate(fd, 0) == 0 && pwrite(fd, text, (size_t)length, 0) < 0)
		return;
}

static int take(const char *path, const char *what, int *ret, struct error *error)
{
	_cleanup_close_ int fd = open_lock(path);

	if (fd < 0)
		return error_errno(error, -errno, "open lock %s", path);
	if (flock(fd, LOCK_EX | LOCK_NB) < 0)
		return errno == EWOULDBLOCK ? refuse(fd, what, error)
					    : error_errno(error, -errno, "lock %s", path);
	write_holder(fd);
	*ret = TAKE_FD(fd);
	return 0;
}

static int make_directory(const char *path, mode_t mode, struct error *error)
{
	if (mkdir(path, mode) < 0 && errno != EEXIST)
		return error_errno(error, -errno, "make directory %s", path);
	return 0;
}

int lock_network(int *ret, struct error *error)
{
	struct stat namespace;
	char path[64];
	int r;

	if (stat(NAMESPACE, &namespace) < 0)
		return error_errno(error, -errno, "look at " NAMESPACE);
	r = make_directory(RUN_DIRECTORY, 0755, error);
	if (r < 0)
		return r;
	snprintf(path, sizeof(path), RUN_DIRECTORY "/network-%llu.lock",
		(unsigned long long)namespace.st_ino);
	return take(path, "enforces on this network", ret, error);
}

int lock_directory(const char *directory, int *ret, struct error *error)
{
	_cleanup_free_ char *path = NULL;
	int r = make_directory(directory, 0700, error);

	if (r < 0)
		return r;
	if (asprintf(&path, "%s/lock", directory) < 0) {
		path = NULL;
		return error_nomem(error);
	}
	return take(path, "keeps its policies here", ret, error);
}
