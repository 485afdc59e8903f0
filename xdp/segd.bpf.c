// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The two programs on the host side of each workload's veth. segd_leave sees what the workload
 * sends, segd_enter what it receives; everything that passes one of them was allowed. Both once
 * more for interfaces that have no host side.
 *
 *   parse -> a connection that stands carries it -> pass
 *         -> else: does the workload exist, does it speak in its own name, is what it receives for
 *            it, is it a neighbour's matter, a fragment, an error about a connection; else judge it
 *            by policy -> conclude
 *
 * Built for kernels from 6.1 on: no kfuncs, bounded loops only, stack below 512 bytes over all
 * calls. What is not inlined is kept apart so that the verifier walks it once for each program.
 */
#include "xdp/answer.bpf.h"
#include "xdp/denial.bpf.h"
#include "xdp/fastpath.bpf.h"
#include "xdp/fragment.bpf.h"
#include "xdp/lock.bpf.h"
#include "xdp/maps.bpf.h"
#include "xdp/parse.bpf.h"
#include "xdp/related.bpf.h"
#include "xdp/source.bpf.h"
#include "xdp/track.bpf.h"

char LICENSE[] SEC("license") = "GPL";

/* At the hook of a workload, which the packet is addressed to or which is none of its addresses. */
static __always_inline int arrives_elsewhere(const struct packet *packet)
{
	return packet->hook == ABI_INGRESS &&
	       !address_is_own(&packet->destination, packet->ifindex);
}

/* What there is to say of a packet that could be parsed and is sent by whom it claims. */
static __always_inline int decide(struct __sk_buff *skb, const struct packet *packet,
	const struct abi_endpoint *endpoint, struct refusal *refusal)
{
	switch (packet->kind) {
	case PACKET_NEIGHBOUR:
		return REASON_NEIGHBOUR;
	case PACKET_FRAGMENT:
		return fragment_follows(packet);
	case PACKET_FOREIGN:
		return REASON_POLICY_ALLOWED;
	case PACKET_ERROR:
		return relate(skb, packet);
	}
	if (arrives_elsewhere(packet))
		return judge_arrival(packet, endpoint, refusal);
	return track(skb, packet, endpoint, refusal);
}

/* The reason of the verdict, in the order in which a person would want to hear it. */
static __always_inline int examine(struct __sk_buff *skb, const struct packet *packet,
	int parse_reason, struct refusal *refusal)
{
	const struct abi_endpoint *endpoint;
	__u32 ifindex = packet->ifindex;
	int reason;

	endpoint = bpf_map_lookup_elem(&endpoints, &ifindex);
	if (!packet->generation || !endpoint || endpoint->flags & ABI_ENDPOINT_GUARD)
		return REASON_UNKNOWN_ENDPOINT;
	reason = check_mac(skb, packet, endpoint);
	if (reason)
		return reason;
	if (parse_reason)
		return parse_reason;
	if (packet->kind == PACKET_NEIGHBOUR && !discovery_on_link(packet))
		return REASON_MALFORMED;
	if (packet->hook == ABI_EGRESS) {
		reason = check_source(skb, packet, endpoint);
		if (reason)
			return reason;
	}
	return decide(skb, packet, endpoint, refusal);
}

/* Not static: so the verifier walks it once, and not for each way through the parser. It then
 * demands a look at the pointer, and kernels up to 6.1 that keys of look-ups be copied from behind
 * it. */
__noinline int judge_packet(struct __sk_buff *skb, const struct packet *packet, int parse_reason)
{
	struct refusal refusal = {};
	int reason, result;

	if (!packet)
		return PACKET_REFUSE;
	reason = examine(skb, packet, parse_reason, &refusal);
	result = conclude(skb, packet, reason, &refusal);
	if (packet->first_fragment) {
		if (result == PACKET_PASS)
			fragment_remember(packet);
		else
			fragment_forget(packet);
	}
	if (result == PACKET_REFUSE && refusal.flags & ABI_DECISION_REJECT)
		return answer(skb, packet);
	return result;
}

static __always_inline int handle(
	struct __sk_buff *skb, const enum abi_direction hook, __u32 ifindex, const int may_shorten)
{
	const struct abi_control *state;
	struct packet packet = {.hook = hook, .ifindex = ifindex};
	__u32 zero = 0;
	int reason;

	if (skb->mark == ABI_ANSWER_MARK && answer_may_pass(&packet)) {
		skb->mark = 0;
		return PACKET_PASS;
	}
	state = bpf_map_lookup_elem(&control, &zero);
	if (state)
		packet.generation = *(const volatile __u32 *)&state->generation;
	reason = parse_frame(skb, &packet);
	if (!reason && connection_carries(skb, &packet))
		return may_shorten && configuration.fast_path ? fast_path(skb, &packet)
							      : PACKET_PASS;
	return judge_packet(skb, &packet, reason);
}

SEC("tc")
int segd_leave(struct __sk_buff *skb)
{
	return lock_mark(skb, handle(skb, ABI_EGRESS, skb->ifindex, 1));
}

SEC("tc")
int segd_enter(struct __sk_buff *skb)
{
	lock_unseal(skb);
	return handle(skb, ABI_INGRESS, skb->ifindex, 0);
}

/* Left in skb->cb by the program that jumped here; whoever comes behind ours shall not see it. */
static __always_inline __u32 take_number(struct __sk_buff *skb)
{
	__u32 number = skb->cb[0];

	skb->cb[0] = 0;
	return number;
}

SEC("tc")
int segd_leave_inside(struct __sk_buff *skb)
{
	return handle(skb, ABI_EGRESS, take_number(skb), 0);
}

SEC("tc")
int segd_enter_inside(struct __sk_buff *skb)
{
	return handle(skb, ABI_INGRESS, take_number(skb), 0);
}
