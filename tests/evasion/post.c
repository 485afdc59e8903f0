/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "post.h"

#include "base/cleanup.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <poll.h>
#include <sched.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#define INTERFACE   "eth0"
#define PATIENCE_MS 3000
#define BUFFER      (4 << 20)
#define TAG_BYTES   4

static int enter(const char *name, struct error *error)
{
	_cleanup_close_ int fd = -1;
	char path[128];

	snprintf(path, sizeof(path), "/run/netns/%s", name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || setns(fd, CLONE_NEWNET) < 0)
		return error_errno(error, -errno, "enter network namespace %s", name);
	return 0;
}

static int open_packets(int *ret, struct error *error)
{
	struct sockaddr_ll address = {
		.sll_family = AF_PACKET,
		.sll_protocol = htons(ETH_P_ALL),
		.sll_ifindex = (int)if_nametoindex(INTERFACE),
	};
	_cleanup_close_ int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);
	const int on = 1, size = BUFFER;

	if (fd < 0 || !address.sll_ifindex ||
		bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0 ||
		setsockopt(fd, SOL_PACKET, PACKET_AUXDATA, &on, sizeof(on)) < 0 ||
		setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size)) < 0)
		return error_errno(error, -errno, "open a packet socket on " INTERFACE);
	*ret = TAKE_FD(fd);
	return 0;
}

static int open_datagrams(uint16_t port, int *ret, struct error *error)
{
	struct sockaddr_in6 address = {.sin6_family = AF_INET6, .sin6_port = htons(port)};
	_cleanup_close_ int fd = socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0)
		return error_errno(error, -errno, "open a socket on port %u", port);
	*ret = TAKE_FD(fd);
	return 0;
}

static int read_mac(int fd, uint8_t mac[static 6], struct error *error)
{
	struct ifreq request = {.ifr_name = INTERFACE};

	if (ioctl(fd, SIOCGIFHWADDR, &request) < 0)
		return error_errno(error, -errno, "ask for the MAC of " INTERFACE);
	memcpy(mac, request.ifr_hwaddr.sa_data, 6);
	return 0;
}

int post_open(struct post *post, const char *from, const char *to, struct scene *scene,
	struct error *error)
{
	cpu_set_t one;
	int r;

	CPU_ZERO(&one);
	CPU_SET(sched_getcpu(), &one);
	if (sched_setaffinity(0, sizeof(one), &one) < 0)
		return error_errno(error, -errno, "stay on one CPU");
	r = enter(from, error);
	if (!r)
		r = open_packets(&post->sender, error);
	if (!r)
		r = read_mac(post->sender, scene->own_mac, error);
	if (!r)
		r = enter(to, error);
	if (!r)
		r = open_packets(&post->capture, error);
	if (!r)
		r = open_datagrams(DENIED_PORT, &post->denied, error);
	return r < 0 ? r : open_datagrams(ALLOWED_PORT, &post->allowed, error);
}

void post_close(struct post *post)
{
	closep(&post->sender);
	closep(&post->capture);
	closep(&post->denied);
	closep(&post->allowed);
}

int post_victim_speaks(const struct post *post, const struct scene *scene, struct error *error)
{
	for (int ipv6 = 0; ipv6 < 2; ipv6++) {
		struct sockaddr_in6 to = {.sin6_family = AF_INET6, .sin6_port = htons(DENIED_PORT)};

		memcpy(&to.sin6_addr, &scene->node[ipv6], sizeof(to.sin6_addr));
		if (sendto(post->allowed, "hello", 5, 0, (struct sockaddr *)&to, sizeof(to)) < 0 &&
			errno != ECONNREFUSED)
			return error_errno(error, -errno, "send from the victim to the node");
	}
	return 0;
}

