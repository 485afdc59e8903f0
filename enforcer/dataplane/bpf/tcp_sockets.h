/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The programs that write into connections what the sockets at their ends say (xdp/segd_tcp.bpf.c).
 * They run as long as this is open, and enforcement does not need them.
 */
#pragma once

#include "base/error.h"
#include "dataplane/bpf/objects.h"

#define TCP_SOCKETS_PROGRAMS 2

struct tcp_sockets {
	int links[TCP_SOCKETS_PROGRAMS];
	char *missing; /* owned; why nobody asks the sockets; NULL: they are asked */
};

#define TCP_SOCKETS_INIT            \
	{                           \
		.links = { -1, -1 } \
	}

/* Where the kernel has no types to go by, or forbids it, missing says so, and that is no failure.
 */
void tcp_sockets_open(struct tcp_sockets *sockets, const struct objects *objects);
void tcp_sockets_close(struct tcp_sockets *sockets);
