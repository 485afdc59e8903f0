/* SPDX-License-Identifier: GPL-2.0-or-later */
/* From the kernel's connections and denials to flow events. Pure. */
#pragma once

#include "flow/event.h"
#include "xdp/abi.h"

#include <stdint.h>

/* What it takes besides the entry itself. */
struct flow_context {
	uint64_t now_ns;             /* CLOCK_BOOTTIME */
	uint64_t realtime_offset_ns; /* CLOCK_REALTIME minus CLOCK_BOOTTIME */
};

struct flow_event flow_of_connection(enum flow_event_type type,
	const struct abi_connection_key *key, const struct abi_connection *connection,
	const struct flow_context *context);

/* packets, bytes: those to be reported. sequence: any number that no other refusal of the same
 * millisecond has. */
struct flow_event flow_of_denial(const struct abi_denial_key *key, const struct abi_denial *denial,
	uint64_t packets, uint64_t bytes, uint32_t sequence, const struct flow_context *context);

struct flow_event flow_of_loss(uint64_t lost, const struct flow_context *context);

/* How long this connection may be idle before it is over. */
uint64_t connection_idle_limit_ns(const struct abi_connection_key *key,
	const struct abi_connection *connection, const struct abi_configuration *configuration);
