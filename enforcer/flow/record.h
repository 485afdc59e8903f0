/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A flow event with the names of its time. It stays this compact structure for as long as nobody
 * asks for it; record_write() is the only place that knows how a record looks as JSON.
 */
#pragma once

#include "flow/event.h"
#include "flow/name.h"
#include "flow/observation.h"
#include "flow/writer.h"

#include <jansson.h>
#include <stdint.h>

#define RECORD_SCHEMA 1

struct record {
	struct flow_event event;
	struct name *source; /* all four are references; NULL: nothing is known */
	struct name *destination;
	struct name *rule;
	struct name *interface;
	struct flow_observation observed; /* its names are references, too */
};

void record_clear(struct record *record);
/* References the names anew. */
struct record record_copy(const struct record *record);

/* Appends the record as one JSON line with its newline, as described in control/API.md. */
void record_write(const struct record *record, const struct name *node, struct writer *writer);
/* The same as a JSON value. New reference; NULL: out of memory. scratch is overwritten. */
json_t *record_to_json(
	const struct record *record, const struct name *node, struct writer *scratch);
/* The reverse. Members that are missing or make no sense are left zero; -EINVAL: no object. */
int record_from_json(const json_t *json, struct record *ret);

/* One end alone: {"ip", "port", "mac", …names}. */
enum record_end {
	RECORD_SOURCE,
	RECORD_DESTINATION
};
void record_write_end(const struct record *record, enum record_end end, struct writer *writer);
