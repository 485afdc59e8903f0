/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Raw frames for tests: "frame send INTERFACE HEX" sends one as it stands. "frame await INTERFACE
 * HEX MS" prints ready, then arrived or silent: whether a frame that contains these bytes came in.
 */
#include <arpa/inet.h>
#include <err.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#define FRAME_MAX 2048

static size_t parse_hex(const char *text, unsigned char bytes[static FRAME_MAX])
{
	size_t size = strlen(text) / 2;

	if (strlen(text) % 2 || size > FRAME_MAX)
		errx(2, "not a frame in hexadecimal: %s", text);
	for (size_t i = 0; i < size; i++)
		if (sscanf(text + 2 * i, "%2hhx", &bytes[i]) != 1)
			errx(2, "not a frame in hexadecimal: %s", text);
	return size;
}

static int open_interface(const char *name)
{
	struct sockaddr_ll address = {
		.sll_family = AF_PACKET,
		.sll_protocol = htons(ETH_P_ALL),
		.sll_ifindex = (int)if_nametoindex(name),
	};
	int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, htons(ETH_P_ALL));

	if (fd < 0 || !address.sll_ifindex)
		err(1, "%s", name);
	if (bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0)
		err(1, "bind to %s", name);
	return fd;
}

static long now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static int await_bytes(int fd, const unsigned char *wanted, size_t size, long end_ms)
{
	struct pollfd polled = {.fd = fd, .events = POLLIN};
	unsigned char frame[FRAME_MAX];
	long left_ms;

	while ((left_ms = end_ms - now_ms()) > 0 && poll(&polled, 1, (int)left_ms) > 0) {
		struct sockaddr_ll from;
		socklen_t length = sizeof(from);
		ssize_t got =
			recvfrom(fd, frame, sizeof(frame), 0, (struct sockaddr *)&from, &length);

		if (got > 0 && from.sll_pkttype != PACKET_OUTGOING &&
			memmem(frame, (size_t)got, wanted, size))
			return 1;
	}
	return 0;
}

int main(int argc, char **argv)
{
	unsigned char bytes[FRAME_MAX];
	size_t size;
	int fd;

	if (argc < 4)
		errx(2, "usage: frame send INTERFACE HEX | frame await INTERFACE HEX MS");
	fd = open_interface(argv[2]);
	size = parse_hex(argv[3], bytes);
	if (!strcmp(argv[1], "send")) {
		if (send(fd, bytes, size, 0) != (ssize_t)size)
			err(1, "send at %s", argv[2]);
		return 0;
	}
	if (argc != 5)
		errx(2, "usage: frame await INTERFACE HEX MS");
	puts("ready");
	fflush(stdout);
	puts(await_bytes(fd, bytes, size, now_ms() + atol(argv[4])) ? "arrived" : "silent");
	return 0;
}
