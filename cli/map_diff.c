/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "map_diff.h"

#include "client.h"
#include "record.h"
#include "text.h"

#include <string.h>

/* Which connection an edge is about. */
static char *key_of(const json_t *edge)
{
	_cleanup_free_ char *port = record_port(edge);

	return text_format("%s\n%s\n%s", field_text(edge, "from"), field_text(edge, "to"), port);
}

/* Edges by connection: {"web\ndb\ntcp/5432": [edge…]}. */
static json_t *by_connection(const json_t *map)
{
	json_t *connections = must(json_object());
	json_t *edge;
	size_t i;

	json_array_foreach (json_object_get(map, "edges"), i, edge) {
		_cleanup_free_ char *key = key_of(edge);
		json_t *list = json_object_get(connections, key);

		if (!list) {
			list = must(json_array());
			json_object_set_new(connections, key, list);
		}
		json_array_append(list, edge);
	}
	return connections;
}

/* By which rule; what it is called may differ in text alone. */
static bool same_rule(const json_t *a, const json_t *b)
{
	static const char *const members[] = {"kind", "namespace", "name", "index"};
	const json_t *rule_a = json_object_get(a, "rule"), *rule_b = json_object_get(b, "rule");

	for (size_t i = 0; i < ARRAY_SIZE(members); i++) {
		const json_t *left = json_object_get(rule_a, members[i]);
		const json_t *right = json_object_get(rule_b, members[i]);

		if ((left || right) && !json_equal(left, right))
			return false;
	}
	return true;
}

static bool same_verdict(const json_t *a, const json_t *b)
{
	return strcmp(field_text(a, "verdict"), field_text(b, "verdict")) == 0;
}

/* The place of an edge with this verdict, of the same rule if there is one; -1: none. */
static ssize_t find_verdict(const json_t *list, const json_t *wanted)
{
	const json_t *edge;
	ssize_t found = -1;
	size_t i;

	json_array_foreach (list, i, edge) {
		if (!same_verdict(edge, wanted))
			continue;
		if (same_rule(edge, wanted))
			return (ssize_t)i;
		found = found < 0 ? (ssize_t)i : found;
	}
	return found;
}

struct diff {
	json_t *edges;
	json_t *counts;
};

/* Takes edge. */
static void put(struct diff *diff, json_t *edge, const char *change)
{
	json_object_set_new(edge, "change", json_string(change));
	json_array_append_new(diff->edges, edge);
	json_object_set_new(
		diff->counts, change, json_integer(field_integer(diff->counts, change) + 1));
}

static void put_changed(struct diff *diff, const json_t *edge, const json_t *before)
{
	static const char *const members[] = {"verdict", "reason", "rule", "direction"};
	json_t *changed = must(json_copy((json_t *)edge)), *former = must(json_object());

	for (size_t i = 0; i < ARRAY_SIZE(members); i++)
		if (json_object_get(before, members[i]))
			json_object_set(former, members[i], json_object_get(before, members[i]));
	json_object_set_new(changed, "before", former);
	put(diff, changed, "changed");
}

/* Edges of one connection. Those with a verdict of before are matched by it; of the rest, one that
 * came and one that went are one that changed. */
static void compare(struct diff *diff, const json_t *before, const json_t *after)
{
	_cleanup_json_ json_t *left =
		before ? must(json_copy((json_t *)before)) : must(json_array());
	_cleanup_json_ json_t *came = must(json_array());
	json_t *edge;
	size_t i;

	json_array_foreach (after, i, edge) {
		ssize_t place = find_verdict(left, edge);
		const json_t *former;

		if (place < 0) {
			json_array_append(came, edge);
			continue;
		}
		former = json_array_get(left, (size_t)place);
		if (same_rule(former, edge))
			put(diff, must(json_copy(edge)), "same");
		else
			put_changed(diff, edge, former);
		json_array_remove(left, (size_t)place);
	}
	json_array_foreach (came, i, edge) {
		if (json_array_size(left)) {
			put_changed(diff, edge, json_array_get(left, 0));
			json_array_remove(left, 0);
		} else {
			put(diff, must(json_copy(edge)), "added");
		}
	}
	json_array_foreach (left, i, edge) {
		put(diff, must(json_copy(edge)), "gone");
	}
}

static const json_t *find_node(const json_t *map, const char *id)
{
	const json_t *node;
	size_t i;

	json_array_foreach (json_object_get(map, "nodes"), i, node) {
		if (strcmp(field_text(node, "id"), id) == 0)
			return node;
	}
	return NULL;
}

static void add_node(json_t *nodes, const json_t *node, const char *change)
{
	json_t *copy = must(json_copy((json_t *)node));

	json_object_set_new(copy, "change", json_string(change));
	json_array_append_new(nodes, copy);
}

static json_t *compare_nodes(const json_t *before, const json_t *after)
{
	json_t *nodes = must(json_array());
	const json_t *node;
	size_t i;

	json_array_foreach (json_object_get(after, "nodes"), i, node) {
		add_node(nodes, node, find_node(before, field_text(node, "id")) ? "same" : "added");
	}
	json_array_foreach (json_object_get(before, "nodes"), i, node) {
		if (!find_node(after, field_text(node, "id")))
			add_node(nodes, node, "gone");
	}
	return nodes;
}

json_t *map_diff(const json_t *before, const json_t *after)
{
	_cleanup_json_ json_t *former = by_connection(before), *present = by_connection(after);
	struct diff diff = {.edges = must(json_array()),
		.counts = must(json_pack(
			"{s:i, s:i, s:i, s:i}", "added", 0, "gone", 0, "changed", 0, "same", 0))};
	const char *key;
	json_t *list;

	json_object_foreach (present, key, list) {
		compare(&diff, json_object_get(former, key), list);
	}
	json_object_foreach (former, key, list) {
		if (!json_object_get(present, key))
			compare(&diff, list, NULL);
	}
	return must(json_pack("{s:o, s:o, s:o}", "nodes", compare_nodes(before, after), "edges",
		diff.edges, "diff", diff.counts));
}
