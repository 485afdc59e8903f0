/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the live map shows, and how it is drawn (ncurses). */
#pragma once

#include "map.h"

#include <stdbool.h>

#define MAP_SCREEN_FILTER_MAX 63

struct map_screen {
	const struct settings *settings;
	json_t *map;    /* sorted; NULL: no answer yet */
	json_t *status; /* NULL: no answer yet */
	json_t *rates;  /* packets a second by map_screen_key() */
	enum map_order order;
	char filter[MAP_SCREEN_FILTER_MAX + 1]; /* in any column */
	bool typing;                            /* the filter is being typed */
	size_t selected;                        /* among the edges that match */
	size_t first;                           /* the topmost that is shown */
	char *trouble;                          /* why what is shown is old; NULL: it is not */
};

/* Takes over the terminal. False: it is none that could be drawn on. */
bool map_screen_open(const struct settings *settings);
void map_screen_close(void);

void map_screen_draw(struct map_screen *screen);
/* Rows of edges that the terminal has room for. */
size_t map_screen_rows(void);

/* How many edges match the filter. */
size_t map_screen_count(const struct map_screen *screen);
/* The same text for the same edge, as long as it is there. New string. */
char *map_screen_key(const json_t *edge);
