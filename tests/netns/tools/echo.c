/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * An echo server for tests: echo tcp/8080 udp/53 ... Each listens on IPv4 and IPv6 alike. Prints
 * "ready" when all are open. Who asks LOST_QUESTION over a stream gets that for an answer. One
 * thread, poll(2), bounded.
 */
#include "lost.h"

#include <arpa/inet.h>
#include <err.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define SOCKETS_MAX 1024

enum role {
	LISTENER,
	DATAGRAM,
	STREAM
};

static struct pollfd polled[SOCKETS_MAX];
static enum role roles[SOCKETS_MAX];
static nfds_t count;

static void add(int fd, enum role role)
{
	if (count == SOCKETS_MAX) {
		close(fd);
		return;
	}
	polled[count] = (struct pollfd){.fd = fd, .events = POLLIN};
	roles[count++] = role;
}

static void drop(nfds_t i)
{
	close(polled[i].fd);
	count--;
	polled[i] = polled[count];
	roles[i] = roles[count];
}

static void open_port(const char *specification)
{
	struct sockaddr_in6 any = {.sin6_family = AF_INET6};
	const char *slash = strchr(specification, '/');
	int type, fd, one = 1, zero = 0;

	if (!slash || (strncmp(specification, "tcp/", 4) && strncmp(specification, "udp/", 4)))
		errx(2, "%s: expected tcp/PORT or udp/PORT", specification);
	type = *specification == 't' ? SOCK_STREAM : SOCK_DGRAM;
	any.sin6_port = htons((uint16_t)atoi(slash + 1));
	fd = socket(AF_INET6, type | SOCK_CLOEXEC, 0);
	if (fd < 0)
		err(1, "socket");
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &zero, sizeof(zero));
	if (bind(fd, (struct sockaddr *)&any, sizeof(any)) < 0)
		err(1, "bind %s", specification);
	if (type == SOCK_STREAM && listen(fd, 512) < 0)
		err(1, "listen %s", specification);
	add(fd, type == SOCK_STREAM ? LISTENER : DATAGRAM);
}

static void answer_question(int fd, char *buffer, ssize_t size)
{
	uint64_t word;

	if (size != sizeof(word))
		return;
	memcpy(&word, buffer, sizeof(word));
	if (word != LOST_QUESTION)
		return;
	word = lost_segments(fd);
	memcpy(buffer, &word, sizeof(word));
}

static void serve(nfds_t i)
{
	struct sockaddr_storage peer;
	socklen_t length = sizeof(peer);
	char buffer[65536];
	ssize_t size;
	int fd = polled[i].fd;

	if (roles[i] == LISTENER) {
		fd = accept(fd, NULL, NULL);
		if (fd >= 0)
			add(fd, STREAM);
		return;
	}
	size = recvfrom(fd, buffer, sizeof(buffer), 0, (struct sockaddr *)&peer, &length);
	if (roles[i] == DATAGRAM) {
		if (size >= 0)
			sendto(fd, buffer, (size_t)size, 0, (struct sockaddr *)&peer, length);
		return;
	}
	answer_question(fd, buffer, size);
	if (size <= 0 || send(fd, buffer, (size_t)size, MSG_NOSIGNAL) != size)
		drop(i);
}

int main(int argc, char **argv)
{
	if (argc < 2)
		errx(2, "usage: echo tcp/PORT|udp/PORT...");
	for (int i = 1; i < argc; i++)
		open_port(argv[i]);
	puts("ready");
	fflush(stdout);
	for (;;) {
		if (poll(polled, count, -1) < 0)
			err(1, "poll");
		/* Backwards: drop() moves the last one into the hole. */
		for (nfds_t i = count; i-- > 0;) {
			if (polled[i].revents)
				serve(i);
		}
	}
}
