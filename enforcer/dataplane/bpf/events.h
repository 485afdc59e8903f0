/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The ring buffer: connections as they begin, and hints that there are denials to collect. */
#pragma once

#include "base/error.h"
#include "dataplane/bpf/report.h"
#include "dataplane/bpf/ring.h"
#include "dataplane/bpf/samples.h"
#include "dataplane/rest.h"

#include <stdbool.h>
#include <systemd/sd-event.h>

struct events {
	struct report *report;
	struct samples *samples;        /* which are told first */
	void (*denied)(void *userdata); /* there are new denials */
	void *userdata;
	struct ring ring;
	sd_event_source *source;
	struct rest rest;
	unsigned int budget; /* what may still be read in this turn of the event loop */
	bool hinted;
};

/* map: the ring buffer. What an agent before did not read comes first. */
int events_open(struct events *events, int map, sd_event *event, struct error *error);
/* Reads all that is there now. */
int events_drain(struct events *events, struct error *error);
void events_close(struct events *events);
