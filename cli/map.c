/* SPDX-License-Identifier: GPL-2.0-or-later */
/* segctl map: who talks to whom. */
#include "map.h"

#include "command.h"
#include "empty.h"
#include "filter.h"
#include "graph.h"
#include "live.h"
#include "map_fetch.h"
#include "output.h"
#include "record.h"
#include "text.h"

#include <string.h>

enum {
	KEY_LIVE = 0x700,
	KEY_SORT,
	KEY_GROUP,
	KEY_DIFF,
};

struct arguments {
	struct settings *settings;
	struct filter filter;
	enum map_order order;
	const char *group; /* label; NULL: each workload for itself */
	const char *with;  /* interval that is compared with; NULL: just before */
	bool diff;
	bool live;
};

static const struct argp_option options[] = {
	{"live", KEY_LIVE, NULL, 0, "A screen that redraws each second", 0},
	{"group-by", KEY_GROUP, "LABEL", 0, "Workloads with the same value are one", 0},
	{"diff", KEY_DIFF, "SINCE[..UNTIL]", OPTION_ARG_OPTIONAL,
		"What is new, gone or changed against that time (without: the same length before)",
		0},
	{"sort", KEY_SORT, "ORDER", 0, "name (default), packets or time; denied always first", 0},
	{0},
};

static const char *const order_names[MAP_ORDERS] = {
	[MAP_BY_NAME] = "name", [MAP_BY_PACKETS] = "packets", [MAP_BY_TIME] = "time"};

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
	case KEY_DIFF:
		arguments->diff = true;
		arguments->with = argument;
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
	       "Markdown, as a page for a browser, or as a live screen. With --diff, what is new in a "
	       "time against another: without times, since yesterday against the day before.",
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

/* Of a difference, what is new comes first and what is as before last. */
static int change_rank(const json_t *edge)
{
	static const char *const changes[] = {"added", "changed", "gone", "same"};
	int rank = 0;

	while (rank < (int)ARRAY_SIZE(changes) &&
		strcmp(changes[rank], field_text(edge, "change")) != 0)
		rank++;
	return rank;
}

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
	if (change_rank(a) != change_rank(b))
		return change_rank(a) - change_rank(b);
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

static void print_tables(
	const struct arguments *arguments, struct client *client, const json_t *map)
{
	if (arguments->diff)
		map_print_diff(arguments->settings, map);
	else if (json_array_size(json_object_get(map, "edges")) == 0)
		empty_print(client, &arguments->filter, "connections");
	else
		map_print_table(arguments->settings, map);
}

static int print(const struct arguments *arguments)
{
	const struct settings *settings = arguments->settings;
	const struct map_request request = {.filter = &arguments->filter,
		.group = arguments->group,
		.diff = arguments->diff,
		.with = arguments->with};
	_cleanup_client_ struct client *client = client_new(settings->socket_path);
	_cleanup_error_ struct error error = ERROR_INIT;
	_cleanup_json_ json_t *map = NULL;

	if (map_fetch(client, &request, &map, &error) < 0)
		return report(settings, &error);
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
		print_tables(arguments, client, map);
	}
	return EXIT_YES;
}

/* --sort means the same as in the table: its names are those of the columns. */
static int live(const struct arguments *arguments)
{
	const struct live_column *columns = live_edges.columns;
	size_t order = 0;

	for (size_t i = 0; columns[i].heading; i++)
		if (columns[i].order &&
			strcmp(columns[i].order, order_names[arguments->order]) == 0)
			order = i;
	return live_run(
		arguments->settings, &arguments->filter, arguments->group, &live_edges, order);
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
	if (arguments.live && arguments.diff)
		usage_error(settings, "--live is of now, --diff of the past");
	code = arguments.live ? live(&arguments) : print(&arguments);
	filter_clear(&arguments.filter);
	return code;
}
