/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "dataplane/nft/netlink.h"

#include "base/cleanup.h"
#include "base/hash.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/sock_diag.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>

#define RECEIVE_BYTES (4 << 20)
/* Some 24,000 events of conntrack, at 1,408 bytes each of twice this: those of a second in a storm.
 */
#define KEPT_BYTES (16 << 20)
/* The kernel fills at most 32 KiB of a dump. */
#define MESSAGE_BYTES    ((size_t)(64 << 10))
#define ANSWER_TIMEOUT_S 10
#define DUMP_ATTEMPTS    8

/* Open sockets of this process. */
struct port {
	uint32_t number;
	UT_hash_handle hh;
};

static struct port *ports;

static struct port *find_port(uint32_t number)
{
	struct port *port;

	HASH_FIND(hh, ports, &number, sizeof(number), port);
	return port;
}

bool netlink_is_own(uint32_t number)
{
	return find_port(number);
}

static int remember_port(uint32_t number)
{
	struct port *port = find_port(number) ? NULL : calloc(1, sizeof(*port));

	/* The same number in another network namespace. */
	if (!port)
		return find_port(number) ? 0 : -ENOMEM;
	port->number = number;
	HASH_ADD(hh, ports, number, sizeof(port->number), port);
	if (HASH_ADDED(port))
		return 0;
	free(port);
	return -ENOMEM;
}

void netlink_close(struct mnl_socket *socket)
{
	struct port *port = find_port(mnl_socket_get_portid(socket));

	if (port) {
		HASH_DEL(ports, port);
		free(port);
	}
	mnl_socket_close(socket);
}

static int open_socket(struct mnl_socket **ret, struct error *error)
{
	_cleanup_(netlink_closep) struct mnl_socket *socket = NULL;
	int bytes = RECEIVE_BYTES, one = 1;

	socket = mnl_socket_open2(NETLINK_NETFILTER, SOCK_CLOEXEC);
	if (!socket || mnl_socket_bind(socket, 0, MNL_SOCKET_AUTOPID) < 0)
		return error_errno(error, -errno, "open netfilter netlink socket");
	if (remember_port(mnl_socket_get_portid(socket)) < 0)
		return error_nomem(error);
	/* Refused messages come back without their payload, but with the place of the mistake. */
	(void)mnl_socket_setsockopt(socket, NETLINK_CAP_ACK, &one, sizeof(one));
	(void)mnl_socket_setsockopt(socket, NETLINK_EXT_ACK, &one, sizeof(one));
	(void)setsockopt(
		mnl_socket_get_fd(socket), SOL_SOCKET, SO_RCVBUFFORCE, &bytes, sizeof(bytes));
	*ret = TAKE_PTR(socket);
	return 0;
}

int netlink_open(struct mnl_socket **ret, struct error *error)
{
	struct timeval timeout = {.tv_sec = ANSWER_TIMEOUT_S};
	struct mnl_socket *socket;
	int r;

	r = open_socket(&socket, error);
	if (r < 0)
		return r;
	(void)setsockopt(
		mnl_socket_get_fd(socket), SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof(timeout));
	*ret = socket;
	return 0;
}

int netlink_open_events(const int *groups, struct mnl_socket **ret, struct error *error)
{
	_cleanup_(netlink_closep) struct mnl_socket *socket = NULL;
	int r;

	r = open_socket(&socket, error);
	if (r < 0)
		return r;
	for (; *groups; groups++)
		if (mnl_socket_setsockopt(
			    socket, NETLINK_ADD_MEMBERSHIP, (void *)groups, sizeof(*groups)) < 0)
			return error_errno(error, -errno, "join netlink group %d", *groups);
	if (fcntl(mnl_socket_get_fd(socket), F_SETFL, O_NONBLOCK) < 0)
		return error_errno(error, -errno, "make netlink socket non-blocking");
	*ret = TAKE_PTR(socket);
	return 0;
}

