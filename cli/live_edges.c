/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Edges on the live screen: of all workloads, or of the one that led here. */
#include "live.h"

#include "clock.h"
#include "output.h"
#include "record.h"
#include "text.h"

#include <string.h>

static const struct live_column columns[] = {
	{"FROM", "from", "name", LIVE_NAME, 0, 0},
	{"TO", "to", NULL, LIVE_NAME, 0, 0},
	{"PORT", "what", NULL, LIVE_TEXT, 12, 0},
	{"VERDICT", "verdict", NULL, LIVE_TEXT, 7, 0},
	{"CONNS", "connections", "connections", LIVE_COUNT, 7, 0},
	{"PACKETS", "packets_sum", "packets", LIVE_COUNT, 7, 0},
	{"PKT/S", "packets_rate", "packets a second", LIVE_RATE, 7, 0},
	{"BYTES", "bytes_sum", "bytes", LIVE_BYTES, 9, 104},
	{"LAST", "end", "time", LIVE_TIME, 9, 104},
	{0},
};

static const struct live_column rate_columns[] = {
	{"FROM", "from", "name", LIVE_NAME, 0, 0},
	{"TO", "to", NULL, LIVE_NAME, 0, 0},
	{"PORT", "what", NULL, LIVE_TEXT, 12, 0},
	{"VERDICT", "verdict", NULL, LIVE_TEXT, 7, 0},
	{"PKT/S", "packets_rate", "packets", LIVE_RATE, 7, 0},
	{"BYTES/S", "bytes_rate", "bytes", LIVE_BYTES, 9, 0},
	{"CONN/S", "connections_rate", "connections", LIVE_RATE, 7, 0},
	{"PACKETS", "packets_sum", "all packets", LIVE_COUNT, 8, 104},
	{"LAST", "end", "time", LIVE_TIME, 9, 104},
	{0},
};

static bool is_of(const json_t *edge, const json_t *workload)
{
	const char *id = field_text(workload, "id");

	return !workload || strcmp(field_text(edge, "from"), id) == 0 ||
	       strcmp(field_text(edge, "to"), id) == 0;
}

static json_t *rows(struct live *live)
{
	const json_t *workload = live_here(live)->row;
	json_t *edges = must(json_array()), *edge;
	size_t i;

	json_array_foreach (json_object_get(live->map, "edges"), i, edge) {
		if (is_of(edge, workload))
			json_array_append(edges, edge);
	}
	return edges;
}

/* Why the selected edge was allowed or refused, in full. */
static void tell(const struct live *live, const json_t *edge, char **ret_first, char **ret_second)
{
	_cleanup_free_ char *why = record_why(edge);
	_cleanup_free_ char *last = clock_format_moment(live->settings, field_text(edge, "end"));

	*ret_first = text_format("%s %s %s, last at %s", field_text(edge, "from"), output_arrow(),
		field_text(edge, "to"), last);
	*ret_second = text_format("%s: %s", field_text(edge, "verdict"), why);
}

#define KEYS       "q quit  s sort  / filter  Enter flows  Tab workloads  p pause  arrows move"
#define KEYS_BELOW "q quit  Esc back  s sort  / filter  Enter flows  p pause  arrows move"

const struct live_view live_edges = {
	.noun = "edges",
	.columns = columns,
	.empty = "no connections seen yet",
	.keys = KEYS,
	.keys_below = KEYS_BELOW,
	.denied_first = true,
	.rows = rows,
	.tell = tell,
	.below = &live_flows,
	.beside = &live_workloads,
};

const struct live_view live_top_edges = {
	.noun = "edges",
	.columns = rate_columns,
	.empty = "no connections seen yet",
	.keys = KEYS,
	.keys_below = KEYS_BELOW,
	.rows = rows,
	.tell = tell,
	.below = &live_flows,
	.beside = &live_workloads,
};