/* A frame as it was sent: the kernel has put the outermost tag beside it. */
static ssize_t receive(int fd, uint8_t frame[static WIRE_MAX + TAG_BYTES])
{
	union {
		struct cmsghdr header;
		uint8_t bytes[CMSG_SPACE(sizeof(struct tpacket_auxdata))];
	} control;
	struct iovec part = {frame, WIRE_MAX};
	struct sockaddr_ll from;
	struct msghdr message = {.msg_name = &from,
		.msg_namelen = sizeof(from),
		.msg_iov = &part,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof(control)};
	ssize_t size = recvmsg(fd, &message, MSG_DONTWAIT);
	const struct cmsghdr *header = size < 0 ? NULL : CMSG_FIRSTHDR(&message);

	if (size < 0 || from.sll_pkttype == PACKET_OUTGOING)
		return size < 0 ? -errno : 0;
	if (header && header->cmsg_type == PACKET_AUXDATA) {
		const struct tpacket_auxdata *beside = (const void *)CMSG_DATA(header);
		uint16_t tag[2] = {htons(beside->tp_vlan_tpid), htons(beside->tp_vlan_tci)};

		if (beside->tp_status & TP_STATUS_VLAN_VALID) {
			memmove(frame + 2 * ETH_ALEN + TAG_BYTES, frame + 2 * ETH_ALEN,
				(size_t)size - 2 * ETH_ALEN);
			memcpy(frame + 2 * ETH_ALEN, tag, sizeof(tag));
			size += TAG_BYTES;
		}
	}
	return size;
}

/* Whether it is this one: by what is behind the IP headers, since routers change those; where that
 * is not enough to tell, by all that is behind the MACs. */
static bool is_same(const struct wire *wire, const uint8_t *frame, size_t size)
{
	size_t start = wire->transport > ETH_HLEN ? wire->transport : 2 * ETH_ALEN;

	if (wire->size < start + 8)
		start = 2 * ETH_ALEN;
	return memmem(frame, size, wire->bytes + start, wire->size - wire->padding - start);
}

static void build_marker(const struct post *post, const struct shot *shot, struct wire *ret)
{
	struct shot marker = {.scene = shot->scene};
	struct wire *wire = shot_ip(&marker, IPPROTO_UDP);

	wire_udp(wire, (uint16_t)(shot->scene->port + 1), ALLOWED_PORT);
	wire_add32(wire, 0xfeedbeef);
	wire_add32(wire, post->markers);
	wire_finish(wire, IPPROTO_UDP);
	*ret = *wire;
}

static int send_frame(const struct post *post, const struct wire *wire, struct error *error)
{
	if (send(post->sender, wire->bytes, wire->size, 0) != (ssize_t)wire->size)
		return error_errno(error, -errno, "send a frame of %zu bytes", wire->size);
	return 0;
}

static unsigned int drain(int fd)
{
	unsigned int count = 0;
	char bytes[1];

	while (recv(fd, bytes, sizeof(bytes), MSG_TRUNC) >= 0)
		count++;
	return count;
}

static int await(const struct post *post, const struct shot *shot, const struct wire *marker,
	unsigned int *arrived, struct error *error)
{
	struct pollfd polled = {.fd = post->capture, .events = POLLIN};
	uint8_t frame[WIRE_MAX + TAG_BYTES];

	for (;;) {
		ssize_t size = receive(post->capture, frame);

		if (size == -EAGAIN) {
			if (poll(&polled, 1, PATIENCE_MS) <= 0)
				return error_set(
					error, -ETIMEDOUT, "the allowed datagram did not arrive");
			continue;
		}
		if (size < 0)
			return error_errno(error, (int)size, "receive");
		if (size && is_same(marker, frame, (size_t)size))
			return 0;
		for (size_t i = 0; size && i < shot->count; i++)
			if (is_same(&shot->frames[i], frame, (size_t)size))
				*arrived |= 1u << i;
	}
}

int post_shoot(struct post *post, const struct shot *shot, unsigned int *ret_arrived,
	unsigned int *ret_received, struct error *error)
{
	unsigned int arrived = 0;
	struct wire marker;
	int r = 0;

	post->markers++;
	build_marker(post, shot, &marker);
	for (size_t i = 0; !r && i < shot->count; i++)
		r = send_frame(post, &shot->frames[i], error);
	if (!r)
		r = send_frame(post, &marker, error);
	if (!r)
		r = await(post, shot, &marker, &arrived, error);
	if (r < 0)
		return r;
	(void)drain(post->allowed);
	*ret_received = drain(post->denied);
	*ret_arrived = arrived;
	return 0;
}
