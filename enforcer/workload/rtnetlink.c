/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "workload/rtnetlink.h"

#include "base/cleanup.h"
#include "workload/link_local.h"

#include <errno.h>
#include <linux/if.h>
#include <linux/net_namespace.h>
#include <linux/rtnetlink.h>
#include <string.h>
#include <sys/socket.h>

/* What the kernel sends in one datagram of a dump: at most 32 KiB (NLMSG_GOODSIZE and more). */
#define BUFFER_BYTES 32768
#define DUMP_TRIES   8

int rtnetlink_open(unsigned int groups, struct mnl_socket **ret, struct error *error)
{
	_cleanup_(rtnetlink_closep) struct mnl_socket *socket = NULL;

	socket = mnl_socket_open2(NETLINK_ROUTE, SOCK_CLOEXEC);
	if (!socket)
		return error_errno(error, -errno, "open a netlink socket");
	if (mnl_socket_bind(socket, groups, MNL_SOCKET_AUTOPID) < 0)
		return error_errno(error, -errno, "bind a netlink socket");
	*ret = TAKE_PTR(socket);
	return 0;
}

/* --- parsing ---------------------------------------------------------------------------------- */

struct attributes {
	const struct nlattr *items[IFLA_MAX + 1];
	uint16_t max;
};

static int collect(const struct nlattr *attribute, void *userdata)
{
	struct attributes *attributes = userdata;

	/* Newer kernels send attributes that this header does not know. */
	if (mnl_attr_type_valid(attribute, attributes->max) > 0)
		attributes->items[mnl_attr_get_type(attribute)] = attribute;
	return MNL_CB_OK;
}

static uint32_t get_u32(const struct nlattr *attribute)
{
	return attribute && mnl_attr_get_payload_len(attribute) >= sizeof(uint32_t)
		       ? mnl_attr_get_u32(attribute)
		       : 0;
}

static void parse_kind(const struct nlattr *information, struct rtnetlink_link *link)
{
	struct attributes attributes = {.max = IFLA_INFO_MAX};
	const struct nlattr *kind;

	if (!information || mnl_attr_parse_nested(information, collect, &attributes) != MNL_CB_OK)
		return;
	kind = attributes.items[IFLA_INFO_KIND];
	if (!kind || mnl_attr_validate(kind, MNL_TYPE_NUL_STRING) < 0)
		return;
	link->veth = strcmp(mnl_attr_get_str(kind), "veth") == 0;
	link->bridge = strcmp(mnl_attr_get_str(kind), "bridge") == 0;
	link->sub = strcmp(mnl_attr_get_str(kind), "macvlan") == 0 ||
		    strcmp(mnl_attr_get_str(kind), "ipvlan") == 0;
}

bool rtnetlink_parse_link(const struct nlmsghdr *message, struct rtnetlink_link *ret)
{
	struct attributes attributes = {.max = IFLA_MAX};
	const struct ifinfomsg *header;
	struct rtnetlink_link link = {.nsid = RTNETLINK_NSID_SAME};
	const struct nlattr *name, *mac;

	if (mnl_nlmsg_get_payload_len(message) < sizeof(*header))
		return false;
	header = mnl_nlmsg_get_payload(message);
	/* AF_BRIDGE: about a port of a bridge; its RTM_DELLINK does not mean that a link is gone.
	 */
	if (header->ifi_family != AF_UNSPEC || header->ifi_index <= 0 ||
		mnl_attr_parse(message, sizeof(*header), collect, &attributes) != MNL_CB_OK)
		return false;
	link.ifindex = (uint32_t)header->ifi_index;
	link.loopback = header->ifi_flags & IFF_LOOPBACK;
	name = attributes.items[IFLA_IFNAME];
	if (name && mnl_attr_validate(name, MNL_TYPE_NUL_STRING) >= 0)
		strncpy(link.name, mnl_attr_get_str(name), sizeof(link.name) - 1);
	mac = attributes.items[IFLA_ADDRESS];
	if (mac && mnl_attr_get_payload_len(mac) == sizeof(link.mac))
		memcpy(link.mac, mnl_attr_get_payload(mac), sizeof(link.mac));
	link.link = get_u32(attributes.items[IFLA_LINK]);
	link.master = get_u32(attributes.items[IFLA_MASTER]);
	if (attributes.items[IFLA_LINK_NETNSID])
		link.nsid = (int32_t)get_u32(attributes.items[IFLA_LINK_NETNSID]);
	parse_kind(attributes.items[IFLA_LINKINFO], &link);
	*ret = link;
	return true;
}

