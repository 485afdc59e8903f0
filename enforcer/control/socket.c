/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "control/socket.h"

#include "base/cleanup.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdint.h>
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

/* 0 where text is "ADDRESS:PORT" or "[ADDRESS]:PORT". */
static int parse_tcp(const char *text, struct sockaddr_storage *ret, socklen_t *ret_length)
{
	struct sockaddr_in *v4 = (struct sockaddr_in *)ret;
	struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)ret;
	const char *colon = strrchr(text, ':');
	_cleanup_free_ char *host = NULL;
	unsigned long port;
	char *end = NULL;

	*ret = (struct sockaddr_storage){0};
	port = colon ? strtoul(colon + 1, &end, 10) : 0;
	if (!port || port > UINT16_MAX || *end)
		return -EINVAL;
	host = strndup(text, (size_t)(colon - text));
	if (!host)
		return -ENOMEM;
	if (inet_pton(AF_INET, host, &v4->sin_addr) == 1) {
		v4->sin_family = AF_INET;
		v4->sin_port = htons((uint16_t)port);
		*ret_length = sizeof(*v4);
		return 0;
	}
	if (*host != '[' || host[strlen(host) - 1] != ']')
		return -EINVAL;
	host[strlen(host) - 1] = '\0';
	if (inet_pton(AF_INET6, host + 1, &v6->sin6_addr) != 1)
		return -EINVAL;
	v6->sin6_family = AF_INET6;
	v6->sin6_port = htons((uint16_t)port);
	*ret_length = sizeof(*v6);
	return 0;
}

int socket_listen_tcp(const char *text, int *ret_fd, struct error *error)
{
	struct sockaddr_storage address;
	_cleanup_close_ int fd = -1;
	socklen_t length;
	int one = 1, r = parse_tcp(text, &address, &length);

	if (r < 0)
		return error_set(error, r,
			"'%s' is no address and port, such as 127.0.0.1:9464 or [::1]:9464", text);
	fd = socket(address.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return error_errno(error, -errno, "make a TCP socket");
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (bind(fd, (const struct sockaddr *)&address, length) < 0 || listen(fd, BACKLOG) < 0)
		return error_errno(error, -errno, "listen on %s", text);
	*ret_fd = TAKE_FD(fd);
	return 0;
}

void socket_remove(const char *path, const struct socket_id *id)
{
	struct stat status;

	if (!lstat(path, &status) && status.st_dev == id->device && status.st_ino == id->inode)
		unlink(path);
}
