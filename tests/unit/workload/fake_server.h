/* SPDX-License-Identifier: GPL-2.0-or-later */
/* An HTTP server on a Unix socket that answers as a test wants: a process for each connection. */
#pragma once

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

static char fake_server_path[64];
static pid_t fake_server;
static void (*fake_server_answer)(int fd, const char *path);

static inline void send_text(int fd, const char *text)
{
	if (write(fd, text, strlen(text)) < 0)
		_exit(0); /* the client has had enough */
}

static inline void fake_server_serve(int fd)
{
	char request[4096] = "", path[256];
	size_t size = 0;

	while (!strstr(request, "\r\n\r\n") && size < sizeof(request) - 1) {
		ssize_t got = read(fd, request + size, sizeof(request) - 1 - size);

		if (got <= 0)
			_exit(0);
		size += (size_t)got;
		request[size] = '\0';
	}
	if (sscanf(request, "GET %255s", path) == 1)
		fake_server_answer(fd, path);
	_exit(0);
}

static inline void fake_server_run(int listener)
{
	signal(SIGCHLD, SIG_IGN);
	signal(SIGPIPE, SIG_IGN);
	for (;;) {
		int fd = accept(listener, NULL, NULL);

		if (fd >= 0 && fork() == 0)
			fake_server_serve(fd);
		close(fd);
	}
}

/* answer writes what it likes to fd, for the path that was asked for. */
static inline int fake_server_start(void (*answer)(int fd, const char *path))
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	fake_server_answer = answer;
	snprintf(
		fake_server_path, sizeof(fake_server_path), "/tmp/workload-http-%d.sock", getpid());
	memcpy(address.sun_path, fake_server_path, strlen(fake_server_path) + 1);
	if (bind(listener, (struct sockaddr *)&address, sizeof(address)) < 0 ||
		listen(listener, 64) < 0)
		return -1;
	fake_server = fork();
	if (fake_server == 0) {
		setpgid(0, 0);
		fake_server_run(listener);
	}
	setpgid(fake_server, fake_server);
	close(listener);
	return fake_server < 0 ? -1 : 0;
}

static inline int fake_server_stop(void)
{
	if (fake_server > 0) {
		kill(-fake_server, SIGKILL); /* the group that fake_server_start() made */
		waitpid(fake_server, NULL, 0);
	}
	return unlink(fake_server_path);
}
