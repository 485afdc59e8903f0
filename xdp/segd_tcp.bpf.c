// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * How well TCP connections go, as the sockets at their ends have it: the smoothed round-trip time
 * (RFC 6298) and how many segments were sent again. Sockets are asked when the handshake is
 * complete, at each retransmission and when they close, so no packet pays for it. Sockets
 * elsewhere, and those of workloads with a TCP of their own, cannot be asked.
 *
 * A socket is matched by its addresses and ports alone. Whoever may make network namespaces on the
 * node can make one with a neighbour's addresses in it and lie about these two figures; nothing is
 * decided by them.
 */
#include "xdp/connection_table.bpf.h"

char LICENSE[] SEC("license") = "GPL";

/* What we read of the kernel's structures, which lie elsewhere in each kernel. */
struct sock_common {
	__be32 skc_daddr;
	__be32 skc_rcv_saddr;
	__be16 skc_dport;
	__u16 skc_num; /* host order */
	unsigned short skc_family;
	struct in6_addr skc_v6_daddr;
	struct in6_addr skc_v6_rcv_saddr;
} __attribute__((preserve_access_index));

struct sock {
	struct sock_common __sk_common;
} __attribute__((preserve_access_index));

struct tcp_sock {
	__u32 srtt_us; /* in eighths */
	__u32 total_retrans;
} __attribute__((preserve_access_index));

#define FAMILY_INET  2
#define FAMILY_INET6 10

/* As a segment that the socket sends. */
static __always_inline int socket_packet(const struct sock *sk, struct packet *packet)
{
	const struct sock_common *common = &sk->__sk_common;

	switch (common->skc_family) {
	case FAMILY_INET:
		address_from_ipv4(&packet->source, common->skc_rcv_saddr);
		address_from_ipv4(&packet->destination, common->skc_daddr);
		break;
	case FAMILY_INET6: /* IPv4 is mapped there, too */
		address_from_ipv6(&packet->source, common->skc_v6_rcv_saddr.in6_u.u6_addr32);
		address_from_ipv6(&packet->destination, common->skc_v6_daddr.in6_u.u6_addr32);
		break;
	default:
		return 0;
	}
	packet->source_port_be = bpf_htons(common->skc_num);
	packet->destination_port_be = common->skc_dport;
	packet->protocol = IPPROTO_TCP;
	return 1;
}

static __always_inline void note(const struct sock *sk)
{
	const struct tcp_sock *tcp = bpf_skc_to_tcp_sock((void *)sk);
	struct abi_connection *connection;
	struct packet packet = {};
	__u32 sender;

	if (!tcp || !socket_packet(sk, &packet))
		return;
	connection_key(&packet);
	connection = bpf_map_lookup_elem(&connections, &packet.key);
	if (!connection)
		return;
	sender = connection_sender(connection, &packet) & 1;
	connection->round_trip_us[sender] = (tcp->srtt_us + 7) >> 3;
	connection->retransmissions[sender] = tcp->total_retrans;
}

/* (socket, old state, new state) */
SEC("tp_btf/inet_sock_set_state")
int segd_tcp_state(const __u64 *arguments)
{
	const int state = (int)arguments[2];

	if (state == BPF_TCP_ESTABLISHED || state == BPF_TCP_CLOSE)
		note((const struct sock *)arguments[0]);
	return 0;
}

/* (socket, segment, …) */
SEC("tp_btf/tcp_retransmit_skb")
int segd_tcp_retransmit(const __u64 *arguments)
{
	note((const struct sock *)arguments[0]);
	return 0;
}