bool rtnetlink_parse_address(const struct nlmsghdr *message, struct rtnetlink_address *ret)
{
	struct attributes attributes = {.max = IFA_MAX};
	const struct ifaddrmsg *header;
	const struct nlattr *value;
	struct rtnetlink_address address;

	if (mnl_nlmsg_get_payload_len(message) < sizeof(*header))
		return false;
	header = mnl_nlmsg_get_payload(message);
	if (mnl_attr_parse(message, sizeof(*header), collect, &attributes) != MNL_CB_OK)
		return false;
	/* On point-to-point links IFA_ADDRESS is the other end's. */
	value = attributes.items[IFA_LOCAL] ? attributes.items[IFA_LOCAL]
					    : attributes.items[IFA_ADDRESS];
	if (!value)
		return false;
	if (header->ifa_family == AF_INET && mnl_attr_get_payload_len(value) == 4)
		address.address = address_from_ipv4(mnl_attr_get_payload(value));
	else if (header->ifa_family == AF_INET6 && mnl_attr_get_payload_len(value) == 16)
		address.address = address_from_ipv6(mnl_attr_get_payload(value));
	else
		return false;
	address.ifindex = header->ifa_index;
	address.link_local = link_local_contains(&address.address);
	*ret = address;
	return true;
}

/* --- requests --------------------------------------------------------------------------------- */

struct visitor {
	int (*visit)(const struct nlmsghdr *message, void *userdata);
	void *userdata;
	int result;
};

static int visit_message(const struct nlmsghdr *message, void *userdata)
{
	struct visitor *visitor = userdata;

	visitor->result = visitor->visit ? visitor->visit(message, visitor->userdata) : 0;
	return visitor->result ? MNL_CB_ERROR : MNL_CB_OK;
}

static int receive(
	struct mnl_socket *socket, const struct nlmsghdr *request, struct visitor *visitor)
{
	char buffer[BUFFER_BYTES];
	int state = MNL_CB_OK;

	while (state > MNL_CB_STOP) {
		ssize_t size = mnl_socket_recvfrom(socket, buffer, sizeof(buffer));

		if (size < 0)
			return -errno;
		state = mnl_cb_run(buffer, (size_t)size, request->nlmsg_seq,
			mnl_socket_get_portid(socket), visit_message, visitor);
		if (state < 0)
			return visitor->result ? visitor->result : -errno;
		/* A single answer has no end mark behind it. */
		if (!(request->nlmsg_flags & NLM_F_DUMP))
			return 0;
	}
	return 0;
}

/* Sends request and gives each answer to visit. */
static int transact(struct mnl_socket *socket, struct nlmsghdr *request, struct visitor *visitor)
{
	static unsigned int sequence;
	char rest[64];
	int r;

	request->nlmsg_seq = ++sequence;
	if (mnl_socket_sendto(socket, request, request->nlmsg_len) < 0)
		return -errno;
	r = receive(socket, request, visitor);
	/* What is left of a dump that was given up must not be taken for the next one's. */
	while (r < 0 &&
		recv(mnl_socket_get_fd(socket), rest, sizeof(rest), MSG_DONTWAIT | MSG_TRUNC) >= 0)
		;
	return r;
}

