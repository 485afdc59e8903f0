/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A flood of TCP SYNs: syn_flood INTERFACE HEX COUNT [scan] sends the frame COUNT times, an IPv4
 * TCP segment without options, each time from the next port and, when those are through, to the
 * next one. A scan goes to the next port each time and, when those are through, to the next
 * address. Prints "sent=N". Checksums are left as the frame has them: no one is to answer.
 */
#include <arpa/inet.h>
#include <err.h>
#include <errno.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#define FRAME_SIZE 54
#define LAST_BYTE  (ETH_HLEN + 19) /* of the destination */
#define PORTS      (ETH_HLEN + 20)
#define BATCH      256
#define PORTS_MAX  60000

static int open_interface(const char *name)
{
	struct sockaddr_ll address = {
		.sll_family = AF_PACKET,
		.sll_ifindex = (int)if_nametoindex(name),
	};
	int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0), one = 1;

	if (fd < 0 || !address.sll_ifindex ||
		bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0)
		err(1, "%s", name);
	setsockopt(fd, SOL_PACKET, PACKET_QDISC_BYPASS, &one, sizeof(one));
	return fd;
}

static void parse_frame(const char *text, unsigned char frame[static FRAME_SIZE])
{
	if (strlen(text) != 2UL * FRAME_SIZE)
		errx(2, "not a frame of %d bytes in hexadecimal", FRAME_SIZE);
	for (size_t i = 0; i < FRAME_SIZE; i++)
		if (sscanf(text + 2 * i, "%2hhx", &frame[i]) != 1)
			errx(2, "not a frame in hexadecimal: %s", text);
}

static void put_target(unsigned char *frame, unsigned char first, unsigned long number)
{
	uint16_t port = htons((uint16_t)(1024 + number % PORTS_MAX));

	memcpy(frame + PORTS + sizeof(port), &port, sizeof(port));
	frame[LAST_BYTE] = (unsigned char)(first + number / PORTS_MAX);
}

static void put_ports(unsigned char *frame, unsigned long number)
{
	uint16_t ports[2] = {htons((uint16_t)(1024 + number % PORTS_MAX)),
		htons((uint16_t)(20000 + number / PORTS_MAX))};

	memcpy(frame + PORTS, ports, sizeof(ports));
}

int main(int argc, char **argv)
{
	static unsigned char frames[BATCH][FRAME_SIZE];
	static struct mmsghdr messages[BATCH];
	static struct iovec vectors[BATCH];
	unsigned long count, sent = 0;
	unsigned char first;
	int fd;

	if (argc != 4 && (argc != 5 || strcmp(argv[4], "scan") != 0))
		errx(2, "usage: syn_flood INTERFACE HEX COUNT [scan]");
	fd = open_interface(argv[1]);
	count = strtoul(argv[3], NULL, 10);
	for (size_t i = 0; i < BATCH; i++) {
		parse_frame(argv[2], frames[i]);
		vectors[i] = (struct iovec){frames[i], FRAME_SIZE};
		messages[i].msg_hdr = (struct msghdr){.msg_iov = &vectors[i], .msg_iovlen = 1};
	}
	first = frames[0][LAST_BYTE];
	while (sent < count) {
		unsigned int batch = count - sent < BATCH ? (unsigned int)(count - sent) : BATCH;
		int r;

		for (unsigned int i = 0; i < batch; i++)
			if (argc == 5)
				put_target(frames[i], first, sent + i);
			else
				put_ports(frames[i], sent + i);
		r = sendmmsg(fd, messages, batch, 0);
		if (r < 0 && errno != ENOBUFS && errno != EAGAIN)
			err(1, "send at %s", argv[1]);
		sent += r > 0 ? (unsigned long)r : 0;
	}
	printf("sent=%lu\n", sent);
	return 0;
}
