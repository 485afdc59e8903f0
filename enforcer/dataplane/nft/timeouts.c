/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "dataplane/nft/timeouts.h"

#include "base/cleanup.h"
#include "base/setting.h"

#include <netinet/in.h>

#include <stddef.h>
#include <stdio.h>

#define PATH_MAX_BYTES 96

static uint32_t read_timeout(const char *name)
{
	char path[PATH_MAX_BYTES];
	int seconds;

	snprintf(path, sizeof(path), "/proc/sys/net/netfilter/nf_conntrack_%s", name);
	seconds = setting_read(path);
	return seconds > 0 ? (uint32_t)seconds : 0;
}

void timeouts_read(struct timeouts *ret)
{
	static const char *const tcp[] = {
		[TCP_CONNTRACK_SYN_SENT] = "tcp_timeout_syn_sent",
		[TCP_CONNTRACK_SYN_RECV] = "tcp_timeout_syn_recv",
		[TCP_CONNTRACK_ESTABLISHED] = "tcp_timeout_established",
		[TCP_CONNTRACK_FIN_WAIT] = "tcp_timeout_fin_wait",
		[TCP_CONNTRACK_CLOSE_WAIT] = "tcp_timeout_close_wait",
		[TCP_CONNTRACK_LAST_ACK] = "tcp_timeout_last_ack",
		[TCP_CONNTRACK_TIME_WAIT] = "tcp_timeout_time_wait",
		[TCP_CONNTRACK_CLOSE] = "tcp_timeout_close",
	};

	*ret = (struct timeouts){
		.udp = read_timeout("udp_timeout"),
		.udp_stream = read_timeout("udp_timeout_stream"),
		.icmp = read_timeout("icmp_timeout"),
		.icmpv6 = read_timeout("icmpv6_timeout"),
	};
	for (size_t i = 0; i < ARRAY_SIZE(tcp); i++)
		if (tcp[i])
			ret->tcp[i] = read_timeout(tcp[i]);
}

uint32_t timeouts_of(
	const struct timeouts *timeouts, uint8_t protocol, uint8_t tcp_state, bool assured)
{
	switch (protocol) {
	case IPPROTO_TCP:
		return tcp_state < ARRAY_SIZE(timeouts->tcp) ? timeouts->tcp[tcp_state] : 0;
	case IPPROTO_UDP:
		return assured ? timeouts->udp_stream : timeouts->udp;
	case IPPROTO_ICMP:
		return timeouts->icmp;
	case IPPROTO_ICMPV6:
		return timeouts->icmpv6;
	default:
		return 0;
	}
}
