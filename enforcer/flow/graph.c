/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "flow/graph.h"

#include "base/cleanup.h"
#include "flow/protocol.h"
#include "flow/timestamp.h"
#include "flow/vocabulary.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct node {
	char id[NAME_ID_MAX];
	const struct name *name; /* the latest: labels change */
	UT_hash_handle hh;
};

struct edge_key {
	const struct node *from;
	const struct node *to;
	uint16_t ethertype;
	uint16_t port;
	uint8_t protocol;
	uint8_t verdict;
	uint8_t pad[2];
};

struct edge {
	struct edge_key key;
	struct record latest;           /* borrows its names */
	const struct name *application; /* the latest that was found out */
	uint64_t packets[2];
	uint64_t bytes[2];
	uint64_t start_ns;
	uint64_t connections;
	size_t active;
	UT_hash_handle hh;
};

struct graph {
	const struct flow_filter *filter;
	struct node *nodes;
	struct edge *edges;
	bool failed; /* out of memory */
};

static void graph_clear(struct graph *graph)
{
	struct node *node, *next_node;
	struct edge *edge, *next_edge;

	HASH_ITER (hh, graph->nodes, node, next_node) {
		HASH_DELETE(hh, graph->nodes, node);
		free(node);
	}
	HASH_ITER (hh, graph->edges, edge, next_edge) {
		HASH_DELETE(hh, graph->edges, edge);
		free(edge);
	}
}

/* The world is one node, but for what somebody knows by name: "world:api.example.org". Names of
 * workloads have no colon. */
static void node_id(const struct name *name, char id[static NAME_ID_MAX])
{
	const char *known = NULL;
	size_t length;

	name_id(name, id);
	if (name && !name->is_workload)
		known = json_string_value(json_array_get(json_object_get(name->json, "names"), 0));
	if (!known)
		return;
	length = strlen(id);
	snprintf(id + length, NAME_ID_MAX - length, ":%s", known);
}

static struct node *add_node(struct graph *graph, const struct name *name)
{
	char id[NAME_ID_MAX];
	struct node *node;

	node_id(name, id);
	HASH_FIND_STR(graph->nodes, id, node);
	if (!node) {
		node = calloc(1, sizeof(*node));
		if (!node)
			return NULL;
		memcpy(node->id, id, sizeof(id));
		HASH_ADD_STR(graph->nodes, id, node);
		if (!HASH_ADDED(node)) {
			free(node);
			return NULL;
		}
	}
	node->name = name;
	return node;
}

static struct edge *find_edge(struct graph *graph, const struct edge_key *key)
{
	struct edge *edge;

	HASH_FIND(hh, graph->edges, key, sizeof(*key), edge);
	if (edge)
		return edge;
	edge = calloc(1, sizeof(*edge));
	if (!edge)
		return NULL;
	edge->key = *key;
	edge->start_ns = UINT64_MAX;
	HASH_ADD(hh, graph->edges, key, sizeof(edge->key), edge);
	if (HASH_ADDED(edge))
		return edge;
	free(edge);
	return NULL;
}

static void merge(struct edge *edge, const struct tally *tally, const struct record *record)
{
	for (size_t side = 0; side < 2; side++) {
		edge->packets[side] += tally->packets[side];
		edge->bytes[side] += tally->bytes[side];
	}
	edge->connections += tally->connections;
	if (tally->start_ns < edge->start_ns)
		edge->start_ns = tally->start_ns;
	if (record->observed.application &&
		(!edge->application || record->event.end_ns >= edge->latest.event.end_ns))
		edge->application = record->observed.application;
	if (record->event.end_ns >= edge->latest.event.end_ns)
		edge->latest = *record;
}

