// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What should die early: before an skb exists where the driver can, at the latest before the node's
 * stack works for it. The programs are on an interface only while it has a job (abi.h):
 *
 *   early_xdp    what comes in: by an uplink, or from a workload at the host side of its veth
 *   early_tc     the same where the interface has someone else's XDP program
 *   early_leave  what goes out by an uplink: to destinations in the deny lists
 *
 * They only refuse: whatever passes is judged by the data plane as if they were not there.
 */
#include "xdp/deny_list.bpf.h"
#include "xdp/early_denial.bpf.h"
#include "xdp/early_maps.bpf.h"
#include "xdp/early_packet.bpf.h"
#include "xdp/limit.bpf.h"
#include "xdp/quarantine.bpf.h"

char LICENSE[] SEC("license") = "GPL";

#define HEADERS_BYTES 256 /* enough for all headers but freakish chains of extensions */

/* 0: pass. The order is that in which a person would want to hear it. */
static __always_inline int examine(const struct view *view, const struct early_packet *packet,
	const struct abi_early_interface *interface)
{
	const union address *peer =
		packet->hook == ABI_INGRESS ? &packet->source : &packet->destination;

	if (interface->jobs & ABI_EARLY_QUARANTINE && !quarantine_passes(view, packet))
		return REASON_QUARANTINED;
	if (!packet->addressed)
		return 0;
	if (interface->jobs & ABI_EARLY_DENY_LIST && deny_list_has(peer))
		return REASON_DENY_LIST;
	if (interface->jobs & ABI_EARLY_LIMIT && packet->opens &&
		limit_exceeded(
			&packet->source, interface->limit_interval_ns, interface->limit_burst_ns))
		return REASON_FLOOD;
	return 0;
}

/* 0: pass. bytes: of the whole frame. */
static __always_inline int judge(
	const struct view *view, struct early_packet *packet, __u32 bytes, __u32 only_jobs)
{
	const struct abi_early_interface *found;
	struct abi_early_interface interface;
	__u32 ifindex = packet->ifindex;
	int reason;

	found = bpf_map_lookup_elem(&early_interfaces, &ifindex);
	if (!found)
		return 0;
	interface = *found;
	interface.jobs &= only_jobs;
	if (packet->hook != ABI_EGRESS)
		packet->hook = interface.hook & 1;
	early_parse(view, packet);
	reason = examine(view, packet, &interface);
	if (!reason)
		return 0;
	bytes = bytes > ETH_HLEN ? bytes - ETH_HLEN : 0;
	early_count(packet, reason, bytes);
	early_denial_note(view, packet, reason, bytes);
	return reason;
}

SEC("xdp.frags")
int early_xdp(struct xdp_md *context)
{
	const struct view view = {(void *)(long)context->data, (void *)(long)context->data_end};
	struct early_packet packet = {.ifindex = context->ingress_ifindex};

	return judge(&view, &packet, bpf_xdp_get_buff_len(context), ~0U) ? XDP_DROP : XDP_PASS;
}

/* hook: ABI_EGRESS, or what the interface's entry says. */
static __always_inline int judge_skb(struct __sk_buff *skb, __u8 hook, __u32 only_jobs)
{
	struct view view = {(void *)(long)skb->data, (void *)(long)skb->data_end};
	struct early_packet packet = {.ifindex = skb->ifindex, .hook = hook};

	if (view.start + HEADERS_BYTES > view.end && skb->data_end - skb->data < skb->len) {
		bpf_skb_pull_data(skb, skb->len < HEADERS_BYTES ? skb->len : HEADERS_BYTES);
		view.start = (void *)(long)skb->data;
		view.end = (void *)(long)skb->data_end;
	}
	packet.tags = skb->vlan_present;
	return judge(&view, &packet, skb->len, only_jobs) ? PACKET_REFUSE : PACKET_PASS;
}

SEC("tc")
int early_tc(struct __sk_buff *skb)
{
	return judge_skb(skb, ABI_INGRESS, ~0U);
}

SEC("tc")
int early_leave(struct __sk_buff *skb)
{
	return judge_skb(skb, ABI_EGRESS, ABI_EARLY_DENY_LIST);
}
