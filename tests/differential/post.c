// SPDX-License-Identifier: GPL-2.0-or-later
#include "post.h"

#include "base/cleanup.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/ip.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#define TRANSPORT_BYTES 8
#define RECEIVE_BYTES   (1 << 20)
#define DELIVERIES_MAX  64
#define DELIVERY_BYTES  2048

static const uint8_t protocols[2][POST_PROTOCOLS] = {
	{IPPROTO_TCP, IPPROTO_UDP, IPPROTO_SCTP, PROBE_OTHER_PROTOCOL, IPPROTO_ICMPV6},
	{IPPROTO_TCP, IPPROTO_UDP, IPPROTO_SCTP, PROBE_OTHER_PROTOCOL, IPPROTO_ICMP},
};

/* What a receiver's number says. */
static unsigned int place_of(unsigned int index)
{
	return index / (2 * POST_PROTOCOLS);
}

static bool is_ipv4(unsigned int index)
{
	return index / POST_PROTOCOLS % 2;
}

static uint8_t protocol_of(unsigned int index)
{
	return protocols[is_ipv4(index)][index % POST_PROTOCOLS];
}

static int open_raw(bool ipv4, int protocol, struct error *error)
{
	const int bytes = RECEIVE_BYTES;
	int fd = socket(
		ipv4 ? AF_INET : AF_INET6, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, protocol);

	if (fd < 0)
		return error_errno(error, -errno, "open a raw socket");
	(void)setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &bytes, sizeof(bytes));
	return fd;
}

static int open_place(struct post *post, unsigned int place, struct error *error)
{
	unsigned int first = place * 2 * POST_PROTOCOLS;

	for (int ipv4 = 0; ipv4 < 2; ipv4++) {
		/* Takes packets with their IP header, and delivers none. */
		post->senders[place][ipv4] = open_raw(ipv4, IPPROTO_RAW, error);
		if (post->senders[place][ipv4] < 0)
			return post->senders[place][ipv4];
	}
	for (unsigned int i = first; i < first + 2 * POST_PROTOCOLS; i++) {
		struct epoll_event event = {.events = EPOLLIN, .data.u32 = i};

		post->receivers[i] = open_raw(is_ipv4(i), protocol_of(i), error);
		if (post->receivers[i] < 0)
			return post->receivers[i];
		if (epoll_ctl(post->epoll, EPOLL_CTL_ADD, post->receivers[i], &event) < 0)
			return error_errno(error, -errno, "watch a raw socket");
	}
	return 0;
}

int post_open(const struct network *network, struct post *ret, struct error *error)
{
	struct post post = POST_INIT;
	int r = 0;

	post.epoll = epoll_create1(EPOLL_CLOEXEC);
	if (post.epoll < 0)
		return error_errno(error, -errno, "make an epoll instance");
	for (unsigned int place = 0; !r && place < PLACES; place++) {
		if (setns(network->spaces[place], CLONE_NEWNET) < 0)
			r = error_errno(error, -errno, "enter a network namespace");
		else
			r = open_place(&post, place, error);
	}
	if (setns(network->spaces[PLACE_NODE], CLONE_NEWNET) < 0 && !r)
		r = error_errno(error, -errno, "return to the node");
	if (r < 0) {
		post_close(&post);
		return r;
	}
	*ret = post;
	return 0;
}

void post_close(struct post *post)
{
	for (unsigned int place = 0; place < PLACES; place++)
		for (int ipv4 = 0; ipv4 < 2; ipv4++)
			closep(&post->senders[place][ipv4]);
	for (unsigned int i = 0; i < POST_SOCKETS; i++)
		closep(&post->receivers[i]);
	closep(&post->epoll);
}

int post_send(const struct post *post, const struct probe *probe, struct error *error)
{
	bool ipv4 = address_is_ipv4(&probe->query.source);
	struct sockaddr_in to4 = {.sin_family = AF_INET};
	struct sockaddr_in6 to6 = {.sin6_family = AF_INET6};
	struct packet packet = packet_build(probe);
	int fd = post->senders[probe->from][ipv4];
	ssize_t sent;

	memcpy(&to4.sin_addr, probe->query.destination.bytes + 12, 4);
	memcpy(&to6.sin6_addr, probe->query.destination.bytes, 16);
	if (ipv4)
		sent = sendto(fd, packet.bytes, packet.size, 0, (void *)&to4, sizeof(to4));
	else
		sent = sendto(fd, packet.bytes, packet.size, 0, (void *)&to6, sizeof(to6));
	/* EPERM is what the node's own output hook answers when it refuses. */
	if (sent < 0 && errno != EPERM)
		return error_errno(error, -errno, "send a packet");
	return 0;
}

static void read_delivery(unsigned int index, const uint8_t *bytes, size_t size,
	void (*deliver)(const struct delivery *delivery, void *userdata), void *userdata)
{
	struct delivery delivery = {.place = place_of(index), .protocol = protocol_of(index)};
	size_t header = is_ipv4(index) && size ? (size_t)(bytes[0] & 0xf) * 4 : 0;
	uint16_t port_be;

	if (size < header + TRANSPORT_BYTES)
		return;
	delivery.tagged = packet_number(bytes, size, &delivery.number);
	delivery.icmp_type = bytes[header];
	/* TCP's destination port or ICMP's identifier. */
	memcpy(&port_be, bytes + header + (delivery.protocol == IPPROTO_TCP ? 2 : 4),
		sizeof(port_be));
	delivery.source_port = ntohs(port_be);
	deliver(&delivery, userdata);
}

int post_receive(const struct post *post, int timeout_ms,
	void (*deliver)(const struct delivery *delivery, void *userdata), void *userdata,
	struct error *error)
{
	struct epoll_event events[DELIVERIES_MAX];
	uint8_t bytes[DELIVERY_BYTES];
	ssize_t size;
	int count;

	do {
		count = epoll_wait(post->epoll, events, DELIVERIES_MAX, timeout_ms);
		if (count < 0 && errno != EINTR)
			return error_errno(error, -errno, "wait for packets");
		for (int i = 0; i < count; i++) {
			unsigned int index = events[i].data.u32;

			while ((size = recv(post->receivers[index], bytes, sizeof(bytes), 0)) >= 0)
				read_delivery(index, bytes, (size_t)size, deliver, userdata);
		}
		timeout_ms = 0;
	} while (count > 0);
	return 0;
}