int netlink_keep_events(struct mnl_socket *socket, struct error *error)
{
	int bytes = KEPT_BYTES, one = 1;

	(void)setsockopt(
		mnl_socket_get_fd(socket), SOL_SOCKET, SO_RCVBUFFORCE, &bytes, sizeof(bytes));
	/* Without the second one, the kernel drops all until everything was read. */
	if (mnl_socket_setsockopt(socket, NETLINK_BROADCAST_ERROR, &one, sizeof(one)) < 0 ||
		mnl_socket_setsockopt(socket, NETLINK_NO_ENOBUFS, &one, sizeof(one)) < 0)
		return error_errno(error, -errno, "make the kernel keep what was not read");
	return 0;
}

/* Hides from libmnl, which would throw the message away, that the state changed during the dump. */
static void forgive_interruption(char *buffer, ssize_t length)
{
	struct nlmsghdr *message = (void *)buffer;
	int left = (int)length;

	for (; mnl_nlmsg_ok(message, left); message = mnl_nlmsg_next(message, &left))
		message->nlmsg_flags &= (uint16_t)~NLM_F_DUMP_INTR;
}

static int query(struct mnl_socket *socket, struct nlmsghdr *request, mnl_cb_t callback,
	bool forgiving, void *userdata)
{
	static uint32_t sequence = 0x10000000; /* batches count from 0 */
	char buffer[MESSAGE_BYTES];
	unsigned int port = mnl_socket_get_portid(socket);
	int r;

	request->nlmsg_seq = ++sequence;
	if (mnl_socket_sendto(socket, request, request->nlmsg_len) < 0)
		return -errno;
	do {
		ssize_t length = mnl_socket_recvfrom(socket, buffer, sizeof(buffer));

		if (length < 0)
			return -errno;
		if (forgiving)
			forgive_interruption(buffer, length);
		r = mnl_cb_run(
			buffer, (size_t)length, request->nlmsg_seq, port, callback, userdata);
	} while (r > MNL_CB_STOP);
	return r < 0 ? -errno : 0;
}

int netlink_query(
	struct mnl_socket *socket, struct nlmsghdr *request, mnl_cb_t callback, void *userdata)
{
	return query(socket, request, callback, false, userdata);
}

int netlink_dump_once(
	struct mnl_socket *socket, struct nlmsghdr *request, mnl_cb_t callback, void *userdata)
{
	return query(socket, request, callback, true, userdata);
}

/* Throws away the rest of a dump that was given up. */
static void drain(struct mnl_socket *socket)
{
	char byte;

	while (recv(mnl_socket_get_fd(socket), &byte, sizeof(byte), MSG_DONTWAIT) >= 0)
		;
}

int netlink_dump(struct mnl_socket *socket, struct nlmsghdr *request, mnl_cb_t callback,
	void (*restart)(void *userdata), void *userdata)
{
	int r = 0;

	for (unsigned int attempt = 0; attempt < DUMP_ATTEMPTS; attempt++) {
		if (restart)
			restart(userdata);
		r = netlink_query(socket, request, callback, userdata);
		if (r != -EINTR)
			break;
		drain(socket);
	}
	return r;
}

int netlink_receive(struct mnl_socket *socket, mnl_cb_t callback, void *userdata)
{
	char buffer[MESSAGE_BYTES];
	ssize_t length;

	length = mnl_socket_recvfrom(socket, buffer, sizeof(buffer));
	if (length < 0)
		return -errno;
	return mnl_cb_run(buffer, (size_t)length, 0, 0, callback, userdata) < 0 ? -errno : 0;
}

uint32_t netlink_drops(const struct mnl_socket *socket)
{
	uint32_t memory[SK_MEMINFO_VARS] = {0};
	socklen_t size = sizeof(memory);

	(void)getsockopt(mnl_socket_get_fd(socket), SOL_SOCKET, SO_MEMINFO, memory, &size);
	return memory[SK_MEMINFO_DROPS];
}
