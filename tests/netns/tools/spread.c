/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Many connections without waiting for one: spread ADDRESS PORT COUNT sends one UDP datagram from
 * each of COUNT source ports, 10000 and up; spread ADDRESS PORT COUNT ports one to each of COUNT
 * destination ports, PORT and up. (IPv4 only: what it tests is how many.)
 */
#include <arpa/inet.h>
#include <err.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define FIRST_PORT 10000

static int open_port(uint16_t port)
{
	const struct sockaddr_in from = {.sin_family = AF_INET, .sin_port = htons(port)};
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (fd < 0 || bind(fd, (const struct sockaddr *)&from, sizeof(from)) < 0)
		err(1, "bind to port %u", port);
	return fd;
}

static void send_word(int fd, const struct sockaddr_in *to)
{
	while (sendto(fd, "word", 4, 0, (const struct sockaddr *)to, sizeof(*to)) < 0)
		if (errno != EAGAIN && errno != ENOBUFS)
			err(1, "send to port %u", ntohs(to->sin_port));
}

static void send_from_ports(const struct sockaddr_in *to, int count)
{
	for (int i = 0; i < count; i++) {
		int fd = open_port((uint16_t)(FIRST_PORT + i));

		send_word(fd, to);
		close(fd);
	}
}

static void send_to_ports(struct sockaddr_in to, int count)
{
	int fd = open_port(FIRST_PORT), first = ntohs(to.sin_port);

	for (int i = 0; i < count; i++) {
		to.sin_port = htons((uint16_t)(first + i));
		send_word(fd, &to);
	}
	close(fd);
}

int main(int argc, char **argv)
{
	struct sockaddr_in to = {.sin_family = AF_INET};
	int count;

	if (argc < 4 || argc > 5 || inet_pton(AF_INET, argv[1], &to.sin_addr) != 1 ||
		(argc == 5 && strcmp(argv[4], "ports") != 0))
		errx(2, "usage: spread ADDRESS PORT COUNT [ports]");
	to.sin_port = htons((uint16_t)atoi(argv[2]));
	count = atoi(argv[3]);
	if (count < 1 || count > UINT16_MAX - FIRST_PORT)
		errx(2, "%s: not that many ports", argv[3]);
	if (argc == 5)
		send_to_ports(to, count);
	else
		send_from_ports(&to, count);
	return 0;
}
