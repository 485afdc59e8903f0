/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The flow store: who talked to whom, a month later. Sums of each edge (source, destination,
 * protocol, port, verdict, reason, direction, rule) for every minute, hour and day, in SQLite.
 *
 * A thread of its own writes, so that a slow disk delays nobody; until it has, up to
 * STORE_PENDING_MAX sums wait in memory, and what finds no room is counted. A store that cannot be
 * written is tried again, a damaged one is set aside under another name and begun anew.
 *
 * Workloads are kept by name and labels of their time, the world by address. Times are nanoseconds
 * of CLOCK_REALTIME. All functions belong to the event loop's thread.
 */
#pragma once

#include "base/error.h"
#include "flow/filter.h"
#include "flow/record.h"
#include "flow/tally.h"

#include <jansson.h>
#include <stdint.h>
#include <systemd/sd-event.h>

#define STORE_PENDING_MAX 65536

struct flow_store;

struct flow_store_options {
	const char *path;        /* of the database; copied */
	uint64_t retention_ns;   /* what is older goes */
	uint64_t size_bytes_max; /* beyond it the oldest minutes go first, then hours, then days */
};

/* 0, -ENOMEM or what starting a thread gives. What is wrong with the file shows in
 * flow_store_describe(). */
int flow_store_new(
	const struct flow_store_options *options, sd_event *event, struct flow_store **ret);
/* Writes what waits. */
void flow_store_free(struct flow_store *store);

/* Adds to the record's edge in the present minute. Never fails: see above. */
void flow_store_add(struct flow_store *store, const struct record *record, uint64_t connections,
	const uint64_t packets[static 2], const uint64_t bytes[static 2]);
/* The id that records have of the event's connection: an earlier agent's, where it was on file when
 * the store was opened. */
uint64_t flow_store_record_id(const struct flow_store *store, const struct flow_event *event);
/* Returns when all that was added is on file. 0, or why it is not. */
int flow_store_flush(struct flow_store *store, struct error *error);

/*
 * Visits each edge that matches and had traffic between the filter's since and until, with its sums
 * of that time; times are rounded to what is kept. The tally and its names live until the next
 * call. 0, -ENOENT: no store (yet), -ETIME: took too long, or what SQLite says, in error.
 */
int flow_store_for_each(struct flow_store *store, const struct flow_filter *filter,
	void (*visit)(const struct tally *edge, void *userdata), void *userdata,
	struct error *error);

/* {"path", "ready", "bytes", "pending", "turned_away", "failures", "error": null|"…", "set_aside":
 * null|"path"}
 */
json_t *flow_store_describe(struct flow_store *store);

/* As flow_log_problem(), and where a damaged file was set aside. */
void flow_store_problem(struct flow_store *store, char **ret_error, char **ret_set_aside,
	uint64_t *ret_turned_away);

static inline void flow_store_freep(struct flow_store **store)
{
	flow_store_free(*store);
}
