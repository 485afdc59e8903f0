/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What of a TCP connection got lost on its way. */
#pragma once

#include <linux/tcp.h>
#include <netinet/in.h>
#include <stdint.h>
#include <sys/socket.h>

/* The number that an echo server answers over a stream with what its own end has lost. */
#define LOST_QUESTION UINT64_MAX

/* Segments that fd's end has sent again, but for those that the other end had already and said so
 * (RFC 2883): on a busy machine an acknowledgement may take longer than the sender has patience.
 * Its word may be under way still. */
static inline unsigned int lost_segments(int fd)
{
	struct tcp_info information = {0};
	socklen_t length = sizeof(information);

	getsockopt(fd, IPPROTO_TCP, TCP_INFO, &information, &length);
	return information.tcpi_total_retrans - information.tcpi_dsack_dups;
}