static struct nlmsghdr *make_request(
	char *buffer, uint16_t type, uint16_t flags, const void *header, size_t size)
{
	struct nlmsghdr *request = mnl_nlmsg_put_header(buffer);

	request->nlmsg_type = type;
	request->nlmsg_flags = NLM_F_REQUEST | flags;
	memcpy(mnl_nlmsg_put_extra_header(request, size), header, size);
	return request;
}

int rtnetlink_dump(struct mnl_socket *socket, uint16_t type,
	int (*visit)(const struct nlmsghdr *message, void *userdata), void *userdata,
	struct error *error)
{
	struct visitor visitor = {.visit = visit, .userdata = userdata};
	const struct ifinfomsg header = {.ifi_family = AF_UNSPEC};
	char buffer[128];
	int r = -EINTR;

	for (int try = 0; r == -EINTR && try < DUMP_TRIES; try++)
		r = transact(socket,
			make_request(buffer, type, NLM_F_DUMP, &header, sizeof(header)), &visitor);
	return r < 0 ? error_errno(error, r, "list network interfaces") : 0;
}

static int keep_link(const struct nlmsghdr *message, void *userdata)
{
	struct rtnetlink_link *link = userdata;

	return rtnetlink_parse_link(message, link) ? 0 : -EBADMSG;
}

int rtnetlink_get_link(struct mnl_socket *socket, uint32_t ifindex, struct rtnetlink_link *ret,
	struct error *error)
{
	struct rtnetlink_link link = {0};
	struct visitor visitor = {.visit = keep_link, .userdata = &link};
	const struct ifinfomsg header = {.ifi_family = AF_UNSPEC, .ifi_index = (int)ifindex};
	char buffer[128];
	int r;

	r = transact(
		socket, make_request(buffer, RTM_GETLINK, 0, &header, sizeof(header)), &visitor);
	if (r < 0)
		return error_errno(error, r, "look up network interface %u", ifindex);
	*ret = link;
	return 0;
}

static int keep_nsid(const struct nlmsghdr *message, void *userdata)
{
	struct attributes attributes = {.max = NETNSA_MAX};

	if (mnl_attr_parse(message, sizeof(struct rtgenmsg), collect, &attributes) != MNL_CB_OK ||
		!attributes.items[NETNSA_NSID])
		return -EBADMSG;
	*(int32_t *)userdata = (int32_t)get_u32(attributes.items[NETNSA_NSID]);
	return 0;
}

int rtnetlink_get_nsid(struct mnl_socket *socket, int fd, int32_t *ret, struct error *error)
{
	int32_t nsid = RTNETLINK_NSID_SAME;
	struct visitor visitor = {.visit = keep_nsid, .userdata = &nsid};
	const struct rtgenmsg header = {.rtgen_family = AF_UNSPEC};
	char buffer[128];
	struct nlmsghdr *request;
	int r;

	request = make_request(buffer, RTM_GETNSID, 0, &header, sizeof(header));
	mnl_attr_put_u32(request, NETNSA_FD, (uint32_t)fd);
	r = transact(socket, request, &visitor);
	if (r < 0)
		return error_errno(error, r, "look up a network namespace's number");
	*ret = nsid;
	return 0;
}

int rtnetlink_number_namespace(struct mnl_socket *socket, int fd, struct error *error)
{
	const struct rtgenmsg header = {.rtgen_family = AF_UNSPEC};
	struct visitor visitor = {0};
	char buffer[128];
	struct nlmsghdr *request;
	int r;

	request = make_request(buffer, RTM_NEWNSID, NLM_F_ACK, &header, sizeof(header));
	mnl_attr_put_u32(request, NETNSA_FD, (uint32_t)fd);
	mnl_attr_put_u32(request, NETNSA_NSID, (uint32_t)RTNETLINK_NSID_SAME); /* any */
	r = transact(socket, request, &visitor);
	return r < 0 && r != -EEXIST ? error_errno(error, r, "number a network namespace") : 0;
}
