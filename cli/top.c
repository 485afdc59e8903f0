/* SPDX-License-Identifier: GPL-2.0-or-later */
/* segctl top: who causes how much traffic right now, and how much of it is refused. */
#include "command.h"
#include "live.h"

#include <string.h>

enum {
	KEY_EDGES = 0x700,
	KEY_SORT,
	KEY_GROUP,
};

struct arguments {
	struct settings *settings;
	struct filter filter;
	const char *order;
	const char *group;
	bool edges;
};

static const struct argp_option options[] = {
	{"edges", KEY_EDGES, NULL, 0, "Begin with edges instead of workloads", 0},
	{"group-by", KEY_GROUP, "LABEL", 0, "Workloads with the same value are one", 0},
	{"sort", KEY_SORT, "ORDER", 0,
		"packets (default), bytes, connections, name; of workloads also denials", 0},
	{0},
};

static error_t parse(int key, char *argument, struct argp_state *state)
{
	struct arguments *arguments = state->input;

	switch (key) {
	case ARGP_KEY_INIT:
		state->child_inputs[0] = &arguments->filter;
		return 0;
	case KEY_EDGES:
		arguments->edges = true;
		return 0;
	case KEY_GROUP:
		arguments->group = argument;
		return 0;
	case KEY_SORT:
		arguments->order = argument;
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
	.doc = "Shows on a screen that is drawn anew each second which workloads or edges have the most "
	       "packets, bytes, connections and denials a second. Enter leads from a workload to its "
	       "edges, to their flows, and to the rule that decided; the bottom line says the keys.",
};

static size_t find_order(const struct arguments *arguments, const struct live_view *view)
{
	const struct live_column *columns = view->columns;

	for (size_t i = 0; columns[i].heading; i++)
		if (columns[i].order && strcmp(columns[i].order, arguments->order) == 0)
			return i;
	usage_error(arguments->settings,
		"--sort is packets, bytes, connections, name or, of workloads, denials, not '%s'",
		arguments->order);
}

int top_run(struct settings *settings, int argc, char **argv)
{
	struct arguments arguments = {.settings = settings, .order = "packets"};
	const struct live_view *view;
	int code;

	filter_init(&arguments.filter, settings, "/v1/map");
	settings_parse(settings, &argp, 0, argc, argv, &arguments);
	view = arguments.edges ? &live_top_edges : &live_workloads;
	code = live_run(
		settings, &arguments.filter, arguments.group, view, find_order(&arguments, view));
	filter_clear(&arguments.filter);
	return code;
}
