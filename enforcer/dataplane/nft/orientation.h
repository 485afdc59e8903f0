/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Who opened a TCP connection that is first seen in mid-stream. The packet does not say, but the
 * ports may (xdp/client_port.h), or who listens at them. Where nothing does, and policy allows one
 * way alone, that way counts only if a policy's rule names it: else what policy refuses would pass
 * as a connection of the other direction, which no policy binds. The eBPF programs do the same
 * (xdp/track.bpf.h).
 */
#pragma once

#include "policies/evaluate.h"
#include "xdp/client_port.h"

/*
 * queries, evaluations: as the packet was sent, and the other way round. client: who that is, as
 * far as it is known. Which of the two it is; where it is not allowed, whose refusal that is.
 */
int orientation_choose(const struct flow_query queries[static 2],
	const struct evaluation evaluations[static 2], enum client_end client);
