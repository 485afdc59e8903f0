/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Table netdev segd_lock. For each interface N (its index) of a workload:
 *
 *	leaves-N (ingress, behind the program there) -> marked-MASK: what has the mark goes on, the
 *	rest is counted by interface, and dropped;
 *	enters-N (egress, before the program there) -> seal: spoils the first four bits behind the
 *	Ethernet header, which the program puts right again (xdp/abi.h).
 *
 * Sealed are IPv4, IPv6 and ARP, as the kernel took them behind tags that it holds apart; a packet
 * with another version in its header than its type says is left for the receiver to drop. Sealing
 * comes last at its hook, so that rules of others still read the packet.
 */
#pragma once

#include "dataplane/nft/batch.h"

#include <stddef.h>
#include <stdint.h>

#define LOCK_TABLE "segd_lock"

#define LOCK_RULES_FIXED     ((size_t)6) /* of the table without interfaces */
#define LOCK_RULES_INTERFACE ((size_t)2) /* and for each */

/* A batch for the table. 0 or -ENOMEM, as all here. */
int lock_layout_begin(struct batch **ret);
/* The table, empty, whatever there was. */
int lock_layout_write_new(struct batch *batch);
int lock_layout_write_removal(struct batch *batch);
/* What is there before any interface. */
int lock_layout_write_fixed(struct batch *batch, uint32_t mark);
int lock_layout_write_interface(
	struct batch *batch, uint32_t ifindex, const char *name, uint32_t mark);
int lock_layout_write_interface_removal(struct batch *batch, uint32_t ifindex);

/* The index in the name of an interface's chain, or 0. */
uint32_t lock_layout_interface(const char *chain);
/* The mark in the name of the chain that looks for it, or 0. */
uint32_t lock_layout_mark(const char *chain);
