/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Workloads on the live screen: what all edges of each come to. */
#include "live.h"

#include "output.h"
#include "record.h"
#include "text.h"

#include <string.h>

static const struct live_column columns[] = {
	{"WORKLOAD", "id", "name", LIVE_NAME, 0, 0},
	{"EDGES", "edges", NULL, LIVE_COUNT, 5, 0},
	{"PKT/S", "packets_rate", "packets", LIVE_RATE, 7, 0},
	{"BYTES/S", "bytes_rate", "bytes", LIVE_BYTES, 9, 0},
	{"CONN/S", "connections_rate", "connections", LIVE_RATE, 7, 0},
	{"DENY/S", "denied_rate", "denials", LIVE_RATE, 7, 0},
	{"PACKETS", "packets_sum", "all packets", LIVE_COUNT, 8, 0},
	{"DENIED", "denied_sum", "all denials", LIVE_COUNT, 8, 0},
	{0},
};

static void add(json_t *row, const char *member, double number)
{
	json_object_set_new(row, member, json_real(field_number(row, member) + number));
}

static void count_edge(json_t *row, const json_t *edge)
{
	static const char *const members[] = {
		"packets_rate", "bytes_rate", "connections_rate", "packets_sum"};

	add(row, "edges", 1);
	for (size_t i = 0; i < ARRAY_SIZE(members); i++)
		add(row, members[i], field_number(edge, members[i]));
	if (record_color(field_text(edge, "verdict")) != TABLE_BAD)
		return;
	add(row, "denied_rate", field_number(edge, "packets_rate"));
	add(row, "denied_sum", field_number(edge, "packets_sum"));
}

static json_t *rows(struct live *live)
{
	_cleanup_json_ json_t *by_id = must(json_object());
	json_t *list = must(json_array()), *row;
	const json_t *node, *edge;
	size_t i;

	json_array_foreach (json_object_get(live->map, "nodes"), i, node) {
		row = must(json_copy((json_t *)node));
		json_object_set(by_id, field_text(node, "id"), row);
		json_array_append_new(list, row);
	}
	json_array_foreach (json_object_get(live->map, "edges"), i, edge) {
		const char *from = field_text(edge, "from"), *to = field_text(edge, "to");

		if ((row = json_object_get(by_id, from)))
			count_edge(row, edge);
		if (strcmp(from, to) != 0 && (row = json_object_get(by_id, to)))
			count_edge(row, edge);
	}
	return list;
}

static void tell(const struct live *live, const json_t *row, char **ret_first, char **ret_second)
{
	_cleanup_free_ char *labels = record_labels(json_object_get(row, "labels"));
	_cleanup_free_ char *denied =
		output_plural(field_number(row, "denied_sum"), "packet", "packets");

	(void)live;
	*ret_first = text_format("%s%s%s", field_text(row, "id"), *labels ? "  " : "", labels);
	if (json_is_true(json_object_get(row, "quarantined")))
		*ret_second = text_format("in quarantine, %s denied", denied);
	else
		*ret_second = text_format("%s denied", denied);
}

const struct live_view live_workloads = {
	.noun = "workloads",
	.columns = columns,
	.empty = "no connections seen yet",
	.keys = "q quit  s sort  / filter  Enter edges  Tab edges of all  p pause  arrows move",
	.rows = rows,
	.tell = tell,
	.below = &live_top_edges,
	.beside = &live_top_edges,
};
