/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Who opened a TCP connection that is first seen in mid-stream. The packet does not say, but the
 * ports may (xdp/client_port.h). Where they do not, and policy allows one way alone, that way
 * counts only if a policy's rule names it: else what policy refuses would pass as a connection of
 * the other direction, which no policy binds. The eBPF programs do the same (xdp/track.bpf.h).
 */
#pragma once

#include "policies/evaluate.h"

#include <stdbool.h>
#include <stdint.h>

/*
 * queries, evaluations: as the packet was sent, and the other way round. lower_port_serves: where
 * the ports do not tell, it is a connection to the lower port, and in no other way. Which of the
 * two it is; where it is not allowed, whose refusal that is.
 */
int orientation_choose(const struct flow_query queries[static 2],
	const struct evaluation evaluations[static 2], bool lower_port_serves);
