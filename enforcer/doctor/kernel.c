/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What this kernel can do. */
#include "base/cleanup.h"
#include "base/setting.h"
#include "dataplane/bpf/probe.h"
#include "doctor/check.h"
#include "doctor/trial.h"

#include <bpf/libbpf.h>
#include <errno.h>
#include <linux/magic.h>
#include <string.h>
#include <sys/utsname.h>
#include <sys/vfs.h>
#include <unistd.h>

#define EBPF "ebpf"
#define NFT  "nft"

struct ability {
	enum trial trial;
	const char *check;
	const char *name;
	const char *dataplane; /* that cannot do without; NULL: none */
	enum finding_level missing;
	const char *without; /* what that means */
	const char *advice;
};

static const struct ability abilities[] = {
	{TRIAL_TCX, "tcx", "tcx links", NULL, FINDING_NOTE,
		"eBPF programs are attached by clsact filters, which others can take off more easily",
		"a kernel of Linux 6.6 or later has them"},
	{TRIAL_CLSACT, "clsact", "clsact filters", NULL, FINDING_NOTE,
		"without tcx the eBPF data plane has no place for its programs",
		"modprobe sch_ingress cls_bpf"},
	{TRIAL_XDP_LINK, "xdp", "XDP links", NULL, FINDING_NOTE,
		"deny lists, quarantine and limits drop packets later, by tc",
		"a kernel of Linux 5.9 or later has them"},
	{TRIAL_NFTABLES, "nftables", "nftables with family inet", NFT, FINDING_WARNING,
		"neither the nft data plane nor policy on the node itself can be enforced",
		"modprobe nf_tables nf_tables_inet"},
	{TRIAL_NETDEV_INGRESS, "netdev-ingress", "nftables at the ingress of interfaces", NFT,
		FINDING_NOTE, "the nft data plane cannot hold workloads to their own addresses",
		"a kernel with CONFIG_NF_TABLES_NETDEV has it"},
	{TRIAL_NETDEV_EGRESS, "netdev-egress", "nftables at the egress of interfaces", NULL,
		FINDING_NOTE, "the nft data plane judges what enters a workload later on its way",
		"a kernel of Linux 5.16 or later with CONFIG_NETFILTER_EGRESS has it"},
	{TRIAL_NFLOG, "nflog", "NFLOG", NFT, FINDING_WARNING,
		"what nftables refuses is counted, but nobody learns who was refused what",
		"modprobe nfnetlink_log"},
	{TRIAL_CTNETLINK, "ctnetlink", "conntrack over netlink", NFT, FINDING_WARNING,
		"connections that policy no longer allows cannot be cut by nftables",
		"modprobe nf_conntrack_netlink"},
};

static void check_ability(
	const struct doctor_view *view, struct findings *findings, size_t i, int result)
{
	const struct ability *ability = &abilities[i];
	bool needed = ability->dataplane && doctor_uses(view, ability->dataplane);

	if (!result)
		findings_add(findings, FINDING_OK, ability->check, NULL, "the kernel has %s",
			ability->name);
	else
		findings_add(findings, needed ? FINDING_ERROR : ability->missing, ability->check,
			ability->advice, "no %s (%s): %s", ability->name, strerror(-result),
			ability->without);
}

static void check_trials(const struct doctor_view *view, struct findings *findings)
{
	int results[TRIALS];
	int r = trial_run(results);

	if (r < 0) {
		findings_add(findings, FINDING_WARNING, "trial",
			"run segd as root, or with CAP_SYS_ADMIN for this report",
			"what the kernel can do was not tried: no network namespace can be made "
			"(%s)",
			strerror(-r));
		return;
	}
	for (size_t i = 0; i < ARRAY_SIZE(abilities); i++)
		check_ability(view, findings, i, results[abilities[i].trial]);
	if (results[TRIAL_TCX] && results[TRIAL_CLSACT] && doctor_uses(view, EBPF))
		findings_add(findings, FINDING_ERROR, "ebpf-hooks", "segd --dataplane=nft",
			"neither tcx nor clsact works: eBPF programs cannot be attached");
}

