/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * When there is no room to remember one more connection, nothing of it is counted until one of its
 * later events finds room; its end needs none. So each connection is counted once and in full,
 * only later. Of one that begins nothing is counted but that it does; its packets are with its next
 * event. A connection whose end was lost is forgotten when it was silent for a day and its
 * place is needed.
 */
#include "flow/map.h"

#include "base/large_hash.h"
#include "flow/protocol.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <utlist.h>

#define SILENT_NS (24ULL * 3600 * 1000000000)
#define UPDATE_NS 10000000000ULL /* between two records of one connection that goes on */
#define ANSWER_NS 1500000000ULL  /* within which most answers come */

struct connection {
	UT_hash_handle hh; /* beside the key: both are read of whichever one is met on the way */
	uint64_t id;
	uint64_t packets[2]; /* as of its last event */
	uint64_t bytes[2];
	uint64_t seen_ns;
	uint64_t recorded_ns; /* time of its last record */
	bool told_unanswered;
	bool uncounted;                 /* nothing is counted but that it has begun */
	struct tally *edge;             /* NULL: evicted; its next event makes a new one */
	struct connection *prev, *next; /* from the longest silent to the latest */
	struct connection *edge_prev, *edge_next; /* of one edge */
};

/* What an edge owns that had connections under way. */
struct active {
	struct connection *connections;
	size_t count;
};

struct map {
	struct tally_table edges;
	struct connection *connections;
	struct connection *by_age;
	size_t connections_max;
	uint64_t untracked; /* events that were put off for lack of room */
	uint64_t forgotten;
	void (*observer)(const struct record *record, uint64_t connections,
		const uint64_t packets[static 2], const uint64_t bytes[static 2], void *userdata);
	void *observer_data;
};

static void leave_edge(struct connection *connection)
{
	struct active *active;

	if (!connection->edge)
		return;
	active = connection->edge->owned;
	DL_DELETE2(active->connections, connection, edge_prev, edge_next);
	active->count--;
	connection->edge = NULL;
}

/* Without memory it is of none, as if the edge had been evicted. */
static void join_edge(struct connection *connection, struct tally *edge)
{
	struct active *active = edge->owned;

	if (!active)
		active = edge->owned = calloc(1, sizeof(*active));
	if (!active)
		return;
	DL_APPEND2(active->connections, connection, edge_prev, edge_next);
	active->count++;
	connection->edge = edge;
}

static void edge_evicted(struct tally *edge, void *userdata)
{
	struct active *active = edge->owned;

	(void)userdata;
	while (active && active->connections)
		leave_edge(active->connections);
	free(active);
}

int map_new(size_t edges_max, size_t connections_max, struct map **ret)
{
	struct map *map = calloc(1, sizeof(*map));

	if (!map)
		return -ENOMEM;
	map->edges.tallies_max = edges_max;
	map->edges.evicted = edge_evicted;
	map->connections_max = connections_max;
	*ret = map;
	return 0;
}

static void forget(struct map *map, struct connection *connection)
{
	leave_edge(connection);
	HASH_DELETE(hh, map->connections, connection);
	DL_DELETE(map->by_age, connection);
	free(connection);
}

void map_free(struct map *map)
{
	if (!map)
		return;
	while (map->by_age)
		forget(map, map->by_age);
	tally_table_clear(&map->edges);
	free(map);
}

static struct tally_key edge_key(const struct record *record)
{
	const struct flow_event *event = &record->event;
	bool ip = protocol_is_ip(event->ethertype);

	return (struct tally_key){
		.source = event->source,
		.destination = event->destination,
		.source_name = record->source,
		.destination_name = record->destination,
		.ethertype = ip ? 0 : event->ethertype,
		.port = ip && protocol_has_ports(event->protocol) ? event->destination_port : 0,
		.protocol = event->protocol,
		.verdict = (uint8_t)event->verdict,
	};
}

/* The one place where traffic is added, each packet once. Returns the edge, with the latest rule
 * and reason; NULL: out of memory. */
static struct tally *count(struct map *map, const struct record *record, uint64_t connections,
	const uint64_t packets[static 2], const uint64_t bytes[static 2])
{
	const struct tally_key key = edge_key(record);
	unsigned int hash = tally_expect(&map->edges, &key);
	struct tally *edge;

	/* While the observer works, the edge's place is on its way from memory. */
	if (map->observer)
		map->observer(record, connections, packets, bytes, map->observer_data);
	edge = tally_touch_expected(&map->edges, &key, hash, record);
	if (!edge)
		return NULL;
	edge->connections += connections;
	tally_add(edge, packets, bytes);
	return edge;
}

void map_observe(struct map *map,
	void (*observer)(const struct record *record, uint64_t connections,
		const uint64_t packets[static 2], const uint64_t bytes[static 2], void *userdata),
	void *userdata)
{
	map->observer = observer;
	map->observer_data = userdata;
}

static struct connection *find_connection(const struct map *map, uint64_t id)
{
	struct connection *connection;

	HASH_FIND(hh, map->connections, &id, sizeof(id), connection);
	return connection;
}

static bool make_room(struct map *map, uint64_t now_ns)
{
	struct connection *oldest = map->by_age;

	if (HASH_COUNT(map->connections) < map->connections_max)
		return true;
	if (!oldest || oldest->seen_ns + SILENT_NS > now_ns)
		return false;
	forget(map, oldest);
	map->forgotten++;
	return true;
}

static struct connection *track(struct map *map, const struct flow_event *event)
{
	struct connection *connection = NULL;

