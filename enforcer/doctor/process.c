/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the process that enforces is allowed to do. */
#include "base/cleanup.h"
#include "doctor/check.h"

#include <cap-ng.h>
#include <errno.h>
#include <linux/magic.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/utsname.h>
#include <sys/vfs.h>

struct need {
	unsigned int capability;
	const char *name;
	const char *purpose;
	bool ebpf, nft; /* which data plane cannot do without */
};

/* CAP_SYS_ADMIN stands for CAP_BPF and CAP_PERFMON (capabilities(7)). */
static const struct need needs[] = {
	{CAP_NET_ADMIN, "CAP_NET_ADMIN", "attach programs and write nftables", true, true},
	{CAP_BPF, "CAP_BPF", "load eBPF programs", true, false},
	{CAP_PERFMON, "CAP_PERFMON", "load eBPF programs that compare pointers", true, false},
	{CAP_SYS_ADMIN, "CAP_SYS_ADMIN", "enter the namespaces of workloads and mount a bpffs",
		true, true},
	{CAP_SYS_MODULE, "CAP_SYS_MODULE", "have br_netfilter loaded", false, false},
};

static bool has(unsigned int capability)
{
	if ((capability == CAP_BPF || capability == CAP_PERFMON) &&
		capng_have_capability(CAPNG_EFFECTIVE, CAP_SYS_ADMIN))
		return true;
	return capng_have_capability(CAPNG_EFFECTIVE, capability);
}

static void check_capabilities(const struct doctor_view *view, struct findings *findings)
{
	bool all = true;

	if (capng_get_caps_process() < 0) {
		findings_add(findings, FINDING_WARNING, "capabilities", "mount /proc",
			"the capabilities of this process cannot be read");
		return;
	}
	for (size_t i = 0; i < ARRAY_SIZE(needs); i++) {
		const struct need *need = &needs[i];
		bool needed = doctor_uses(view, "ebpf") ? need->ebpf : need->nft;

		if (has(need->capability))
			continue;
		all = false;
		findings_add(findings, needed ? FINDING_ERROR : FINDING_NOTE, "capabilities", NULL,
			"segd lacks %s: it cannot %s", need->name, need->purpose);
		findings_advise(
			findings, "run segd as root, or add %s to its service unit", need->name);
	}
	if (all)
		findings_add(findings, FINDING_OK, "capabilities", NULL,
			"segd has every capability that it can use");
}

/* From 5.11 on the kernel counts BPF memory by cgroup and not by this limit. */
static void check_memlock(const struct doctor_view *view, struct findings *findings)
{
	unsigned int major = 0, minor = 0;
	struct utsname name;
	struct rlimit limit;

	if (!doctor_uses(view, "ebpf") || getrlimit(RLIMIT_MEMLOCK, &limit) < 0 ||
		uname(&name) < 0 || sscanf(name.release, "%u.%u", &major, &minor) != 2)
		return;
	if (limit.rlim_cur == RLIM_INFINITY || major > 5 || (major == 5 && minor >= 11))
		findings_add(findings, FINDING_OK, "memlock", NULL,
			"locked memory does not bound the eBPF maps");
	else
		findings_add(findings, FINDING_ERROR, "memlock",
			"LimitMEMLOCK=infinity in the service unit",
			"at most %llu bytes may be locked, and eBPF maps take more on Linux %s",
			(unsigned long long)limit.rlim_cur, name.release);
}

static void check_bpffs(const struct doctor_view *view, struct findings *findings)
{
	struct statfs fs;

	if (!doctor_uses(view, "ebpf"))
		return;
	if (statfs(view->pin_directory, &fs) == 0 && fs.f_type == BPF_FS_MAGIC) {
		findings_add(findings, FINDING_OK, "bpffs", NULL,
			"programs and maps are kept in %s when the agent goes",
			view->pin_directory);
		return;
	}
	findings_add(findings, view->status ? FINDING_ERROR : FINDING_NOTE, "bpffs", NULL,
		"%s is on no bpffs here: %s", view->pin_directory,
		view->status ? "what the agent has pinned cannot be reached, and the next agent "
			       "would not find it"
			     : "segd mounts one when it starts");
	findings_advise(findings,
		"mount -t bpf bpffs /sys/fs/bpf, in the mount namespace that segd runs in");
}

void check_process(const struct doctor_view *view, struct findings *findings)
{
	check_capabilities(view, findings);
	check_memlock(view, findings);
	check_bpffs(view, findings);
}
