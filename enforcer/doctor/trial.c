/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "doctor/trial.h"

#include "base/cleanup.h"

#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <libmnl/libmnl.h>
#include <libnftnl/common.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>
#include <linux/netfilter/nfnetlink_log.h>
#include <pthread.h>
#include <sched.h>
#include <sys/socket.h>
#include <sys/time.h>

#define LOOPBACK           1  /* in every namespace */
#define ATTACH_TCX_INGRESS 46 /* Linux 6.6; the headers of Debian 12 are older */
#define TRIAL_NAME         "trial"
#define REQUEST_BYTES      4096
#define ANSWER_BYTES       16384

DEFINE_CLEANUP(struct mnl_socket *, mnl_socket_close)

struct trials {
	int *results;
	int setup; /* whether there is a namespace */
};

/* Returns 0 whatever comes, so that nothing is attached for good, and nothing is dropped. */
static int load(enum bpf_prog_type type, int verdict)
{
	const struct bpf_insn code[] = {
		{.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0, .imm = verdict},
		{.code = BPF_JMP | BPF_EXIT},
	};
	int fd = bpf_prog_load(type, "segd_trial", "GPL", code, ARRAY_SIZE(code), NULL);

	return fd < 0 ? -errno : fd;
}

static int try_link(enum bpf_prog_type type, int verdict, enum bpf_attach_type attach)
{
	_cleanup_close_ int program = load(type, verdict), link = -1;

	if (program < 0)
		return program;
	link = bpf_link_create(program, LOOPBACK, attach, NULL);
	return link < 0 ? -errno : 0;
}

static int try_tcx(void)
{
	return try_link(BPF_PROG_TYPE_SCHED_CLS, -1 /* TCX_NEXT */,
		(enum bpf_attach_type)ATTACH_TCX_INGRESS);
}

static int try_xdp_link(void)
{
	return try_link(BPF_PROG_TYPE_XDP, XDP_PASS, BPF_XDP);
}

static int try_clsact(void)
{
	_cleanup_close_ int program = load(BPF_PROG_TYPE_SCHED_CLS, -1);
	struct bpf_tc_hook hook = {.sz = sizeof(hook),
		.ifindex = LOOPBACK,
		.attach_point = BPF_TC_INGRESS | BPF_TC_EGRESS};
	struct bpf_tc_opts options = {.sz = sizeof(options), .prog_fd = program};
	int r = program < 0 ? program : bpf_tc_hook_create(&hook);

	if (r < 0)
		return r;
	hook.attach_point = BPF_TC_INGRESS;
	return bpf_tc_attach(&hook, &options);
}

static int ignore(const struct nlmsghdr *message, void *userdata)
{
	(void)message;
	(void)userdata;
	return MNL_CB_OK;
}

/* The room nft counts its transactions and knows its sockets by numbers that belong to the agent's
 * namespace: here they are none of its. */
static int ask(const void *request, size_t size)
{
	_cleanup_(mnl_socket_closep) struct mnl_socket *socket =
		mnl_socket_open2(NETLINK_NETFILTER, SOCK_CLOEXEC);
	const struct timeval patience = {.tv_sec = 1};
	char answer[ANSWER_BYTES];
	int r = MNL_CB_OK;

	if (!socket || mnl_socket_bind(socket, 0, MNL_SOCKET_AUTOPID) < 0 ||
		setsockopt(mnl_socket_get_fd(socket), SOL_SOCKET, SO_RCVTIMEO, &patience,
			sizeof(patience)) < 0 ||
		mnl_socket_sendto(socket, request, size) < 0)
		return -errno;
	while (r > MNL_CB_STOP) {
		ssize_t received = mnl_socket_recvfrom(socket, answer, sizeof(answer));

		if (received < 0)
			return -errno;
		r = mnl_cb_run(
			answer, (size_t)received, 0, mnl_socket_get_portid(socket), ignore, NULL);
	}
	return r < 0 ? -errno : 0;
}

static void put_table(struct mnl_nlmsg_batch *batch, uint16_t family)
{
	struct nlmsghdr *message = nftnl_nlmsg_build_hdr(
		mnl_nlmsg_batch_current(batch), NFT_MSG_NEWTABLE, family, NLM_F_CREATE, 1);

	mnl_attr_put_strz(message, NFTA_TABLE_NAME, TRIAL_NAME);
	mnl_nlmsg_batch_next(batch);
}

static void put_chain(
	struct mnl_nlmsg_batch *batch, uint16_t family, uint32_t hook, const char *device)
{
	struct nlmsghdr *message = nftnl_nlmsg_build_hdr(mnl_nlmsg_batch_current(batch),
		NFT_MSG_NEWCHAIN, family, NLM_F_CREATE | NLM_F_ACK, 2);
	struct nlattr *nest;
	char name[16];

