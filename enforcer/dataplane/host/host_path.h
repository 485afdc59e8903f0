/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The way of a packet through table inet segd_host, as far as no policy changes it.
 *
 *	input, output: loopback, what is established, errors, what IPv6 cannot live without and the
 *	               failsafe ports go on -> judge-ingress, judge-egress
 *	judge-…: invalid -> refuse-invalid; TCP in mid-stream -> mid-stream;
 *	         host-ingress, host-egress by address family -> chain of the node's peer table
 *
 * Order of hooks: what the node sends to a workload is judged here before the workload's ingress in
 * table inet segd, what a workload sends to the node after the workload's egress there. So a packet
 * that both ends refuse is refused for its source, as the evaluator has it. With the eBPF programs
 * that order comes by itself: they sit on the workload's veth.
 *
 * Always let through: ICMP 3, 11, 12 (errors); ICMPv6 1 to 4 (errors), 130 to 132 and 143
 *(multicast listeners), 133 to 136 (routers and neighbours). See RFC 4890, 4.4.1.
 */
#pragma once

#include "dataplane/host/failsafe.h"
#include "dataplane/nft/ruleset.h"
#include "dataplane/nft/table.h"

extern const struct table_kind table_of_host;

/* The failsafe ports as sets of the plan. 0 or -ENOMEM. */
int host_path_plan_failsafe(struct ruleset *plan, const struct failsafe *failsafe);