static void check_bpf(const struct doctor_view *view, struct findings *findings)
{
	static const struct {
		enum bpf_map_type type;
		const char *name;
	} maps[] = {
		{BPF_MAP_TYPE_LPM_TRIE, "LPM tries"},
		{BPF_MAP_TYPE_RINGBUF, "ring buffers"},
		{BPF_MAP_TYPE_LRU_HASH, "LRU hashes"},
		{BPF_MAP_TYPE_PERCPU_HASH, "hashes for each CPU"},
		{BPF_MAP_TYPE_ARRAY_OF_MAPS, "arrays of maps"},
	};
	enum finding_level level = doctor_uses(view, EBPF) ? FINDING_ERROR : FINDING_NOTE;
	const char *missing = probe_unavailable();

	if (missing) {
		findings_add(findings, level, "bpf",
			"segd --dataplane=nft, or a kernel of Linux 6.1",
			"the eBPF data plane cannot work: %s", missing);
		return;
	}
	findings_add(findings, FINDING_OK, "bpf", NULL, "BPF programs for traffic control load");
	for (size_t i = 0; i < ARRAY_SIZE(maps); i++) {
		if (libbpf_probe_bpf_map_type(maps[i].type, NULL) != 1)
			findings_add(findings, level, "bpf-maps",
				"segd --dataplane=nft, or a kernel of Linux 6.1",
				"this kernel has no BPF %s", maps[i].name);
	}
	if (access("/sys/kernel/btf/vmlinux", R_OK) == 0)
		findings_add(findings, FINDING_OK, "btf", NULL, "the kernel describes its types");
	else
		findings_add(findings, FINDING_NOTE, "btf",
			"a kernel with CONFIG_DEBUG_INFO_BTF has it; segd does without",
			"no BTF: flows have no TCP round-trip times and retransmissions");
	if (setting_read("/proc/sys/net/core/bpf_jit_enable") == 0)
		findings_add(findings, FINDING_WARNING, "bpf-jit",
			"sysctl -w net.core.bpf_jit_enable=1",
			"BPF programs are interpreted: each packet costs several times as much");
}

static void check_modules(struct findings *findings)
{
	struct utsname name;

	if (access("/proc/modules", F_OK) < 0)
		findings_add(findings, FINDING_NOTE, "modules",
			"nothing, where nothing is missing; else a kernel that has it",
			"this kernel has no modules: what it lacks cannot be loaded");
	else if (setting_read("/proc/sys/kernel/modules_disabled") == 1)
		findings_add(findings, FINDING_NOTE, "modules",
			"load what is missing at boot, by /etc/modules",
			"the kernel takes no more modules until the next boot");
	else if (uname(&name) == 0)
		findings_add(findings, FINDING_OK, "modules", NULL, "modules of %s can be loaded",
			name.release);
}

static void check_release(struct findings *findings)
{
	unsigned int major = 0, minor = 0;
	struct utsname name;

	if (uname(&name) < 0 || sscanf(name.release, "%u.%u", &major, &minor) != 2)
		return;
	if (major > 6 || (major == 6 && minor >= 1))
		findings_add(findings, FINDING_OK, "release", NULL, "Linux %s", name.release);
	else
		findings_add(findings, FINDING_WARNING, "release",
			"Linux 6.1 is the oldest that segd is tested with", "Linux %s is older",
			name.release);
}

static void check_cgroup(struct findings *findings)
{
	struct statfs fs;

	if (statfs("/sys/fs/cgroup", &fs) == 0 && fs.f_type == CGROUP2_SUPER_MAGIC)
		findings_add(findings, FINDING_OK, "cgroup", NULL, "cgroup v2 is mounted");
	else
		findings_add(findings, FINDING_NOTE, "cgroup",
			"boot with systemd.unified_cgroup_hierarchy=1; segd itself does without",
			"cgroup v2 is not mounted on /sys/fs/cgroup");
}

void check_kernel(const struct doctor_view *view, struct findings *findings)
{
	check_release(findings);
	check_bpf(view, findings);
	check_trials(view, findings);
	check_modules(findings);
	check_cgroup(findings);
}
