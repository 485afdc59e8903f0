/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Table inet segd: the names in it, and the part that is there before any policy. */
#pragma once

#include "dataplane/nft/batch.h"
#include "dataplane/nft/set.h"
#include "policies/ir.h"

#include <stdbool.h>
#include <stdint.h>

#define LAYOUT_TABLE "segd"
/* Raised with every change of what is written here or of how names are made. */
#define LAYOUT_VERSION 9U

/* Fixed sets: TCP, UDP and SCTP; ICMP and ICMPv6; neighbour solicitation and advertisement. */
#define LAYOUT_TRANSPORTS          "transports"
#define LAYOUT_ICMP_PROTOCOLS      "icmp-protocols"
#define LAYOUT_NEIGHBOUR_DISCOVERY "neighbour-discovery"

/* Maps and sets that every policy state fills: the chain of a subject by its address, the addresses
 * of all subjects, pairs of addresses of one workload. */
const char *layout_dispatch_map(enum direction direction, bool ipv4);
const char *layout_workloads(bool ipv4);
const char *layout_self(bool ipv4);
/* All addresses that the IR knows by themselves, where some chain asks. Shape as of workloads. */
const char *layout_addresses(bool ipv4);
/* Of these, the node's own, likewise. */
const char *layout_node(bool ipv4);
const struct shape *layout_dispatch_shape(bool ipv4);
const struct shape *layout_workloads_shape(bool ipv4);
const struct shape *layout_self_shape(bool ipv4);

/* Likewise in the node's own table: the chain of its peer table by address family, and ports that
 * no policy can cut, by protocol and port. */
#define LAYOUT_HOST_TABLE "segd_host"
const char *layout_host_map(enum direction direction);
const char *layout_failsafe(enum direction direction);

/* Addresses whose connections may be taken in mid-stream, each with its timeout. */
const char *layout_adopting(bool ipv4);

/* A fixed set of one-byte values. 0 or -ENOMEM. */
int layout_write_bytes(struct batch *batch, const char *name, enum field field,
	const uint8_t *bytes, size_t count);

/* A counter that rules name. 0 or -ENOMEM. */
int layout_write_counter(struct batch *batch, const char *name);
/* Only the table with its comment. 0 or -ENOMEM. */
int layout_write_table(struct batch *batch, const char *comment);
/* The table with its comment, counters, sets and refusal chains. 0 or -ENOMEM. */
int layout_write(struct batch *batch, const char *comment, uint16_t nflog_group);
