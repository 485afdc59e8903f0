/* SPDX-License-Identifier: GPL-2.0-or-later */
/* segctl map: who talks to whom. */
#include "map.h"

#include "clock.h"
#include "command.h"
#include "empty.h"
#include "filter.h"
#include "graph.h"
#include "output.h"
#include "record.h"
#include "text.h"

#include <string.h>

enum {
	KEY_LIVE = 0x700,
	KEY_SORT,
	KEY_GROUP,
};

struct arguments {
	struct settings *settings;
	struct filter filter;
	enum map_order order;
	const char *group; /* label; NULL: each workload for itself */
	bool live;
};

static const struct argp_option options[] = {
	{"live", KEY_LIVE, NULL, 0, "A screen that redraws each second", 0},
	{"group-by", KEY_GROUP, "LABEL", 0, "Workloads with the same value are one", 0},
	{"sort", KEY_SORT, "ORDER", 0, "name (default), packets or time; denied always first", 0},
	{0},
};

static const char *const order_names[MAP_ORDERS] = {
	[MAP_BY_NAME] = "name", [MAP_BY_PACKETS] = "packets", [MAP_BY_TIME] = "time"};

const char *map_order_name(enum map_order order)
{
	return order_names[order];
}

static enum map_order parse_order(const struct settings *settings, const char *name)
{
	for (unsigned int i = 0; i < MAP_ORDERS; i++)
		if (strcmp(order_names[i], name) == 0)
			return (enum map_order)i;
	usage_error(settings, "--sort is name, packets or time, not '%s'", name);
}

