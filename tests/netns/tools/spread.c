/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Many connections without waiting for one: spread ADDRESS PORT COUNT sends one UDP datagram from
 * each of COUNT source ports, 10000 and up. (IPv4 only: what it tests is how many.)
 */
#include <arpa/inet.h>
#include <err.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#define FIRST_PORT 10000

static void send_from(uint16_t port, const struct sockaddr_in *to)
{
	const struct sockaddr_in from = {.sin_family = AF_INET, .sin_port = htons(port)};
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (fd < 0 || bind(fd, (const struct sockaddr *)&from, sizeof(from)) < 0)
		err(1, "bind to port %u", port);
	while (sendto(fd, "word", 4, 0, (const struct sockaddr *)to, sizeof(*to)) < 0)
		if (errno != EAGAIN && errno != ENOBUFS)
			err(1, "send from port %u", port);
	close(fd);
}

int main(int argc, char **argv)
{
	struct sockaddr_in to = {.sin_family = AF_INET};
	int count;

	if (argc != 4 || inet_pton(AF_INET, argv[1], &to.sin_addr) != 1)
		errx(2, "usage: spread ADDRESS PORT COUNT");
	to.sin_port = htons((uint16_t)atoi(argv[2]));
	count = atoi(argv[3]);
	if (count < 1 || count > UINT16_MAX - FIRST_PORT)
		errx(2, "%s: not that many ports", argv[3]);
	for (int i = 0; i < count; i++)
		send_from((uint16_t)(FIRST_PORT + i), &to);
	return 0;
}
