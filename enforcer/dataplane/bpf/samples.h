/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The ring buffer of payloads. Nobody is woken for it: it is read before the events are, and with
 * each tick. */
#pragma once

#include "base/error.h"
#include "dataplane/bpf/objects.h"
#include "dataplane/bpf/report.h"
#include "dataplane/bpf/ring.h"

struct samples {
	struct report *report;
	struct ring ring; /* not open: the programs take none */
};

int samples_open(struct samples *samples, const struct objects *objects, struct error *error);
/* Hands all that is there to callbacks.sample; after report_now(). */
void samples_drain(struct samples *samples);
void samples_close(struct samples *samples);
