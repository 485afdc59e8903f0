/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Many TCP connections between two network namespaces, each over as soon as it stands, as fast as
 * the kernel makes them: short_connections CLIENT-NETNS SERVER-NETNS ADDRESS PORT COUNT. Half of
 * them go to PORT, the other half, on another processor, to PORT + 1. Both ends are here, so nobody
 * waits for anybody. The server closes first, so that the client's ports are free again; whoever
 * runs this lets it have no TIME_WAIT (tcp_max_tw_buckets=0). Prints "opened=N refused=N
 * per_second=N"; refused are those that did not stand after two seconds.
 */
#include <arpa/inet.h>
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define WORKERS    2
#define AT_ONCE    64
#define PATIENCE_S 2

struct result {
	unsigned long opened;
	unsigned long refused;
};

static void enter(const char *name)
{
	char path[256];
	int fd;

	snprintf(path, sizeof(path), "/run/netns/%s", name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || setns(fd, CLONE_NEWNET) < 0)
		err(1, "enter %s", path);
	close(fd);
}

static void stay_on(unsigned int number)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(number % (unsigned int)sysconf(_SC_NPROCESSORS_ONLN), &set);
	sched_setaffinity(0, sizeof(set), &set);
}

static int listen_at(const struct sockaddr_in *address)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), one = 1;

	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (bind(fd, (const struct sockaddr *)address, sizeof(*address)) < 0 ||
		listen(fd, SOMAXCONN) < 0)
		err(1, "listen");
	return fd;
}

static void close_accepted(int listener)
{
	int fd;

	while ((fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC)) >= 0)
		close(fd);
	if (errno != EAGAIN)
		err(1, "accept");
}

/* Waits for the server's end of the connection. 0 if it never stood. */
static int finish(int fd, int listener)
{
	struct pollfd polled[] = {
		{.fd = fd, .events = POLLIN | POLLRDHUP}, {.fd = listener, .events = POLLIN}};
	struct timespec now, end;
	char byte;

	clock_gettime(CLOCK_MONOTONIC, &end);
	end.tv_sec += PATIENCE_S;
	for (;;) {
		ssize_t size = recv(fd, &byte, 1, 0);

		if (size == 0)
			return 1;
		if (errno != EAGAIN && errno != ENOTCONN)
			return 0;
		clock_gettime(CLOCK_MONOTONIC, &now);
		if (now.tv_sec > end.tv_sec)
			return 0;
		poll(polled, 2, 100);
		close_accepted(listener);
	}
}

static void open_some(
	const struct sockaddr_in *address, int listener, unsigned int count, struct result *result)
{
	int fds[AT_ONCE];

	for (unsigned int i = 0; i < count; i++) {
		fds[i] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
		if (fds[i] < 0)
			err(1, "socket");
		if (connect(fds[i], (const struct sockaddr *)address, sizeof(*address)) < 0 &&
			errno != EINPROGRESS)
			err(1, "connect");
	}
	close_accepted(listener);
	for (unsigned int i = 0; i < count; i++) {
		if (finish(fds[i], listener))
			result->opened++;
		else
			result->refused++;
		close(fds[i]);
	}
}

static void work(char **argv, unsigned int number, unsigned long count, struct result *result)
{
	struct sockaddr_in address = {
		.sin_family = AF_INET,
		.sin_port = htons((uint16_t)(atoi(argv[4]) + (int)number)),
	};
	int listener;

	if (inet_pton(AF_INET, argv[3], &address.sin_addr) != 1)
		errx(2, "%s is no IPv4 address", argv[3]);
	stay_on(number);
	enter(argv[2]);
	listener = listen_at(&address);
	enter(argv[1]);
	while (count) {
		unsigned int some = count < AT_ONCE ? (unsigned int)count : AT_ONCE;

		open_some(&address, listener, some, result);
		count -= some;
	}
	exit(0);
}

int main(int argc, char **argv)
{
	struct result *results = mmap(NULL, sizeof(*results) * WORKERS, PROT_READ | PROT_WRITE,
		MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	struct result sum = {0};
	struct timespec start, end;
	unsigned long count;
	double seconds;
	int status, code = 0;

	if (argc != 6)
		errx(2, "usage: short_connections CLIENT-NETNS SERVER-NETNS ADDRESS PORT COUNT");
	if (results == MAP_FAILED)
		err(1, "memory");
	count = strtoul(argv[5], NULL, 10);
	clock_gettime(CLOCK_MONOTONIC, &start);
	for (unsigned int i = 0; i < WORKERS; i++)
		if (!fork())
			work(argv, i, (count + i) / WORKERS, &results[i]);
	while (wait(&status) > 0)
		code |= status;
	clock_gettime(CLOCK_MONOTONIC, &end);
	seconds = (double)(end.tv_sec - start.tv_sec) + (double)(end.tv_nsec - start.tv_nsec) / 1e9;
	for (unsigned int i = 0; i < WORKERS; i++) {
		sum.opened += results[i].opened;
		sum.refused += results[i].refused;
	}
	printf("opened=%lu refused=%lu per_second=%.0f\n", sum.opened, sum.refused,
		(double)sum.opened / seconds);
	return code ? 1 : 0;
}
