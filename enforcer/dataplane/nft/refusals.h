/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Refusals, from the kernel's counting sets and its log to flow events.
 *
 * The log brings the first packet of each kind, with MAC addresses, interface and rule; all counts
 * come from the sets, whenever they are collected. Where a set is full, packets are counted by
 * protocol alone (port 0), and where that is full, too, as lost to the log (FLOW_GAP); so are those
 * of a burst that makes elements faster than the kernel finds memory for their counters. An element
 * that has been idle for a minute is deleted, and the kernel's notification of the deletion carries
 * its last count: nothing is lost between reading and deleting.
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

/* Reports what has been refused up to now, and deletes idle elements. */
int refusals_collect(struct refusals *refusals, struct error *error);
/* The same, and deletes all: what comes now is refused by other rules. */
int refusals_drain(struct refusals *refusals, struct error *error);

/* The table is gone, and its counts with it: those of the next begin at 0. */
void refusals_restart(struct refusals *refusals);

/* Kinds of refusals that are being counted. */
size_t refusals_count(const struct refusals *refusals);

static inline void refusals_freep(struct refusals **refusals)
{
	refusals_free(*refusals);
}
