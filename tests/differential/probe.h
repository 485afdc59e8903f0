/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One packet that opens a connection: what is sent, what should become of it, what was seen. */
#pragma once

#include "flow/event.h"
#include "policies/evaluate.h"
#include "scenario.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* Neither of the protocols that have ports nor ICMP (RFC 3692). */
#define PROBE_OTHER_PROTOCOL 253

struct probe {
	uint32_t number; /* in the packet's tag */
	unsigned int from;
	unsigned int to;
	struct flow_query query;
	uint16_t source_port; /* or ICMP's identifier; no two of a model have the same */
	struct evaluation expected;
	bool expects_reply;      /* by the receiver's kernel, once it has arrived */
	bool expects_connection; /* reported by the data plane, if it is allowed */

	bool arrived;
	bool replied;
	unsigned int denials;
	struct flow_event denial;
	unsigned int connections;
	struct flow_event connection;
};

/*
 * Draws up to count probes that differ in more than their source port: refusals are told apart by
 * the rest. Numbers and source ports count from first. Returns how many it found.
 */
size_t probes_draw(struct scenario *scenario, uint32_t first, struct probe *probes, size_t count);

/* Notes an event that speaks of the probe. */
void probe_take_event(struct probe *probe, const struct flow_event *event);

/* Nothing more needs to happen before it can be compared. */
bool probe_is_settled(const struct probe *probe);

/* "p3 10.77.0.5 -> p1 10.77.0.3 tcp/80" */
void probe_print(const struct probe *probe, FILE *stream);
