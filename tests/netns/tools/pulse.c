/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A connection that lives: pulse ADDRESS PORT INTERVAL_MS [PATIENCE_MS] sends a numbered beat over
 * one TCP connection to an echo server and reads it back, until SIGTERM. Prints "connected", then
 * at the end "beats=N answered=N lost=N", and ended="…" where the connection was ended by an error.
 * Exits 1 when the connection broke or the last beat got no echo in PATIENCE_MS (10000): a busy
 * machine takes its time, so who counts on an end says how soon.
 */
#include "lost.h"

#include <arpa/inet.h>
#include <err.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define PATIENCE_MS "10000"
#define WORD_MS     1000

static volatile sig_atomic_t stopping;

static void on_term(int number)
{
	(void)number;
	stopping = 1;
}

static uint64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static int dial(const char *address, const char *port)
{
	struct sockaddr_in6 v6 = {
		.sin6_family = AF_INET6, .sin6_port = htons((uint16_t)atoi(port))};
	struct sockaddr_in v4 = {.sin_family = AF_INET, .sin_port = v6.sin6_port};
	int is_v4 = inet_pton(AF_INET, address, &v4.sin_addr) == 1;
	int fd, one = 1;

	if (!is_v4 && inet_pton(AF_INET6, address, &v6.sin6_addr) != 1)
		errx(2, "%s is no address", address);
	fd = socket(is_v4 ? AF_INET : AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0 ||
		connect(fd, is_v4 ? (void *)&v4 : (void *)&v6, is_v4 ? sizeof(v4) : sizeof(v6)) < 0)
		err(1, "connect");
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	return fd;
}

/* 0: there was an answer to the word. */
static int ask(int fd, uint64_t word, uint64_t patience_ms, uint64_t *ret)
{
	uint64_t until = now_ms() + patience_ms;
	size_t got = 0;

	if (send(fd, &word, sizeof(word), MSG_NOSIGNAL) != sizeof(word))
		return -1;
	while (got < sizeof(*ret)) {
		struct pollfd polled = {.fd = fd, .events = POLLIN};
		uint64_t now = now_ms();
		ssize_t size;

		if (now >= until)
			return -1;
		if (poll(&polled, 1, (int)(until - now)) <= 0)
			continue;
		size = recv(fd, (char *)ret + got, sizeof(*ret) - got, 0);
		if (size <= 0)
			return -1;
		got += (size_t)size;
	}
	return 0;
}

/* Of both ends, when there was time to hear of all that was not lost. */
static uint64_t count_lost(int fd)
{
	const uint64_t until = now_ms() + WORD_MS;
	uint64_t there = 0, lost;

	for (;;) {
		if (ask(fd, LOST_QUESTION, WORD_MS, &there) < 0)
			there = 1; /* the answer, at least */
		lost = there + lost_segments(fd);
		if (!lost || now_ms() >= until)
			return lost;
		usleep(10000);
	}
}

int main(int argc, char **argv)
{
	uint64_t beats = 0, answered = 0, echo, patience_ms;
	int fd;

	if (argc != 4 && argc != 5)
		errx(2, "usage: pulse ADDRESS PORT INTERVAL_MS [PATIENCE_MS]");
	patience_ms = strtoull(argc > 4 ? argv[4] : PATIENCE_MS, NULL, 10);
	signal(SIGTERM, on_term);
	fd = dial(argv[1], argv[2]);
	puts("connected");
	fflush(stdout);
	while (!stopping) {
		errno = 0;
		beats++;
		if (ask(fd, beats, patience_ms, &echo) < 0 || echo != beats)
			break;
		answered++;
		usleep((useconds_t)atoi(argv[3]) * 1000);
	}
	if (beats != answered && errno)
		printf("ended=\"%s\" ", strerror(errno));
	printf("beats=%llu answered=%llu lost=%llu\n", (unsigned long long)beats,
		(unsigned long long)answered,
		(unsigned long long)(beats == answered ? count_lost(fd) : lost_segments(fd)));
	return beats == answered ? 0 : 1;
}