static error_t parse(int key, char *argument, struct argp_state *state)
{
	struct arguments *arguments = state->input;

	switch (key) {
	case ARGP_KEY_INIT:
		state->child_inputs[0] = &arguments->filter;
		return 0;
	case KEY_LIVE:
		arguments->live = true;
		return 0;
	case KEY_GROUP:
		arguments->group = argument;
		return 0;
	case KEY_SORT:
		arguments->order = parse_order(arguments->settings, argument);
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static const struct argp_child children[] = {{&filter_argp, 0, NULL, 0}, {0}};
static const struct argp argp = {
	.options = options,
	.parser = parse,
	.children = children,
	.doc = "Shows who talks to whom, allowed and refused: as a table, as a graph for Graphviz or "
	       "Markdown, as a page for a browser, or as a live screen.",
};

static int compare_names(const json_t *a, const json_t *b)
{
	static const char *const keys[] = {"from", "to", "protocol"};

	for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
		int order = strcmp(field_text(a, keys[i]), field_text(b, keys[i]));

		if (order)
			return order;
	}
	return (field_number(a, "port") > field_number(b, "port")) -
	       (field_number(a, "port") < field_number(b, "port"));
}

struct edge {
	json_t *json;
};

static int compare_edges(const void *left, const void *right, void *userdata)
{
	const json_t *a = ((const struct edge *)left)->json;
	const json_t *b = ((const struct edge *)right)->json;
	const enum map_order *order = userdata;
	int urgency = (int)record_color(field_text(b, "verdict")) -
		      (int)record_color(field_text(a, "verdict"));
	int by_key = 0;

	if (*order == MAP_BY_PACKETS)
		by_key = (field_sum(b, "packets") > field_sum(a, "packets")) -
			 (field_sum(b, "packets") < field_sum(a, "packets"));
	else if (*order == MAP_BY_TIME)
		by_key = strcmp(field_text(b, "end"), field_text(a, "end"));
	return urgency ? urgency : by_key ? by_key : compare_names(a, b);
}

void map_sort(json_t *map, enum map_order order)
{
	json_t *edges = json_object_get(map, "edges");
	size_t count = json_array_size(edges);
	_cleanup_free_ struct edge *sorted = must(calloc(count + 1, sizeof(*sorted)));

	for (size_t i = 0; i < count; i++)
		sorted[i].json = json_incref(json_array_get(edges, i));
	qsort_r(sorted, count, sizeof(*sorted), compare_edges, &order);
	for (size_t i = 0; i < count; i++)
		json_array_set_new(edges, i, sorted[i].json);
}

static const struct table_column columns[] = {
	{"FROM", TABLE_SHRINK},
	{"TO", TABLE_SHRINK},
	{"PORT", 0},
	{"VERDICT", 0},
	{"CONNS", TABLE_RIGHT},
	{"PACKETS", TABLE_RIGHT},
	{"BYTES", TABLE_RIGHT},
	{"LAST", 0},
	{"BECAUSE", TABLE_NOTE},
	{0},
};

/* "shop/web", "shop/api (quarantined)" */
static char *name_of(const json_t *map, const char *id)
{
	const json_t *node;
	size_t i;

	json_array_foreach (json_object_get(map, "nodes"), i, node) {
		if (json_is_true(json_object_get(node, "quarantined")) &&
			strcmp(field_text(node, "id"), id) == 0)
			return text_format("%s (quarantined)", id);
	}
	return text_format("%s", id);
}

/* On a terminal a source is named once for all of its edges in a row; lines for other programs
 * stand for themselves. */
static void add_row(struct table *table, const struct settings *settings, const json_t *map,
	const json_t *edge, const json_t *before)
{
	const char *verdict = field_text(edge, "verdict"), *from = field_text(edge, "from");
	bool repeats = settings->width && before && strcmp(from, field_text(before, "from")) == 0;
	bool denied = record_color(verdict) == TABLE_BAD;

	table_row(table);
	table_cell(table, TABLE_PLAIN, repeats ? text_format(" ") : name_of(map, from));
	table_cell(table, TABLE_PLAIN, name_of(map, field_text(edge, "to")));
	table_cell(table, TABLE_PLAIN, record_port(edge));
	table_cell_text(table, record_color(verdict), verdict);
	table_count(table, field_number(edge, "connections"));
	table_count(table, field_sum(edge, "packets"));
	table_bytes(table, field_sum(edge, "bytes"));
	table_cell(table, TABLE_PLAIN, clock_format_cell(settings, field_text(edge, "end")));
	table_cell(table, TABLE_PLAIN, denied || !settings->width ? record_why(edge) : NULL);
}

static void print_table(const struct settings *settings, const json_t *map)
{
	const json_t *edges = json_object_get(map, "edges");
	_cleanup_table_ struct table *table = table_new(settings, columns);

	for (size_t i = 0; i < json_array_size(edges); i++)
		add_row(table, settings, map, json_array_get(edges, i),
			i ? json_array_get(edges, i - 1) : NULL);
	table_print(table);
}

static int print(const struct arguments *arguments)
{
	const struct settings *settings = arguments->settings;
	_cleanup_client_ struct client *client = client_new(settings->socket_path);
	_cleanup_error_ struct error error = ERROR_INIT;
	_cleanup_json_ json_t *map = NULL;

	if (client_get(client, arguments->filter.url, &map, &error) < 0)
		return report(settings, &error);
	if (arguments->group) {
		json_t *grouped = map_group(map, arguments->group);

		json_decref(map);
		map = grouped;
	}
	map_sort(map, arguments->order);
	switch (settings->output) {
	case OUTPUT_JSON:
		output_json(map);
		break;
	case OUTPUT_DOT:
		graph_print_dot(map);
		break;
	case OUTPUT_MERMAID:
		graph_print_mermaid(map);
		break;
	case OUTPUT_HTML:
		graph_print_html(map);
		break;
	default:
		if (json_array_size(json_object_get(map, "edges")) == 0)
			empty_print(client, &arguments->filter, "connections");
		else
			print_table(settings, map);
	}
	return EXIT_YES;
}

int map_run(struct settings *settings, int argc, char **argv)
{
	struct arguments arguments = {.settings = settings};
	int code;

	filter_init(&arguments.filter, settings, "/v1/map");
	settings_parse(settings, &argp,
		OUTPUT_TABLE | OUTPUT_WIDE | OUTPUT_JSON | OUTPUT_DOT | OUTPUT_MERMAID |
			OUTPUT_HTML,
		argc, argv, &arguments);
	code = arguments.live ? map_live_run(settings, arguments.filter.url) : print(&arguments);
	filter_clear(&arguments.filter);
	return code;
}
