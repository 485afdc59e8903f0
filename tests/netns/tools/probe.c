/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One question to an echo server: probe tcp|udp ADDRESS PORT [TIMEOUT_MS [COUNT [error]]]. Prints
 * (with "error" the system's word for the answer instead) and exits: "open" 0 (the echo came back),
 * "refused" 1 (an answer said no), "timeout" 2 (silence). With COUNT it asks that many times
 * without waiting for each (UDP: datagrams) or one after the other (TCP), and the last one's fate
 * counts. PROBE_SOURCE in the environment is the address to ask from. TIMEOUT_MS is what it takes
 * for silence. Over an open connection there is none: the server's system has answered, and the
 * server itself does when it gets a core.
 */
#include <arpa/inet.h>
#include <err.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define ECHO_MS 5000

enum fate {
	OPEN,
	REFUSED,
	TIMEOUT,
	USAGE
};

static int last_problem; /* of a refusal */

static socklen_t parse_target(const char *address, const char *port, struct sockaddr_storage *ret)
{
	struct sockaddr_in *v4 = (struct sockaddr_in *)ret;
	struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)ret;

	memset(ret, 0, sizeof(*ret));
	if (inet_pton(AF_INET, address, &v4->sin_addr) == 1) {
		v4->sin_family = AF_INET;
		v4->sin_port = htons((uint16_t)atoi(port));
		return sizeof(*v4);
	}
	if (inet_pton(AF_INET6, address, &v6->sin6_addr) != 1)
		errx(USAGE, "%s is no address", address);
	v6->sin6_family = AF_INET6;
	v6->sin6_port = htons((uint16_t)atoi(port));
	return sizeof(*v6);
}

static enum fate await(int fd, short events, int timeout_ms)
{
	struct pollfd polled = {.fd = fd, .events = events};
	int r = poll(&polled, 1, timeout_ms);
	int problem = 0;
	socklen_t length = sizeof(problem);

	if (r <= 0)
		return TIMEOUT;
	getsockopt(fd, SOL_SOCKET, SO_ERROR, &problem, &length);
	if (problem == ETIMEDOUT)
		return TIMEOUT;
	last_problem = problem;
	return problem ? REFUSED : OPEN;
}

static void bind_source(int fd)
{
	const char *source = getenv("PROBE_SOURCE");
	struct sockaddr_storage address;
	socklen_t length;

	if (!source)
		return;
	length = parse_target(source, "0", &address);
	if (bind(fd, (struct sockaddr *)&address, length) < 0)
		err(USAGE, "bind %s", source);
}

static enum fate ask(int type, const struct sockaddr *target, socklen_t length, int timeout_ms)
{
	char reply[16];
	enum fate fate = OPEN;
	int fd = socket(target->sa_family, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (fd < 0)
		err(USAGE, "socket");
	bind_source(fd);
	if (connect(fd, target, length) < 0 && errno != EINPROGRESS)
		fate = errno == ETIMEDOUT ? TIMEOUT : REFUSED;
	else if (type == SOCK_STREAM)
		fate = await(fd, POLLOUT, timeout_ms);
	if (fate == OPEN && send(fd, "ping", 4, MSG_NOSIGNAL) != 4)
		fate = REFUSED;
	if (fate == OPEN)
		fate = await(fd, POLLIN, type == SOCK_STREAM ? ECHO_MS : timeout_ms);
	if (fate == OPEN && recv(fd, reply, sizeof(reply), 0) <= 0)
		fate = REFUSED;
	close(fd);
	return fate;
}

/* Datagrams from one socket, so that they are one pseudo-connection. */
static void flood(const struct sockaddr *target, socklen_t length, long count)
{
	int fd = socket(target->sa_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (fd < 0 || connect(fd, target, length) < 0)
		err(USAGE, "flood");
	for (long i = 0; i < count; i++) {
		if (send(fd, "ping", 4, 0) < 0)
			usleep(50);
	}
	close(fd);
}

int main(int argc, char **argv)
{
	static const char *const words[] = {"open", "refused", "timeout"};
	struct sockaddr_storage target;
	enum fate fate = TIMEOUT;
	long count = argc > 5 ? atol(argv[5]) : 1;
	int timeout_ms = argc > 4 ? atoi(argv[4]) : 1000;
	bool tcp;
	socklen_t length;

	if (argc < 4)
		errx(USAGE, "usage: probe tcp|udp ADDRESS PORT [TIMEOUT_MS [COUNT [error]]]");
	tcp = !strcmp(argv[1], "tcp");
	length = parse_target(argv[2], argv[3], &target);
	if (!tcp && count > 1)
		flood((struct sockaddr *)&target, length, count - 1);
	for (long i = tcp ? 0 : count - 1; i < count; i++)
		fate = ask(tcp ? SOCK_STREAM : SOCK_DGRAM, (struct sockaddr *)&target, length,
			timeout_ms);
	puts(argc > 6 && last_problem ? strerror(last_problem) : words[fate]);
	return fate;
}
