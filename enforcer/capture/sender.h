/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a workload may send at all, before any policy is asked: as source.bpf.h and neighbour.bpf.h.
 */
#pragma once

#include "base/address.h"
#include "capture/packet.h"

#include <stddef.h>
#include <stdint.h>

/* The workload behind the interface that a packet came out of. */
struct judge_sender {
	uint8_t mac[6];
	const struct address *addresses;
	size_t addresses_count;
};

/* The MAC is known to be the sender's. 0: nothing is wrong; else of enum reason: why it is refused.
 */
int sender_check(const struct capture_packet *packet, const struct judge_sender *sender);
