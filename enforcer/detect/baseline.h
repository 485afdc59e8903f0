/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What each role is used to do: to which roles, entities and networks it connects for which
 * service, on how many days. Learnt from connections that were answered.
 *
 * An attack must not become the baseline by lasting: what took part in an alert is held back until
 * somebody acknowledges the alert, and what a suspect begins is not learnt.
 *
 * Bounded: roles and edges that were idle for longest make room, counted. A role that talks to many
 * networks outside for one service is used to the world for that service, and no more networks are
 * kept.
 */
#pragma once

#include "flow/record.h"

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct baseline;

struct baseline_options {
	size_t roles_max;
	size_t edges_max; /* of all roles */
	size_t held_max;
	uint64_t learning_ns; /* from the first record of a role */
};

int baseline_new(const struct baseline_options *options, struct baseline **ret);
void baseline_free(struct baseline *baseline);

/* Many questions about this record follow, until the next call; NULL: no more. It must not change
 * meanwhile. */
void baseline_look(const struct baseline *baseline, const struct record *record);

/* See detector.h. */
unsigned int baseline_edge_days(const struct baseline *baseline, const struct record *record);
bool baseline_has_learnt(const struct baseline *baseline, const struct record *record);

/* suspect: who does it teaches nothing that is new. */
void baseline_learn(struct baseline *baseline, const struct record *record, bool suspect);
/* What the record shows would be learnt as something new. */
bool baseline_is_new(const struct baseline *baseline, const struct record *record);

/* The record took part in an alert: its edge is held back, unless it was known before. What was
 * learnt since then (a detector may have waited to see whether it is answered) is forgotten. */
void baseline_hold(struct baseline *baseline, const struct record *record, const char *alert_id);
/* An alert that began at first_ns is raised about who does this: what his role began since then is
 * forgotten. */
void baseline_retract(struct baseline *baseline, const struct record *record, uint64_t first_ns);
/* The alert is acknowledged: what it was about may be learnt. */
void baseline_release(struct baseline *baseline, const char *alert_id);

/* What was learnt of a role, and what was held back of it. role NULL: all. How many roles were
 * forgotten. */
size_t baseline_forget(struct baseline *baseline, const char *role);

/* {"roles": [{"role", "first", "last", "learnt", "edges": [{"peer", "service", "days", "first",
 * "last"}…]}…]}, at now_ns; without edges where role is NULL. New reference. */
json_t *baseline_to_json(const struct baseline *baseline, const char *role, uint64_t now_ns);
/* {"roles", "edges", "held", "size", "evicted", …}. New reference. */
json_t *baseline_describe(const struct baseline *baseline);

/* One JSON line for each role, edge and held edge, so that a large one never is a tree. */
void baseline_write(const struct baseline *baseline, struct writer *writer);
/* -EBADMSG: no line of it; -ENOMEM. */
int baseline_read_line(struct baseline *baseline, const char *line, size_t length);

static inline void baseline_freep(struct baseline **baseline)
{
	baseline_free(*baseline);
}
