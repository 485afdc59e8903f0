/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Refusals, from the kernel's counting sets and its log to flow events.
 *
 * The log brings the first packet of each kind, with MAC addresses, interface and rule; all counts
 * come from the sets, whenever they are collected: collecting takes them out (counts.h), so an
 * agent that was killed reports nothing twice when it is back. Where a set is full, packets are
 * counted by protocol alone (port 0), and where that is full, too, as lost to the log (FLOW_GAP);
 * so are those of a burst that makes elements faster than the kernel finds memory for their
 * counters.
 */
#pragma once

#include "base/error.h"
#include "dataplane/dataplane.h"
#include "dataplane/nft/nflog.h"

#include <stddef.h>
#include <stdint.h>
#include <systemd/sd-event.h>

struct refusals;

struct refusals_options {
	const char *table; /* borrowed for good */
	uint16_t nflog_group;
	const struct dataplane_callbacks *callbacks;
	/* A packet in mid-stream whose address is under adoption. True: it is none of ours to
	 * count. */
	bool (*adopt)(const struct nflog_packet *packet, void *userdata);
	void *userdata;
};

int refusals_open(const struct refusals_options *options, sd_event *event, struct refusals **ret,
	struct error *error);
void refusals_free(struct refusals *refusals);

/* What explains refusals that the log did not. Borrowed until the next call. */
void refusals_set_ir(struct refusals *refusals, const struct ir *ir);

/* Reports what has been refused up to now. */
int refusals_collect(struct refusals *refusals, struct error *error);
/* The same, and forgets all kinds: what comes now is refused by other rules. */
int refusals_drain(struct refusals *refusals, struct error *error);

/* As refusals_collect(), the first time: what it finds was refused while no agent ran. */
int refusals_inherit(struct refusals *refusals, struct error *error);
uint64_t refusals_inherited(const struct refusals *refusals); /* packets of those */

/* Refusals by number alone, since no element was free for them. */
uint64_t refusals_overflow(const struct refusals *refusals);
/* Refusals without details, since the log's socket had no room. Their counts are not lost. */
uint64_t refusals_log_lost(const struct refusals *refusals);

/* Tells of count kinds of refusals behind the first so many. 1: there are more; 0: these were the
 * last. */
int refusals_dump(const struct refusals *refusals, size_t first, size_t count,
	void (*visit)(const struct dump_flow *flow, void *userdata), void *userdata);

/* Kinds of refusals that are being counted. */
size_t refusals_count(const struct refusals *refusals);

static inline void refusals_freep(struct refusals **refusals)
{
	refusals_free(*refusals);
}
