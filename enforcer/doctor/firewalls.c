/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Other people's firewalls: what they refuse, policy cannot allow; what they send past the hooks,
 * policy cannot refuse. */
#include "base/cleanup.h"
#include "dataplane/nft/batch.h"
#include "dataplane/nft/layout.h"
#include "dataplane/nft/netlink.h"
#include "doctor/check.h"

#include <errno.h>
#include <libnftnl/chain.h>
#include <libnftnl/common.h>
#include <libnftnl/flowtable.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <stdio.h>

#define REQUEST_BYTES 256

struct survey {
	const struct doctor_view *view;
	struct findings *findings;
	size_t foreign; /* base chains that are not ours */
	size_t dropping;
	size_t flowtables;
};

DEFINE_CLEANUP(struct nftnl_chain *, nftnl_chain_free)
DEFINE_CLEANUP(struct nftnl_flowtable *, nftnl_flowtable_free)

static const char *family_name(uint32_t family)
{
	switch (family) {
	case NFPROTO_IPV4:
		return "ip";
	case NFPROTO_IPV6:
		return "ip6";
	case NFPROTO_INET:
		return "inet";
	case NFPROTO_BRIDGE:
		return "bridge";
	default:
		return "netdev";
	}
}

static bool is_ours(const char *table)
{
	size_t length = strlen(LAYOUT_TABLE);

	return !strncmp(table, LAYOUT_TABLE, length) && (!table[length] || table[length] == '_');
}

static int visit_chain(const struct nlmsghdr *message, void *userdata)
{
	_cleanup_(nftnl_chain_freep) struct nftnl_chain *chain = nftnl_chain_alloc();
	struct survey *survey = userdata;
	const char *table, *name;
	uint32_t family;

	if (!chain || nftnl_chain_nlmsg_parse(message, chain) < 0 ||
		!nftnl_chain_is_set(chain, NFTNL_CHAIN_HOOKNUM))
		return MNL_CB_OK;
	table = nftnl_chain_get_str(chain, NFTNL_CHAIN_TABLE);
	name = nftnl_chain_get_str(chain, NFTNL_CHAIN_NAME);
	family = nftnl_chain_get_u32(chain, NFTNL_CHAIN_FAMILY);
	if (!table || !name || is_ours(table) || family == NFPROTO_NETDEV)
		return MNL_CB_OK;
	survey->foreign++;
	if (nftnl_chain_get_u32(chain, NFTNL_CHAIN_HOOKNUM) != NF_INET_FORWARD ||
		nftnl_chain_get_u32(chain, NFTNL_CHAIN_POLICY) != NF_DROP)
		return MNL_CB_OK;
	survey->dropping++;
	findings_add(survey->findings, FINDING_NOTE, "forward-drop", NULL,
		"chain %s of table %s %s drops what none of its rules accepts (Docker sets that up "
		"so): it refuses traffic that policy allows, and segctl knows nothing of that",
		name, family_name(family), table);
	findings_advise(survey->findings,
		"nft list chain %s %s %s; Docker's place for your own "
		"rules is DOCKER-USER",
		family_name(family), table, name);
	return MNL_CB_OK;
}

static int visit_flowtable(const struct nlmsghdr *message, void *userdata)
{
	_cleanup_(nftnl_flowtable_freep) struct nftnl_flowtable *flowtable =
		nftnl_flowtable_alloc();
	struct survey *survey = userdata;
	const char *name;

	if (!flowtable || nftnl_flowtable_nlmsg_parse(message, flowtable) < 0)
		return MNL_CB_OK;
	name = nftnl_flowtable_get_str(flowtable, NFTNL_FLOWTABLE_NAME);
	survey->flowtables++;
	findings_add(survey->findings,
		doctor_uses(survey->view, "nft") ? FINDING_WARNING : FINDING_NOTE, "flowtable",
		"take the workloads' interfaces out of it, or use segd --dataplane=ebpf",
		"flowtable %s takes established connections past nftables: %s", name ? name : "",
		doctor_uses(survey->view, "nft")
			? "what policy revokes may go on there"
			: "eBPF on the workloads' interfaces still sees them");
	return MNL_CB_OK;
}

static int list(uint16_t type, mnl_cb_t visit, struct survey *survey)
{
	_cleanup_(netlink_closep) struct mnl_socket *socket = NULL;
	char buffer[REQUEST_BYTES];
	int r = netlink_open(&socket, NULL);

	if (r < 0)
		return r;
	return netlink_dump_once(socket,
		nftnl_nlmsg_build_hdr(buffer, type, NFPROTO_UNSPEC, NLM_F_DUMP, 0), visit, survey);
}

/* The names of tables that iptables-legacy has in the kernel; nftables knows nothing of them. */
static bool has_legacy(const char *path)
{
	_cleanup_file_ FILE *file = fopen(path, "re");

	return file && fgetc(file) != EOF;
}

static void check_legacy(const struct survey *survey)
{
	if (!has_legacy("/proc/net/ip_tables_names") && !has_legacy("/proc/net/ip6_tables_names"))
		return;
	findings_add(survey->findings, survey->foreign ? FINDING_WARNING : FINDING_NOTE,
		"iptables-legacy",
		"update-alternatives --set iptables /usr/sbin/iptables-nft, and load the rules anew",
		"tables of iptables-legacy are in the kernel%s: nft list ruleset does not show what "
		"they refuse",
		survey->foreign ? " beside nftables" : "");
}

void check_firewalls(const struct doctor_view *view, struct findings *findings)
{
	struct survey survey = {.view = view, .findings = findings};
	int r = list(NFT_MSG_GETCHAIN, visit_chain, &survey);

	if (r < 0) {
		findings_add(findings, FINDING_NOTE, "firewalls",
			"run segd as root, on a kernel with nf_tables",
			"the tables of nftables cannot be read: %s", strerror(-r));
	} else {
		list(NFT_MSG_GETFLOWTABLE, visit_flowtable, &survey);
		if (!survey.dropping && !survey.flowtables)
			findings_add(findings, FINDING_OK, "firewalls", NULL,
				"none of %zu chains of others refuses by default what is forwarded",
				survey.foreign);
	}
	check_legacy(&survey);
}