	/* Two of one name would be one chain that moves to another hook, which no kernel allows. */
	snprintf(name, sizeof(name), "hook-%u", hook);
	mnl_attr_put_strz(message, NFTA_CHAIN_TABLE, TRIAL_NAME);
	mnl_attr_put_strz(message, NFTA_CHAIN_NAME, name);
	mnl_attr_put_strz(message, NFTA_CHAIN_TYPE, "filter");
	nest = mnl_attr_nest_start(message, NFTA_CHAIN_HOOK);
	mnl_attr_put_u32(message, NFTA_HOOK_HOOKNUM, htonl(hook));
	mnl_attr_put_u32(message, NFTA_HOOK_PRIORITY, 0);
	if (device)
		mnl_attr_put_strz(message, NFTA_HOOK_DEV, device);
	mnl_attr_nest_end(message, nest);
	mnl_nlmsg_batch_next(batch);
}

static int try_chain(uint16_t family, uint32_t hook, const char *device)
{
	char request[REQUEST_BYTES];
	struct mnl_nlmsg_batch *batch = mnl_nlmsg_batch_start(request, sizeof(request) / 2);
	int r;

	if (!batch)
		return -ENOMEM;
	nftnl_batch_begin(mnl_nlmsg_batch_current(batch), 0);
	mnl_nlmsg_batch_next(batch);
	put_table(batch, family);
	put_chain(batch, family, hook, device);
	nftnl_batch_end(mnl_nlmsg_batch_current(batch), 3);
	mnl_nlmsg_batch_next(batch);
	r = ask(mnl_nlmsg_batch_head(batch), mnl_nlmsg_batch_size(batch));
	mnl_nlmsg_batch_stop(batch);
	return r;
}

static int try_nftables(void)
{
	return try_chain(NFPROTO_INET, NF_INET_FORWARD, NULL);
}

static int try_netdev_ingress(void)
{
	return try_chain(NFPROTO_NETDEV, NF_NETDEV_INGRESS, "lo");
}

static int try_netdev_egress(void)
{
	return try_chain(NFPROTO_NETDEV, NF_NETDEV_EGRESS, "lo");
}

static struct nlmsghdr *request_to(char *buffer, uint16_t type, uint16_t flags)
{
	struct nlmsghdr *message = mnl_nlmsg_put_header(buffer);
	struct nfgenmsg *header = mnl_nlmsg_put_extra_header(message, sizeof(*header));

	message->nlmsg_type = type;
	message->nlmsg_flags = NLM_F_REQUEST | flags;
	header->nfgen_family = AF_UNSPEC;
	header->version = NFNETLINK_V0;
	return message;
}

static int try_nflog(void)
{
	const struct nfulnl_msg_config_cmd bind = {.command = NFULNL_CFG_CMD_BIND};
	char buffer[REQUEST_BYTES];
	struct nlmsghdr *message =
		request_to(buffer, NFNL_SUBSYS_ULOG << 8 | NFULNL_MSG_CONFIG, NLM_F_ACK);

	mnl_attr_put(message, NFULA_CFG_CMD, sizeof(bind), &bind);
	return ask(message, message->nlmsg_len);
}

static int try_ctnetlink(void)
{
	char buffer[REQUEST_BYTES];
	const struct nlmsghdr *message =
		request_to(buffer, NFNL_SUBSYS_CTNETLINK << 8 | IPCTNL_MSG_CT_GET, NLM_F_DUMP);

	return ask(message, message->nlmsg_len);
}

static void *run(void *userdata)
{
	static int (*const trials[TRIALS])(void) = {
		[TRIAL_TCX] = try_tcx,
		[TRIAL_CLSACT] = try_clsact,
		[TRIAL_XDP_LINK] = try_xdp_link,
		[TRIAL_NFTABLES] = try_nftables,
		[TRIAL_NETDEV_INGRESS] = try_netdev_ingress,
		[TRIAL_NETDEV_EGRESS] = try_netdev_egress,
		[TRIAL_NFLOG] = try_nflog,
		[TRIAL_CTNETLINK] = try_ctnetlink,
	};
	struct trials *all = userdata;

	if (unshare(CLONE_NEWNET) < 0) {
		all->setup = -errno;
		return NULL;
	}
	for (size_t i = 0; i < TRIALS; i++)
		all->results[i] = trials[i]();
	return NULL;
}

int trial_run(int results[static TRIALS])
{
	struct trials trials = {.results = results};
	pthread_t thread;
	int r = pthread_create(&thread, NULL, run, &trials);

	if (r)
		return -r;
	/* The caller rests meanwhile: what is not safe between threads need not be. */
	pthread_join(thread, NULL);
	return trials.setup;
}
