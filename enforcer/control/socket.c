/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "control/socket.h"

#include "base/cleanup.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define BACKLOG 128

static int make_directory(const char *path, struct error *error)
{
	const char *slash = strrchr(path, '/');
	_cleanup_free_ char *directory = NULL;

	if (!slash || slash == path)
		return 0;
	directory = strndup(path, (size_t)(slash - path));
	if (!directory)
		return error_nomem(error);
	if (mkdir(directory, 0755) < 0 && errno != EEXIST)
		return error_errno(error, -errno, "make directory %s", directory);
	return 0;
}

static int open_socket(struct error *error)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	return fd < 0 ? error_errno(error, -errno, "make a Unix socket") : fd;
}

/* 0: path is free, perhaps because what nobody answered on was removed. */
static int make_way(const struct sockaddr_un *address, struct error *error)
{
	_cleanup_close_ int probe = -1;
	struct stat status;

	if (lstat(address->sun_path, &status) < 0)
		return errno == ENOENT
			       ? 0
			       : error_errno(error, -errno, "look at %s", address->sun_path);
	if (!S_ISSOCK(status.st_mode))
		return error_set(error, -EEXIST, "%s is there and is no socket: remove it",
			address->sun_path);
	probe = open_socket(error);
	if (probe < 0)
		return probe;
	if (!connect(probe, (const struct sockaddr *)address, sizeof(*address)) || errno == EAGAIN)
		return error_set(error, -EADDRINUSE, "another agent answers on %s: stop it first",
			address->sun_path);
	if (errno != ECONNREFUSED)
		return error_errno(error, -errno, "see who answers on %s", address->sun_path);
	if (unlink(address->sun_path) < 0 && errno != ENOENT)
		return error_errno(error, -errno, "remove the old socket %s", address->sun_path);
	return 0;
}

static int bind_socket(
	int fd, const struct sockaddr_un *address, struct socket_id *ret_id, struct error *error)
{
	struct stat status;

	if (bind(fd, (const struct sockaddr *)address, sizeof(*address)) < 0)
		return error_errno(error, -errno, "bind %s", address->sun_path);
	if (chmod(address->sun_path, 0666) < 0 || listen(fd, BACKLOG) < 0 ||
		lstat(address->sun_path, &status) < 0) {
		int code = -errno;

		unlink(address->sun_path);
		return error_errno(error, code, "listen on %s", address->sun_path);
	}
	ret_id->device = status.st_dev;
	ret_id->inode = status.st_ino;
	return 0;
}

int socket_listen(const char *path, int *ret_fd, struct socket_id *ret_id, struct error *error)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	_cleanup_close_ int fd = -1;
	int result;

	if (strlen(path) >= sizeof(address.sun_path))
		return error_set(error, -ENAMETOOLONG,
			"socket path %s is longer than the %zu bytes that the kernel allows", path,
			sizeof(address.sun_path) - 1);
	strcpy(address.sun_path, path);
	result = make_directory(path, error);
	if (result < 0)
		return result;
	result = make_way(&address, error);
	if (result < 0)
		return result;
	fd = open_socket(error);
	if (fd < 0)
		return fd;
	result = bind_socket(fd, &address, ret_id, error);
	if (result < 0)
		return result;
	*ret_fd = TAKE_FD(fd);
	return 0;
}

void socket_remove(const char *path, const struct socket_id *id)
{
	struct stat status;

	if (!lstat(path, &status) && status.st_dev == id->device && status.st_ino == id->inode)
		unlink(path);
}
