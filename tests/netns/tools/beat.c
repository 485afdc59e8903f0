/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Datagrams at short intervals, to see when they stop: beat send ADDRESS PORT INTERVAL_US sends
 * numbered ones until SIGTERM; beat receive PORT prints "ready", and at SIGTERM "count=N last=NS",
 * CLOCK_REALTIME when the last one came in; at SIGUSR1 the same, and goes on.
 */
#include <arpa/inet.h>
#include <err.h>
#include <errno.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

static volatile sig_atomic_t ended, asked;

static void on_signal(int number)
{
	if (number == SIGUSR1)
		asked = 1;
	else
		ended = 1;
}

static uint64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

static int send_beats(const char *address, const char *port, const char *interval)
{
	struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(port))};
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (fd < 0 || inet_pton(AF_INET, address, &to.sin_addr) != 1)
		err(2, "%s", address);
	for (uint64_t number = 0; !ended; number++) {
		/* A refusal is what is waited for. */
		(void)sendto(fd, &number, sizeof(number), MSG_DONTWAIT, (struct sockaddr *)&to,
			sizeof(to));
		usleep((useconds_t)atoi(interval));
	}
	return 0;
}

static int receive_beats(const char *port)
{
	struct sockaddr_in on = {.sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(port))};
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	uint64_t number, count = 0, last_ns = 0;

	if (fd < 0 || bind(fd, (struct sockaddr *)&on, sizeof(on)) < 0)
		err(2, "listen on %s", port);
	puts("ready");
	fflush(stdout);
	while (!ended) {
		if (recv(fd, &number, sizeof(number), 0) == sizeof(number)) {
			last_ns = now_ns();
			count++;
		} else if (errno != EINTR) {
			err(2, "receive");
		}
		if (asked || ended)
			printf("count=%llu last=%llu\n", (unsigned long long)count,
				(unsigned long long)last_ns);
		asked = 0;
		fflush(stdout);
	}
	return 0;
}

int main(int argc, char **argv)
{
	struct sigaction action = {.sa_handler = on_signal};

	sigaction(SIGTERM, &action, NULL);
	sigaction(SIGUSR1, &action, NULL);
	if (argc == 5 && !strcmp(argv[1], "send"))
		return send_beats(argv[2], argv[3], argv[4]);
	if (argc == 3 && !strcmp(argv[1], "receive"))
		return receive_beats(argv[2]);
	errx(2, "usage: beat send ADDRESS PORT INTERVAL_US | beat receive PORT");
}
