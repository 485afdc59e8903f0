/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The ways that packets take on this node, and which of them the data plane in use does not see. */
#include "base/cleanup.h"
#include "base/setting.h"
#include "doctor/check.h"

#include <ctype.h>
#include <dirent.h>
#include <stdio.h>

DEFINE_CLEANUP(DIR *, closedir)

#define CONNTRACK_ALARM_PERCENT 80

/* Bridged packets meet nftables only through br_netfilter. */
static void check_bridges(struct findings *findings)
{
	int ipv4 = setting_read("/proc/sys/net/bridge/bridge-nf-call-iptables");
	int ipv6 = setting_read("/proc/sys/net/bridge/bridge-nf-call-ip6tables");

	if (ipv4 == 1 && ipv6 == 1)
		findings_add(findings, FINDING_OK, "br-netfilter", NULL,
			"traffic between two workloads on one bridge meets nftables");
	else if (ipv4 < 0)
		findings_add(findings, FINDING_ERROR, "br-netfilter",
			"modprobe br_netfilter, then systemctl restart segd; or segd --dataplane=ebpf",
			"the kernel has no br_netfilter: traffic between two workloads on one bridge "
			"passes unjudged");
	else
		findings_add(findings, FINDING_ERROR, "br-netfilter",
			"sysctl -w net.bridge.bridge-nf-call-iptables=1 "
			"net.bridge.bridge-nf-call-ip6tables=1",
			"br_netfilter is off for %s%s%s: such traffic between two workloads on one "
			"bridge passes unjudged",
			ipv4 != 1 ? "IPv4" : "", ipv4 != 1 && ipv6 != 1 ? " and " : "",
			ipv6 != 1 ? "IPv6" : "");
}

static void check_conntrack(struct findings *findings)
{
	int count = setting_read("/proc/sys/net/netfilter/nf_conntrack_count");
	int max = setting_read("/proc/sys/net/netfilter/nf_conntrack_max");

	if (count < 0 || max <= 0)
		return;
	if ((long)count * 100 < (long)max * CONNTRACK_ALARM_PERCENT)
		findings_add(findings, FINDING_OK, "conntrack", NULL,
			"conntrack has %d of at most %d connections", count, max);
	else
		findings_add(findings, FINDING_WARNING, "conntrack",
			"sysctl -w net.netfilter.nf_conntrack_max=N with a larger N",
			"conntrack has %d of at most %d connections: when it is full, the kernel "
			"drops new ones",
			count, max);
}

static void check_forwarding(struct findings *findings)
{
	if (setting_read("/proc/sys/net/ipv4/ip_forward") != 1)
		findings_add(findings, FINDING_NOTE, "ip-forward",
			"sysctl -w net.ipv4.ip_forward=1, if workloads shall reach other networks",
			"IPv4 is not forwarded: workloads reach their own bridge only, whatever "
			"policy allows");
	if (setting_read("/proc/sys/net/ipv6/conf/all/disable_ipv6") == 1)
		findings_add(findings, FINDING_NOTE, "ipv6",
			"sysctl -w net.ipv6.conf.all.disable_ipv6=0, if it is wanted",
			"IPv6 is turned off on the node: policies for it have nothing to judge here");
	if (setting_read("/proc/sys/net/ipv4/conf/all/rp_filter") == 1)
		findings_add(findings, FINDING_NOTE, "rp-filter",
			"sysctl -w net.ipv4.conf.all.rp_filter=2, where routes are asymmetric",
			"strict reverse path filtering is on: packets that come by another way than "
			"the way back are dropped and no policy is named for that");
	else
		findings_add(findings, FINDING_OK, "rp-filter", NULL,
			"reverse path filtering does not drop what policy allows");
}

static bool is_proxy(const char *process)
{
	_cleanup_file_ FILE *file = NULL;
	char path[64], name[32];

	if (!isdigit((unsigned char)*process))
		return false;
	snprintf(path, sizeof(path), "/proc/%.20s/comm", process);
	file = fopen(path, "re");
	return file && fgets(name, sizeof(name), file) && !strcmp(name, "docker-proxy\n");
}

/* Docker's proxy for published ports takes connections in as a process of the node. */
static void check_proxy(struct findings *findings)
{
	_cleanup_(closedirp) DIR *directory = opendir("/proc");
	const struct dirent *entry;
	unsigned int count = 0;

	while (directory && (entry = readdir(directory)))
		count += is_proxy(entry->d_name);
	if (count)
		findings_add(findings, FINDING_NOTE, "userland-proxy",
			"\"userland-proxy\": false in /etc/docker/daemon.json",
			"docker-proxy serves %u published ports: what comes through it has the "
			"node's address, and policies see entity host instead of the client",
			count);
}

void check_path(const struct doctor_view *view, struct findings *findings)
{
	if (doctor_uses(view, "nft")) {
		check_bridges(findings);
		check_conntrack(findings);
		findings_add(findings, FINDING_NOTE, "nft-scope", "segd --dataplane=ebpf sees both",
			"nftables judges IP: ARP between workloads is only held to truth, and "
			"frames of other protocols are dropped where a workload sends them");
	}
	check_forwarding(findings);
	check_proxy(findings);
}
