/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The connection map: who talks to whom, since the agent started. Events carry a connection's
 * counters so far; connections are remembered, so that each packet counts once: with the first
 * event after it but the beginning.
 */
#pragma once

#include "flow/record.h"
#include "flow/tally.h"

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

struct map;

int map_new(size_t edges_max, size_t connections_max, struct map **ret);
void map_free(struct map *map);
/* Tells observer of each addition to an edge: what this record adds to those before it. Additions
 * reach it even where the map has no room for the edge. */
void map_observe(struct map *map,
	void (*observer)(const struct record *record, uint64_t connections,
		const uint64_t packets[static 2], const uint64_t bytes[static 2], void *userdata),
	void *userdata);
/* What map_add() will need is on its way from memory when these return: first where to look for the
 * connection, and when that is there, the connection. */
void map_fetch_place(const struct map *map, const struct flow_event *event);
void map_fetch_connection(const struct map *map, const struct flow_event *event);
/* false: it is counted, but nobody needs to read it: an update of a connection that had a record
 * within the last 10 seconds, or without a packet since; but once that nobody answered it. */
bool map_add(struct map *map, const struct record *record);
/* Calls visit for each edge, from the longest idle to the latest. */
void map_for_each(const struct map *map,
	void (*visit)(const struct tally *edge, size_t active, void *userdata), void *userdata);
/* {"edges", "evicted", "turned_away", "connections", "connections_untracked",
 * "connections_forgotten"} */
json_t *map_describe(const struct map *map);

static inline void map_freep(struct map **map)
{
	map_free(*map);
}
