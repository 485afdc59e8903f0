/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Answers to refused packets where the rule says so (onDeny: reject): the packet itself is made
 * into its answer and sent back to where it came from, a TCP segment as a RST (RFC 9293, 3.10.7.1),
 * everything else as ICMP "administratively prohibited" around its head (RFC 792, RFC 1812 4.3.2,
 * RFC 4443 3.1).
 *
 * Back to the sender is out of the interface that it came in by, or, where it was about to enter a
 * workload, in by that interface as if the workload had sent it. The mark lets it pass the hook
 * there (see ABI_ANSWER_MARK). That is safe since nothing but the programs sets it, and the
 * programs only on what they wrote: addresses and ports are those of the refused packet, and no
 * payload goes to anyone but the one who sent it.
 *
 * Inside a workload's namespace the workload may set marks (CAP_NET_RAW is enough), so none is
 * believed on what leaves, and what was about to enter there is refused without an answer.
 *
 * Never answered: what policy did not judge (so no ICMP error, no later fragment, nothing that is
 * malformed or not the sender's own), a RST, what went to many, and more than ANSWERS_MAX in
 * ANSWERS_NS for one workload. What is owed an answer and gets none is in losses.
 */
#pragma once

#include "xdp/connection.bpf.h"
#include "xdp/event.bpf.h"
#include "xdp/neighbour.bpf.h"
#include "xdp/share.bpf.h"

#include <linux/ip.h>
#include <linux/ipv6.h>

#define ANSWERS_MAX 1000
#define ANSWERS_NS  1000000000ULL

#define ANSWER_HOP_LIMIT 64

/* Of the packet that is answered: no answer is longer than 576 bytes over IPv4 (RFC 1812), 1280
 * over IPv6. */
#define CARRIED_IPV4_MAX (576 - sizeof(struct iphdr) - ICMP_HEADER)
#define CARRIED_IPV6_MAX (1280 - sizeof(struct ipv6hdr) - ICMP_HEADER)
#define CARRIED_SUM_STEP 308 /* bpf_csum_diff() takes 512 bytes at most */
#define CARRIED_MAX      (4 * CARRIED_SUM_STEP)

#define ICMP_PROHIBITED    13
#define ICMPV6_PROHIBITED  1
#define ICMPV6_UNREACHABLE 1

_Static_assert(CARRIED_MAX == CARRIED_IPV6_MAX && CARRIED_MAX <= sizeof(struct scratch),
	"a buffer for all that is carried");

union ip_header {
	struct iphdr ipv4;
	struct ipv6hdr ipv6;
	__u32 words[10];
};

static __always_inline __u16 sum_fold(__u64 sum)
{
	sum = (sum & 0xffffffff) + (sum >> 32);
	sum = (sum & 0xffff) + (sum >> 16 & 0xffff) + (sum >> 32);
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	return sum;
}

/* Of the pseudo header, the same there and back. A mapped address has the sum of its IPv4 address,
 * since 0xffff counts as nothing. */
static __always_inline __u64 sum_pseudo(const struct packet *packet, __u8 protocol, __u32 length)
{
	const union address *source = &packet->source, *destination = &packet->destination;
	__u64 sum = bpf_htonl(length) + (__u64)bpf_htonl(protocol);

	for (int i = 0; i < 4; i++)
		sum += (__u64)source->words[i] + destination->words[i];
	return sum;
}

static __always_inline __u32 ip_header_size(const struct packet *packet)
{
	return packet->ethertype == ETH_P_IP ? sizeof(struct iphdr) : sizeof(struct ipv6hdr);
}

/* The header of an answer with so many bytes behind it. */
static __always_inline void answer_ip(
	const struct packet *packet, union ip_header *ip, __u8 protocol, __u32 size)
{
	if (packet->ethertype == ETH_P_IP) {
		ip->ipv4.version = 4;
		ip->ipv4.ihl = sizeof(ip->ipv4) / 4;
		ip->ipv4.tot_len = bpf_htons(sizeof(ip->ipv4) + size);
		ip->ipv4.frag_off = bpf_htons(0x4000); /* needs no identification (RFC 6864) */
		ip->ipv4.ttl = ANSWER_HOP_LIMIT;
		ip->ipv4.protocol = protocol;
		ip->ipv4.saddr = packet->destination.words[3];
		ip->ipv4.daddr = packet->source.words[3];
		ip->ipv4.check =
			~sum_fold((__u32)bpf_csum_diff(NULL, 0, ip->words, sizeof(ip->ipv4), 0));
		return;
	}
	ip->ipv6.version = 6;
	ip->ipv6.payload_len = bpf_htons(size);
	ip->ipv6.nexthdr = protocol;
	ip->ipv6.hop_limit = ANSWER_HOP_LIMIT;
	for (int i = 0; i < 4; i++) {
		ip->ipv6.saddr.in6_u.u6_addr32[i] = packet->destination.words[i];
		ip->ipv6.daddr.in6_u.u6_addr32[i] = packet->source.words[i];
	}
}

static __always_inline int answer_turn_round(struct __sk_buff *skb)
{
	__u8 to[ETH_ALEN], from[ETH_ALEN];

	if (bpf_skb_load_bytes(skb, 0, to, sizeof(to)) ||
		bpf_skb_load_bytes(skb, ETH_ALEN, from, sizeof(from)))
		return -1;
	return bpf_skb_store_bytes(skb, 0, from, sizeof(from), 0) ||
	       bpf_skb_store_bytes(skb, ETH_ALEN, to, sizeof(to), 0);
}

static __always_inline int answer_store_ip(
	struct __sk_buff *skb, const struct packet *packet, const union ip_header *ip)
{
	if (packet->ethertype == ETH_P_IP)
		return bpf_skb_store_bytes(
			skb, ETH_HLEN, ip, sizeof(ip->ipv4), BPF_F_RECOMPUTE_CSUM);
	return bpf_skb_store_bytes(skb, ETH_HLEN, ip, sizeof(ip->ipv6), BPF_F_RECOMPUTE_CSUM);
}

/* Leaves the shortest IP header and room for a TCP header. */
static __always_inline int answer_shorten(struct __sk_buff *skb, const struct packet *packet)
{
	const __s32 options = packet->transport - ETH_HLEN - ip_header_size(packet);

	if (bpf_skb_change_tail(skb, packet->transport + sizeof(struct tcphdr), 0))
		return -1;
	return options ? bpf_skb_adjust_room(skb, -options, BPF_ADJ_ROOM_NET, 0) : 0;
}

/*
 * Where the sender has left the checksum to the hardware, the field holds the sum of the pseudo
 * header, and whoever completes it wants to find that of the answer there.
 */
static __noinline int answer_by_reset(struct __sk_buff *skb, const struct packet *packet)
{
	const __u32 size = packet->end - packet->transport;
	union ip_header ip = {};
	struct tcphdr tcp, reset = {};
	__u64 sum;

	if (bpf_skb_load_bytes(skb, packet->transport, &tcp, sizeof(tcp)) ||
		answer_shorten(skb, packet))
		return -1;
	reset.source = tcp.dest;
	reset.dest = tcp.source;
	reset.doff = sizeof(reset) / 4;
	reset.rst = 1;
	if (tcp.ack) {
		reset.seq = tcp.ack_seq;
	} else {
		reset.ack = 1;
		reset.ack_seq =
			bpf_htonl(bpf_ntohl(tcp.seq) + size - tcp.doff * 4 + tcp.syn + tcp.fin);
	}
	sum = sum_pseudo(packet, IPPROTO_TCP, sizeof(reset));
	if (tcp.check == sum_fold(sum_pseudo(packet, IPPROTO_TCP, size)))
		reset.check = sum_fold(sum);
	else
		reset.check = ~sum_fold(
			sum + (__u32)bpf_csum_diff(NULL, 0, (__be32 *)&reset, sizeof(reset), 0));
	answer_ip(packet, &ip, IPPROTO_TCP, sizeof(reset));
	return answer_turn_round(skb) || answer_store_ip(skb, packet, &ip) ||
	       bpf_skb_store_bytes(skb, ETH_HLEN + ip_header_size(packet), &reset, sizeof(reset),
		       BPF_F_RECOMPUTE_CSUM);
}

/* The sum of the packet's head, which is size bytes behind the Ethernet header; zeros behind it
 * count as nothing. Negative where it cannot be read. */
static __noinline __s64 answer_sum_carried(struct __sk_buff *skb, __u32 size)
{
	struct scratch *carried = scratch_of_cpu();
	__u64 sum = 0;

	if (!carried || size < sizeof(struct iphdr))
		return -1;
	asm volatile("" : "+r"(size)); /* two comparisons, or the verifier of 6.1 sees no bound */
	if (size > CARRIED_MAX)
		return -1;
#pragma clang loop unroll(disable)
	for (int i = 0; i < CARRIED_MAX / 8; i++)
		*(volatile __u64 *)&carried->words[i] = 0; /* there is no memset() to call */
	if (bpf_skb_load_bytes(skb, ETH_HLEN, carried, size))
		return -1;
	for (int i = 0; i < CARRIED_MAX / CARRIED_SUM_STEP; i++)
		sum += (__u32)bpf_csum_diff(NULL, 0,
			(__be32 *)((void *)carried + i * CARRIED_SUM_STEP), CARRIED_SUM_STEP, 0);
	return sum;
}

/*
 * Where the sender of a datagram has left its checksum to the hardware, the field holds the sum of
 * the pseudo header, and whoever takes the answer may still finish it, over as much as is carried.
 * The datagram then adds the complement of that sum to the one around it, whatever is in it.
 * Whoever does not finish it does not look at either.
 */
static __always_inline int datagram_is_unfinished(
	struct __sk_buff *skb, const struct packet *packet, __u16 *ret_finished)
{
	struct udphdr udp;
	__u16 pseudo;

	if (packet->protocol != IPPROTO_UDP ||
		bpf_skb_load_bytes(skb, packet->transport, &udp, sizeof(udp)))
		return 0;
	pseudo = sum_fold(sum_pseudo(packet, IPPROTO_UDP, packet->end - packet->transport));
	*ret_finished = ~pseudo;
	return udp.check == pseudo;
}

/* Of as much of the packet as is carried. Negative where it cannot be read. */
static __always_inline __s64 answer_sum(
	struct __sk_buff *skb, const struct packet *packet, __u32 size)
{
	__u16 finished = 0;
	__s64 sum;

	if (!datagram_is_unfinished(skb, packet, &finished))
		return answer_sum_carried(skb, size);
	sum = answer_sum_carried(skb, packet->transport - ETH_HLEN);
	return sum < 0 ? sum : sum + finished;
}

static __noinline int answer_by_icmp(struct __sk_buff *skb, const struct packet *packet)
{
	const int ipv4 = packet->ethertype == ETH_P_IP;
	const __u32 most = ipv4 ? CARRIED_IPV4_MAX : CARRIED_IPV6_MAX;
	union ip_header ip = {};
	struct icmp icmp = {};
	__u32 size = packet->end - ETH_HLEN;
	__s64 sum;

	if (size > most)
		size = most;
	if (bpf_skb_change_tail(skb, ETH_HLEN + size, 0))
		return -1;
	sum = answer_sum(skb, packet, size);
	if (sum < 0 ||
		bpf_skb_adjust_room(skb, ip_header_size(packet) + ICMP_HEADER, BPF_ADJ_ROOM_MAC, 0))
		return -1;
	icmp.type = ipv4 ? ICMP_UNREACHABLE : ICMPV6_UNREACHABLE;
	icmp.code = ipv4 ? ICMP_PROHIBITED : ICMPV6_PROHIBITED;
	sum += bpf_htons(icmp.type << 8 | icmp.code);
	size += ICMP_HEADER;
	if (!ipv4)
		sum += sum_pseudo(packet, IPPROTO_ICMPV6, size);
	icmp.checksum = ~sum_fold(sum);
	answer_ip(packet, &ip, ipv4 ? IPPROTO_ICMP : IPPROTO_ICMPV6, size);
	return answer_turn_round(skb) || answer_store_ip(skb, packet, &ip) ||
	       bpf_skb_store_bytes(skb, ETH_HLEN + ip_header_size(packet), &icmp, sizeof(icmp),
		       BPF_F_RECOMPUTE_CSUM);
}

static __always_inline int address_is_of_one(const union address *address)
{
	if (address_is_mapped(address))
		return address->bytes[12] && address->bytes[12] != 127 && address->bytes[12] < 224;
	return !address_is_unspecified(address) && address->bytes[0] != 0xff;
}

static __always_inline int is_inside(const struct packet *packet)
{
	return (packet->ifindex & ABI_INSIDE) != 0;
}

/* Of a packet with the mark of an answer. */
static __always_inline int answer_may_pass(const struct packet *packet)
{
	return packet->hook == ABI_INGRESS || !is_inside(packet);
}

/* RFC 1122, 3.2.2, and RFC 4443, 2.4: one sender, one receiver, each by frame and by packet. */
static __always_inline int answer_is_owed(struct __sk_buff *skb, const struct packet *packet)
{
	__u8 to;

	if (has_handshake(packet->protocol) && packet->tcp_flags & TCP_RST)
		return 0;
	if (bpf_skb_load_bytes(skb, 0, &to, sizeof(to)) || to & 1)
		return 0;
	if (packet->hook == ABI_INGRESS &&
		(is_inside(packet) || !address_is_own(&packet->destination, packet->ifindex)))
		return 0;
	return address_is_of_one(&packet->source) && address_is_of_one(&packet->destination);
}

static __always_inline int answer_is_due(const struct packet *packet)
{
	struct abi_share *share = share_of(packet->ifindex);

	if (!share)
		return 0;
	if (clock_passed(share->answers_since_ns, ANSWERS_NS)) {
		share->answers_since_ns = clock_now_ns();
		share->answers = 0;
	}
	return __sync_fetch_and_add(&share->answers, 1) < ANSWERS_MAX;
}

/* The verdict of a refused packet that has been counted: on its way back, or dropped. Packet
 * pointers are not valid behind it. */
static __noinline int answer(struct __sk_buff *skb, const struct packet *packet)
{
	int failed;

	if (!answer_is_owed(skb, packet))
		return PACKET_REFUSE;
	if (answer_is_due(packet)) {
		if (packet->protocol == IPPROTO_TCP)
			failed = answer_by_reset(skb, packet);
		else
			failed = answer_by_icmp(skb, packet);
		if (!failed) {
			skb->mark = ABI_ANSWER_MARK;
			return bpf_redirect(skb->ifindex,
				packet->hook == ABI_EGRESS && !is_inside(packet) ? 0
										 : BPF_F_INGRESS);
		}
	}
	loss_count(ABI_LOSS_ANSWER);
	return PACKET_REFUSE;
}