static void visit_edge(const struct tally *tally, size_t active, void *userdata)
{
	struct graph *graph = userdata;
	struct record record = tally_record(tally);
	struct edge_key key = {
		.ethertype = tally->key.ethertype,
		.port = tally->key.port,
		.protocol = tally->key.protocol,
		.verdict = tally->key.verdict,
	};
	struct edge *edge;

	if (graph->failed || !filter_matches(graph->filter, &record, tally->start_ns))
		return;
	key.from = add_node(graph, record.source);
	key.to = add_node(graph, record.destination);
	edge = key.from && key.to ? find_edge(graph, &key) : NULL;
	if (!edge) {
		graph->failed = true;
		return;
	}
	merge(edge, tally, &record);
	edge->active += active;
}

static json_t *node_to_json(const struct node *node)
{
	json_t *json = json_pack("{s:s}", "id", node->id);

	if (!json)
		return NULL;
	if (node->name)
		json_object_update_missing(json, node->name->json);
	return json;
}

static json_t *edge_to_json(const struct edge *edge)
{
	const struct flow_event *event = &edge->latest.event;
	char protocol[PROTOCOL_TEXT_MAX], start[TIMESTAMP_LENGTH + 1], end[TIMESTAMP_LENGTH + 1];

	json_t *json = json_pack(
		"{s:s, s:s, s:s, s:i, s:s, s:s, s:O?, s:I, s:I, s:[II], s:[II], s:s, s:s}", "from",
		edge->key.from->id, "to", edge->key.to->id, "protocol",
		protocol_format(event->ethertype, event->protocol, protocol), "port",
		(int)edge->key.port, "verdict", flow_verdict_name(event->verdict), "reason",
		reason_name(event->reason), "rule",
		edge->latest.rule ? edge->latest.rule->json : NULL, "connections",
		(json_int_t)edge->connections, "active", (json_int_t)edge->active, "packets",
		(json_int_t)edge->packets[0], (json_int_t)edge->packets[1], "bytes",
		(json_int_t)edge->bytes[0], (json_int_t)edge->bytes[1], "start",
		timestamp_format(edge->start_ns, start), "end",
		timestamp_format(event->end_ns, end));
	if (json && edge->application)
		json_object_update_missing(json, edge->application->json);
	return json;
}

static int most_packets_first(const struct edge *a, const struct edge *b)
{
	uint64_t first = a->packets[0] + a->packets[1], second = b->packets[0] + b->packets[1];

	return first < second ? 1 : first > second ? -1 : 0;
}

static json_t *edges_to_json(struct graph *graph)
{
	size_t limit = filter_limit(graph->filter);
	struct edge *edge, *next;
	json_t *edges = json_array();

	HASH_SORT(graph->edges, most_packets_first);
	HASH_ITER (hh, graph->edges, edge, next) {
		if (json_array_size(edges) == limit)
			break;
		if (json_array_append_new(edges, edge_to_json(edge)) < 0) {
			json_decref(edges);
			return NULL;
		}
	}
	return edges;
}

static json_t *nodes_to_json(struct graph *graph)
{
	struct node *node, *next;
	json_t *nodes = json_array();

	HASH_ITER (hh, graph->nodes, node, next) {
		if (json_array_append_new(nodes, node_to_json(node)) < 0) {
			json_decref(nodes);
			return NULL;
		}
	}
	return nodes;
}

static json_t *graph_to_json(struct graph *graph)
{
	if (graph->failed)
		return NULL;
	return json_pack(
		"{s:o, s:o}", "nodes", nodes_to_json(graph), "edges", edges_to_json(graph));
}

json_t *graph_of_map(const struct map *map, const struct flow_filter *filter)
{
	_cleanup_(graph_clear) struct graph graph = {.filter = filter};

	map_for_each(map, visit_edge, &graph);
	return graph_to_json(&graph);
}

static void visit_past_edge(const struct tally *edge, void *userdata)
{
	visit_edge(edge, 0, userdata);
}

int graph_of_store(struct flow_store *store, const struct flow_filter *filter, json_t **ret,
	struct error *error)
{
	_cleanup_(graph_clear) struct graph graph = {.filter = filter};
	json_t *json;
	int r = flow_store_for_each(store, filter, visit_past_edge, &graph, error);

	if (r < 0)
		return r;
	json = graph_to_json(&graph);
	if (!json)
		return error_nomem(error);
	*ret = json;
	return 0;
}
