/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The live screen behind map --live and top: lists that are asked for anew each second, and the way
 * down from a workload to its edges, from an edge to its flows, from a flow to the rule that
 * decided.
 *
 * A view makes rows: JSON objects whose members its columns show. Sorting, filtering, selecting and
 * drawing are the same for all of them.
 */
#pragma once

#include "client.h"
#include "filter.h"
#include "table.h"

#include <stdbool.h>
#include <stddef.h>

#define LIVE_FILTER_MAX 63

enum live_cell {
	LIVE_NAME,  /* shares what width is left; sorted by letters, all others largest first */
	LIVE_TEXT,  /* sorted by letters */
	LIVE_COUNT, /* "12.3k" */
	LIVE_BYTES,
	LIVE_RATE, /* of a second; a digit behind the point below ten */
	LIVE_TIME, /* of a day, or the day */
};

struct live_column {
	const char *heading;
	const char *member; /* of the row */
	const char *order;  /* what s calls it: "by packets"; NULL: not sorted by it */
	enum live_cell cell;
	int width;   /* NAME: 0 */
	int columns; /* only on terminals of so many */
};

struct live;

struct live_view {
	const char *noun;                  /* "3 edges": many of them */
	const struct live_column *columns; /* ended by one without a heading */
	const char *empty;                 /* what is said without rows */
	const char *keys;                  /* the help line, at most 80 columns */
	const char *keys_below;            /* where something led here; NULL: the same */
	bool denied_first;                 /* whatever the order */
	/* New reference. NULL: this view draws itself. */
	json_t *(*rows)(struct live *live);
	/* The two lines below the list. New strings; *ret_second may be left alone. */
	void (*tell)(
		const struct live *live, const json_t *row, char **ret_first, char **ret_second);
	/* Where Enter leads from a row; NULL: nowhere. */
	const struct live_view *below;
	void (*draw)(struct live *live); /* where there are no rows */
	/* Tab leads there; NULL: nowhere. */
	const struct live_view *beside;
};

/* Where somebody is in a view, kept while they look at what is below. */
struct live_place {
	const struct live_view *view;
	json_t *row;                      /* of the view above, that led here; NULL at the top */
	size_t order;                     /* index of the column that it is sorted by */
	size_t selected;                  /* among the rows that match */
	size_t first;                     /* the topmost that is shown */
	char filter[LIVE_FILTER_MAX + 1]; /* in any column */
};

#define LIVE_DEPTH 4

struct live {
	const struct settings *settings;
	struct client *client;
	const struct filter *asked; /* the filters of the command line */
	const char *group;          /* label; NULL: each workload for itself */
	struct live_place places[LIVE_DEPTH];
	struct live_place beside; /* where Tab leads back to; no view: it was not pressed yet */
	size_t depth;             /* of the place that is shown */
	json_t *rows;             /* of it, sorted, and only those that match */
	bool typing;              /* the filter is being typed */
	bool paused;
	bool ended;
	/* What the agent said. */
	json_t *status; /* NULL: no answer yet */
	json_t *map;    /* edges have the members that live_data.h names */
	json_t *flows;  /* of the edge that is looked at; NULL: none, or no answer yet */
	json_t *policies;
	json_t *totals;  /* by edge, at the last answer */
	double asked_at; /* seconds, monotonic */
	char *trouble;   /* why what is shown is old; NULL: it is not */
};

extern const struct live_view live_edges;     /* with totals, as the map shows them */
extern const struct live_view live_top_edges; /* with rates */
extern const struct live_view live_workloads;
extern const struct live_view live_flows;
extern const struct live_view live_rule;

/* Runs until q. order: index of the column that is sorted by at first. Returns an exit code. */
int live_run(const struct settings *settings, const struct filter *filter, const char *group,
	const struct live_view *view, size_t order);

/* Of the place that is shown. */
struct live_place *live_here(struct live *live);
/* Makes the rows anew, of what the agent said last, and keeps the selected one selected. */
void live_list_refresh(struct live *live);
void live_list_draw(struct live *live);
/* Lines of rows that the terminal has room for. */
size_t live_list_lines(void);
