/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "doctor/hooks.h"

#include "base/cleanup.h"
#include "workload/rtnetlink.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <linux/pkt_cls.h>
#include <linux/pkt_sched.h>
#include <linux/rtnetlink.h>
#include <stdio.h>
#include <string.h>

/* enum bpf_attach_type of Linux 6.6; the headers of Debian 12 are older. */
#define ATTACH_TCX_INGRESS 46
#define ATTACH_TCX_EGRESS  47
#define REQUEST_BYTES      128
#define ANSWER_BYTES       32768
#define OUR_PREFIX         "segd_"

struct filters {
	struct hook_programs *programs;
	uint32_t ifindex;
};

static void name_program(struct hook_program *program)
{
	_cleanup_close_ int fd = bpf_prog_get_fd_by_id(program->id);
	struct bpf_prog_info info = {0};
	uint32_t size = sizeof(info);

	if (fd >= 0 && bpf_obj_get_info_by_fd(fd, &info, &size) == 0 && *info.name)
		snprintf(program->name, sizeof(program->name), "%s", info.name);
	else
		snprintf(program->name, sizeof(program->name), "program %u", program->id);
	program->ours = !strncmp(program->name, OUR_PREFIX, strlen(OUR_PREFIX));
}

static struct hook_program *add(struct hook_programs *programs, const char *mechanism, uint32_t id)
{
	struct hook_program *program;

	if (programs->count == HOOKS_PROGRAMS_MAX)
		return NULL;
	program = &programs->items[programs->count++];
	*program = (struct hook_program){.mechanism = mechanism, .id = id};
	if (id)
		name_program(program);
	return program;
}

static int list_tcx(uint32_t ifindex, bool comes_in, struct hook_programs *programs)
{
	uint32_t ids[HOOKS_PROGRAMS_MAX] = {0};
	struct bpf_prog_query_opts options = {
		.sz = sizeof(options), .prog_ids = ids, .prog_cnt = HOOKS_PROGRAMS_MAX};
	int r = bpf_prog_query_opts((int)ifindex,
		(enum bpf_attach_type)(comes_in ? ATTACH_TCX_INGRESS : ATTACH_TCX_EGRESS),
		&options);

	/* Kernels without tcx know no such attach type. */
	if (r < 0 && r != -ENOSPC)
		return r == -EINVAL ? 0 : r;
	for (size_t i = 0; i < HOOKS_PROGRAMS_MAX && ids[i]; i++)
		add(programs, "tcx", ids[i]);
	return 0;
}

static uint32_t filter_program(const struct nlattr *options)
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

/* Where each priority begins there is a message without a handle: that one is no filter. */
static int visit_filter(const struct nlmsghdr *message, void *userdata)
{
	const struct tcmsg *header = mnl_nlmsg_get_payload(message);
	const struct filters *filters = userdata;
	const struct nlattr *attribute;
	struct hook_program *program;
	const char *kind = "filter";
	uint32_t id = 0, chain = 0;

	if (message->nlmsg_type != RTM_NEWTFILTER || !header->tcm_handle ||
		header->tcm_ifindex != (int)filters->ifindex)
		return MNL_CB_OK;
	mnl_attr_for_each(attribute, message, sizeof(*header))
	{
		if (mnl_attr_get_type(attribute) == TCA_CHAIN)
			chain = mnl_attr_get_u32(attribute);
		else if (mnl_attr_get_type(attribute) == TCA_OPTIONS)
			id = filter_program(attribute);
		else if (mnl_attr_get_type(attribute) == TCA_KIND &&
			 mnl_attr_validate(attribute, MNL_TYPE_NUL_STRING) >= 0)
			kind = mnl_attr_get_str(attribute);
	}
	program = chain ? NULL : add(filters->programs, "tc", id);
	if (program && !id)
		snprintf(program->name, sizeof(program->name), "%s", kind);
	return MNL_CB_OK;
}

static int list_filters(uint32_t ifindex, bool comes_in, struct hook_programs *programs)
{
	_cleanup_(rtnetlink_closep) struct mnl_socket *socket = NULL;
	struct filters filters = {programs, ifindex};
	_cleanup_free_ char *answer = malloc(ANSWER_BYTES);
	char request[REQUEST_BYTES];
	struct nlmsghdr *message = mnl_nlmsg_put_header(request);
	struct tcmsg *header = mnl_nlmsg_put_extra_header(message, sizeof(*header));
	int r = rtnetlink_open(0, &socket, NULL);

	if (r < 0 || !answer)
		return r < 0 ? r : -ENOMEM;
	message->nlmsg_type = RTM_GETTFILTER;
	message->nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
	message->nlmsg_seq = 1;
	header->tcm_ifindex = (int)ifindex;
	header->tcm_parent = TC_H_MAKE(TC_H_CLSACT, comes_in ? TC_H_MIN_INGRESS : TC_H_MIN_EGRESS);
	if (mnl_socket_sendto(socket, message, message->nlmsg_len) < 0)
		return -errno;
	for (r = MNL_CB_OK; r > MNL_CB_STOP;) {
		ssize_t size = mnl_socket_recvfrom(socket, answer, ANSWER_BYTES);

		if (size < 0)
			return -errno;
		r = mnl_cb_run(answer, (size_t)size, message->nlmsg_seq,
			mnl_socket_get_portid(socket), visit_filter, &filters);
	}
	return r < 0 ? -errno : 0;
}

int hooks_list(uint32_t ifindex, bool comes_in, struct hook_programs *ret)
{
	struct hook_programs programs = {.count = 0};
	int r = list_tcx(ifindex, comes_in, &programs);

	if (r == 0)
		r = list_filters(ifindex, comes_in, &programs);
	if (r == 0)
		*ret = programs;
	return r;
}

int hooks_xdp(uint32_t ifindex, struct hook_program *ret)
{
	uint32_t id = 0;
	int r = bpf_xdp_query_id((int)ifindex, 0, &id);

	if (r < 0 || !id)
		return r < 0 ? r : 0;
	*ret = (struct hook_program){.mechanism = "XDP", .id = id};
	name_program(ret);
	return 1;
}

size_t hooks_ours(const struct hook_programs *programs)
{
	size_t i = 0;

	while (i < programs->count && !programs->items[i].ours)
		i++;
	return i;
}
