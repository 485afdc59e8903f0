/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Walks the connections: reports how they go on, ends and deletes those that are over. The kernel
 * deletes only where the table is full, so that no packet pays for it.
 */
#pragma once

#include "base/error.h"
#include "dataplane/bpf/batch.h"
#include "dataplane/bpf/interfaces.h"
#include "dataplane/bpf/report.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct sweep {
	const struct objects *objects;
	const struct interfaces *interfaces;
	struct report *report;
	struct walk walk;
	uint64_t pass_ns;      /* when the walk that is under way began; 0: none is */
	uint64_t last_pass_ns; /* and the one before */
	uint64_t collected_ns; /* until when all counters are reported */
	size_t seen;           /* in this pass */
	size_t connections;    /* there were at the end of the last pass */
};

void sweep_init(struct sweep *sweep, const struct objects *objects,
	const struct interfaces *interfaces, struct report *report);
/* One step: a bounded part of the table, going on where the last step stopped. */
int sweep_step(struct sweep *sweep, struct error *error);
/* The whole table: every connection whose counters have changed since the last of these gets an
 * UPDATE. */
int sweep_collect(struct sweep *sweep, struct error *error);
void sweep_clear(struct sweep *sweep);
