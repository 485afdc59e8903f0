// SPDX-License-Identifier: GPL-2.0-or-later
/* The map with all workloads that share a label's value as one node. */
#include "map.h"

#include "record.h"
#include "text.h"

#include <string.h>

/* "app=web"; what has no such label stays what it is. */
static char *group_of(const json_t *node, const char *label)
{
	const char *value =
		json_string_value(json_object_get(json_object_get(node, "labels"), label));

	return value ? text_format("%s=%s", label, value)
		     : text_format("%s", field_text(node, "id"));
}

static json_t *group_node(const json_t *node, const char *label, const char *id)
{
	const json_t *value = json_object_get(json_object_get(node, "labels"), label);
	json_t *group;

	if (!value)
		return json_incref((json_t *)node);
	group = must(json_object());
	json_object_set_new(group, "id", json_string(id));
	json_object_set_new(group, "workload", json_string(id));
	json_object_set_new(group, "labels", json_object());
	return group;
}

/* Groups by the id of each node. */
static json_t *make_groups(json_t *map, const char *label, json_t *ret_nodes)
{
	json_t *groups = must(json_object()), *seen = must(json_object());
	const json_t *node;
	size_t i;

	json_array_foreach (json_object_get(map, "nodes"), i, node) {
		_cleanup_free_ char *id = group_of(node, label);

		json_object_set_new(groups, field_text(node, "id"), json_string(id));
		if (json_object_get(seen, id))
			continue;
		json_object_set_new(seen, id, json_true());
		json_array_append_new(ret_nodes, group_node(node, label, id));
	}
	json_decref(seen);
	return groups;
}

static void add_pair(json_t *to, const json_t *from, const char *key)
{
	json_t *sum = must(json_array());

	for (size_t i = 0; i < 2; i++) {
		json_int_t left = json_integer_value(json_array_get(json_object_get(to, key), i));
		json_int_t right =
			json_integer_value(json_array_get(json_object_get(from, key), i));

		json_array_append_new(sum, json_integer(left + right));
	}
	json_object_set_new(to, key, sum);
}

static void add_number(json_t *to, const json_t *from, const char *key)
{
	json_object_set_new(to, key,
		json_integer(json_integer_value(json_object_get(to, key)) +
			     json_integer_value(json_object_get(from, key))));
}

/* The later of the two also says by which rule. Times in UTC sort as text. */
static void join(json_t *edge, const json_t *other)
{
	add_pair(edge, other, "packets");
	add_pair(edge, other, "bytes");
	add_number(edge, other, "connections");
	add_number(edge, other, "active");
	if (strcmp(field_text(other, "start"), field_text(edge, "start")) < 0)
		json_object_set(edge, "start", json_object_get(other, "start"));
	if (strcmp(field_text(other, "end"), field_text(edge, "end")) <= 0)
		return;
	json_object_set(edge, "end", json_object_get(other, "end"));
	json_object_set(edge, "rule", json_object_get(other, "rule"));
	json_object_set(edge, "reason", json_object_get(other, "reason"));
}

static json_t *group_edge(const json_t *edge, const json_t *groups)
{
	json_t *made = must(json_copy((json_t *)edge));

	json_object_set(made, "from", json_object_get(groups, field_text(edge, "from")));
	json_object_set(made, "to", json_object_get(groups, field_text(edge, "to")));
	return made;
}

json_t *map_group(json_t *map, const char *label)
{
	json_t *nodes = must(json_array()), *edges = must(json_array());
	json_t *groups = make_groups(map, label, nodes), *by_key = must(json_object());
	const json_t *edge;
	size_t i;

	json_array_foreach (json_object_get(map, "edges"), i, edge) {
		json_t *made = group_edge(edge, groups), *first;
		_cleanup_free_ char *key =
			text_format("%s\n%s\n%s\n%.0f\n%s", field_text(made, "from"),
				field_text(made, "to"), field_text(made, "protocol"),
				field_number(made, "port"), field_text(made, "verdict"));

		first = json_object_get(by_key, key);
		if (first) {
			join(first, made);
			json_decref(made);
			continue;
		}
		json_object_set(by_key, key, made);
		json_array_append_new(edges, made);
	}
	json_decref(groups);
	json_decref(by_key);
	return must(json_pack("{s:o, s:o}", "nodes", nodes, "edges", edges));
}