	if (make_room(map, event->time_ns))
		connection = malloc(sizeof(*connection));
	if (!connection)
		return NULL;
	*connection = (struct connection){.id = event->id};
	HASH_ADD(hh, map->connections, id, sizeof(connection->id), connection);
	if (!HASH_ADDED(connection)) {
		free(connection);
		return NULL;
	}
	DL_APPEND(map->by_age, connection);
	return connection;
}

/* Counters that went back belong to a new connection under an old id. */
static void subtract(
	const uint64_t counted[static 2], const uint64_t now[static 2], uint64_t ret[static 2])
{
	for (size_t side = 0; side < 2; side++)
		ret[side] = now[side] >= counted[side] ? now[side] - counted[side] : now[side];
}

/* What the event's counters add to those counted. */
static void take_delta(struct connection *connection, const struct flow_event *event,
	uint64_t packets[static 2], uint64_t bytes[static 2])
{
	static const uint64_t none[2];
	bool uncounted = connection->uncounted;

	connection->uncounted = event->type == FLOW_NEW;
	if (!connection->uncounted) {
		subtract(uncounted ? none : connection->packets, event->packets, packets);
		subtract(uncounted ? none : connection->bytes, event->bytes, bytes);
	}
	memcpy(connection->packets, event->packets, sizeof(connection->packets));
	memcpy(connection->bytes, event->bytes, sizeof(connection->bytes));
}

/* A connection that is over and that was not tracked: its final counters are all there is. */
static void add_whole(struct map *map, const struct record *record)
{
	count(map, record, 1, record->event.packets, record->event.bytes);
}

static void add_to_connection(
	struct map *map, struct connection *connection, const struct record *record, bool first)
{
	const struct flow_event *event = &record->event;
	uint64_t packets[2] = {0}, bytes[2] = {0};
	struct tally *edge;

	take_delta(connection, event, packets, bytes);
	connection->seen_ns = event->time_ns;
	if (event->type != FLOW_END) { /* else it is forgotten next */
		DL_DELETE(map->by_age, connection);
		DL_APPEND(map->by_age, connection);
	}
	edge = count(map, record, first, packets, bytes);
	if (edge == connection->edge)
		return;
	leave_edge(connection);
	if (edge)
		join_edge(connection, edge);
}

/* That nobody answers is told once, as soon as a data plane says so. */
static bool is_unanswered(struct connection *connection, const struct flow_event *event)
{
	if (connection->told_unanswered || event->packets[1] ||
		event->time_ns < event->start_ns + ANSWER_NS)
		return false;
	connection->told_unanswered = true;
	return true;
}

/* Whoever looks at the map makes the data plane report all counters; not each of these reports is
 * a record that must be kept. */
static bool record_is_due(struct connection *connection, const struct flow_event *event, bool first)
{
	bool changed = memcmp(connection->packets, event->packets, sizeof(event->packets)) != 0;
	bool due = first || event->type != FLOW_UPDATE || is_unanswered(connection, event) ||
		   (changed && event->time_ns >= connection->recorded_ns + UPDATE_NS);

	if (due)
		connection->recorded_ns = event->time_ns;
	return due;
}

static bool add_connection(struct map *map, const struct record *record)
{
	const struct flow_event *event = &record->event;
	struct connection *connection = find_connection(map, event->id);
	bool first = !connection, due;

	if (first && event->type == FLOW_END) {
		add_whole(map, record);
		return true;
	}
	if (first)
		connection = track(map, event);
	if (!connection) {
		map->untracked++;
		return event->type != FLOW_UPDATE;
	}
	due = record_is_due(connection, event, first);
	add_to_connection(map, connection, record, first);
	if (event->type == FLOW_END)
		forget(map, connection);
	return due;
}

static unsigned int hash_of(const struct flow_event *event)
{
	return hash_bytes(&event->id, sizeof(event->id));
}

void map_fetch_place(const struct map *map, const struct flow_event *event)
{
	if (map->connections)
		hash_fetch_bucket(map->connections->hh.tbl, hash_of(event));
}

void map_fetch_connection(const struct map *map, const struct flow_event *event)
{
	if (map->connections)
		hash_fetch_first(map->connections->hh.tbl, hash_of(event));
}

bool map_add(struct map *map, const struct record *record)
{
	switch (record->event.type) {
	case FLOW_NEW:
	case FLOW_UPDATE:
	case FLOW_END:
		return add_connection(map, record);
	case FLOW_DENIED:
		count(map, record, 0, record->event.packets, record->event.bytes);
		return true;
	case FLOW_GAP:
		break;
	}
	return true;
}

void map_for_each(const struct map *map,
	void (*visit)(const struct tally *edge, size_t active, void *userdata), void *userdata)
{
	for (const struct tally *edge = map->edges.by_age; edge; edge = edge->next) {
		const struct active *active = edge->owned;

		visit(edge, active ? active->count : 0, userdata);
	}
}

json_t *map_describe(const struct map *map)
{
	return json_pack("{s:I, s:I, s:I, s:I, s:I, s:I}", "edges",
		(json_int_t)HASH_COUNT(map->edges.tallies), "evicted",
		(json_int_t)map->edges.evicted_count, "turned_away",
		(json_int_t)map->edges.turned_away, "connections",
		(json_int_t)HASH_COUNT(map->connections), "connections_untracked",
		(json_int_t)map->untracked, "connections_forgotten", (json_int_t)map->forgotten);
}
