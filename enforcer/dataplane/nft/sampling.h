/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Beginnings of packets for whoever wants to know what is spoken: a table of its own, whose chains
 * come behind those that judge and log to an NFLOG group of its own, so many a second and no more.
 *
 * What is no UDP pays for one chain with one rule; with connections wanted, for one rule more.
 */
#pragma once

#include "dataplane/dataplane.h"

#include <stdint.h>
#include <systemd/sd-event.h>

struct sampling;

/* Takes away what an earlier agent left, and makes the table anew where options want samples: else
 * *ret is NULL, which all functions below take. options and callbacks are borrowed. */
int sampling_open(const struct dataplane_options *options,
	const struct dataplane_callbacks *callbacks, sd_event *event, struct sampling **ret,
	struct error *error);
void sampling_free(struct sampling *sampling);
/* Hands what is there to callbacks.sample. */
void sampling_drain(struct sampling *sampling);
/* Makes the table anew where somebody removed it. */
int sampling_hold(struct sampling *sampling, struct error *error);
/* How many packets nobody looked into: beyond so many a second, or without room in the socket. */
uint64_t sampling_lost(const struct sampling *sampling);
/* Removes the table, if it is there. */
int sampling_remove(struct error *error);
