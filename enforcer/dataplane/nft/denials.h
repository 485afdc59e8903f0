/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Refusals, from the kernel's counting sets and its log to flow events.
 *
 * The log brings the first packet of each kind at once, with MAC addresses, interface and rule; the
 * sets bring exact totals whenever they are collected. An element that has been idle for a minute
 * is deleted, and the kernel's notification of the deletion carries its last count: nothing is lost
 * between reading and deleting.
 */
#pragma once

#include "base/error.h"
#include "dataplane/dataplane.h"
#include "dataplane/nft/nflog.h"

#include <stddef.h>
#include <stdint.h>
#include <systemd/sd-event.h>

struct denials;

struct denials_options {
	uint16_t nflog_group;
	const struct dataplane_callbacks *callbacks;
	/* A packet in mid-stream whose address is under adoption. True: it is none of ours to
	 * count. */
	bool (*adopt)(const struct nflog_packet *packet, void *userdata);
	void *userdata;
};

int denials_open(const struct denials_options *options, sd_event *event, struct denials **ret,
	struct error *error);
void denials_free(struct denials *denials);

/* What explains refusals that the log did not. Borrowed until the next call. */
void denials_set_ir(struct denials *denials, const struct ir *ir);

/* Reports what has been refused up to now, and deletes idle elements. */
int denials_collect(struct denials *denials, struct error *error);
/* The same, and deletes all: what comes now is refused by other rules. */
int denials_drain(struct denials *denials, struct error *error);

/* Kinds of refusals that are being counted. */
size_t denials_count(const struct denials *denials);

static inline void denials_freep(struct denials **denials)
{
	denials_free(*denials);
}
