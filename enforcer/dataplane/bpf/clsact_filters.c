/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "dataplane/bpf/clsact_filters.h"

#include "base/cleanup.h"
#include "dataplane/bpf/program_name.h"

#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/pkt_cls.h>
#include <linux/pkt_sched.h>
#include <linux/rtnetlink.h>

#define REQUEST_BYTES 128
#define ANSWER_BYTES  32768

/* The second ones are early dropping's. */
static const char *const program_names[ABI_DIRECTIONS][2] = {
	[ABI_INGRESS] = {"segd_enter", "early_leave"},
	[ABI_EGRESS] = {"segd_leave", "early_tc"},
};

DEFINE_CLEANUP(struct mnl_socket *, mnl_socket_close)

struct listing {
	const struct hook *hook;
	struct clsact_filters found;
	bool taken[FILTER_HANDLES];
};

uint32_t clsact_parent(const struct hook *hook)
{
	bool comes_in = (hook->direction == ABI_EGRESS) != hook->inside;

	return TC_H_MAKE(TC_H_CLSACT, comes_in ? TC_H_MIN_INGRESS : TC_H_MIN_EGRESS);
}

uint32_t clsact_handle(const struct hook *hook)
{
	return hook->early ? 0x5e70 : 0x5e6d;
}

static bool is_ours(const struct tcmsg *header, uint32_t program_id, const struct hook *hook)
{
	uint32_t handle = header->tcm_handle - clsact_handle(hook);

	return header->tcm_info >> 16 == FILTER_PRIORITY && handle < FILTER_HANDLES && program_id &&
	       program_has_name(program_id, program_names[hook->direction][hook->early]);
}

static uint32_t program_id(const struct nlattr *options)
{
	const struct nlattr *attribute;

	mnl_attr_for_each_nested(attribute, options)
	{
		if (mnl_attr_get_type(attribute) == TCA_BPF_ID &&
			mnl_attr_get_payload_len(attribute) == sizeof(uint32_t))
			return mnl_attr_get_u32(attribute);
	}
	return 0;
}

static void note_handle(struct listing *listing, const struct tcmsg *header)
{
	uint32_t index = header->tcm_handle - clsact_handle(listing->hook);

	if (header->tcm_info >> 16 == FILTER_PRIORITY && index < FILTER_HANDLES)
		listing->taken[index] = true;
}

/* Where each priority begins there is a message without a handle: that one is no filter. */
static int visit(const struct nlmsghdr *message, void *userdata)
{
	const struct tcmsg *header = mnl_nlmsg_get_payload(message);
	struct occupation *found = &((struct listing *)userdata)->found.occupation;
	struct listing *listing = userdata;
	const struct nlattr *attribute;
	uint32_t id = 0, chain = 0;

	if (message->nlmsg_type != RTM_NEWTFILTER || !header->tcm_handle ||
		header->tcm_ifindex != (int)listing->hook->ifindex)
		return MNL_CB_OK;
	note_handle(listing, header);
	if (found->program_id)
		return MNL_CB_OK;
	mnl_attr_for_each(attribute, message, sizeof(*header))
	{
		if (mnl_attr_get_type(attribute) == TCA_CHAIN)
			chain = mnl_attr_get_u32(attribute);
		else if (mnl_attr_get_type(attribute) == TCA_OPTIONS)
			id = program_id(attribute);
	}
	if (chain) /* packets begin in chain 0, and go elsewhere only by a filter there */
		return MNL_CB_OK;
	if (is_ours(header, id, listing->hook)) {
		found->program_id = id;
		listing->found.handle = header->tcm_handle;
	} else if (!found->before_id && (listing->hook->early || !program_is_early(id))) {
		found->before_id = id ? id : FILTER_OF_OTHER_KIND;
	}
	return MNL_CB_OK;
}

static int receive(struct mnl_socket *socket, uint32_t sequence, struct listing *listing)
{
	_cleanup_free_ char *answer = malloc(ANSWER_BYTES);
	int r = MNL_CB_OK;

	if (!answer)
		return -ENOMEM;
	while (r > MNL_CB_STOP) {
		ssize_t size = mnl_socket_recvfrom(socket, answer, ANSWER_BYTES);

		if (size < 0)
			return -errno;
		r = mnl_cb_run(answer, (size_t)size, sequence, mnl_socket_get_portid(socket), visit,
			listing);
	}
	return r < 0 ? -errno : 0;
}

int clsact_filters(const struct hook *hook, struct clsact_filters *ret)
{
	_cleanup_(mnl_socket_closep) struct mnl_socket *socket = NULL;
	struct listing listing = {.hook = hook};
	char request[REQUEST_BYTES];
	struct nlmsghdr *message = mnl_nlmsg_put_header(request);
	struct tcmsg *header;
	int r;

	message->nlmsg_type = RTM_GETTFILTER;
	message->nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
	message->nlmsg_seq = 1;
	header = mnl_nlmsg_put_extra_header(message, sizeof(*header));
	header->tcm_ifindex = (int)hook->ifindex;
	header->tcm_parent = clsact_parent(hook);
	socket = mnl_socket_open2(NETLINK_ROUTE, SOCK_CLOEXEC);
	if (!socket || mnl_socket_bind(socket, 0, MNL_SOCKET_AUTOPID) < 0 ||
		mnl_socket_sendto(socket, message, message->nlmsg_len) < 0)
		return -errno;
	r = receive(socket, message->nlmsg_seq, &listing);
	if (r < 0 && r != -ENODEV)
		return r;
	for (uint32_t i = 0; i < FILTER_HANDLES; i++)
		if (!listing.taken[i])
			listing.found.spare = clsact_handle(hook) + i;
	*ret = listing.found;
	return 0;
}
