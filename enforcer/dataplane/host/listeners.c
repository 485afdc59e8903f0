/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "dataplane/host/listeners.h"

#include "base/cleanup.h"
#include "base/clock.h"
#include "dataplane/nft/netlink.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>

#define REQUEST_BYTES 256

DEFINE_CLEANUP(struct mnl_socket *, mnl_socket_close)

static int take(const struct nlmsghdr *message, void *userdata)
{
	const struct inet_diag_msg *socket = mnl_nlmsg_get_payload(message);
	struct listeners *listeners = userdata;
	uint16_t port;

	if (mnl_nlmsg_get_payload_len(message) < sizeof(*socket))
		return MNL_CB_OK;
	port = ntohs(socket->id.idiag_sport);
	listeners->ports[port / 8] |= (uint8_t)(1 << port % 8);
	return MNL_CB_OK;
}

static int read_family(struct mnl_socket *socket, uint8_t family, struct listeners *listeners)
{
	char buffer[REQUEST_BYTES];
	struct nlmsghdr *message = mnl_nlmsg_put_header(buffer);
	struct inet_diag_req_v2 *wanted;

	message->nlmsg_type = SOCK_DIAG_BY_FAMILY;
	message->nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
	wanted = mnl_nlmsg_put_extra_header(message, sizeof(*wanted));
	wanted->sdiag_family = family;
	wanted->sdiag_protocol = IPPROTO_TCP;
	wanted->idiag_states = 1U << TCP_LISTEN;
	return netlink_dump_once(socket, message, take, listeners);
}

static int read_all(struct listeners *listeners)
{
	_cleanup_(mnl_socket_closep) struct mnl_socket *socket =
		mnl_socket_open2(NETLINK_SOCK_DIAG, SOCK_CLOEXEC);
	int r;

	if (!socket || mnl_socket_bind(socket, 0, MNL_SOCKET_AUTOPID) < 0)
		return -errno;
	memset(listeners->ports, 0, sizeof(listeners->ports));
	r = read_family(socket, AF_INET, listeners);
	return r ? r : read_family(socket, AF_INET6, listeners);
}

int listeners_have(struct listeners *listeners, uint16_t port)
{
	const uint64_t now_ns = clock_ns(CLOCK_MONOTONIC);

	if (!listeners->read_ns || now_ns - listeners->read_ns > NS_PER_SECOND) {
		listeners->read_ns = now_ns;
		listeners->known = !read_all(listeners);
	}
	if (!listeners->known)
		return -ENODATA;
	return listeners->ports[port / 8] >> port % 8 & 1;
}
