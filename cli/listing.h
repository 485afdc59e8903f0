/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What flows and denied have in common: filters, formats, following, logs read without an agent. */
#pragma once

#include "filter.h"
#include "settings.h"
#include "table.h"

#include <jansson.h>

struct listing {
	const char *path;           /* of the API */
	const char *member;         /* of the answer: the list */
	const char *verdict;        /* that all of them have; NULL: any */
	const char *doc;            /* for --help */
	const struct argp *filters; /* of filter.h */
	const struct table_column *columns;
	const struct table_column *wide; /* with -o wide; NULL: the same */
	void (*add_row)(struct table *table, const struct settings *settings, const json_t *item);
	/* Makes of records what the agent would list; NULL: they are it. New reference. */
	json_t *(*gather)(const json_t *records);
	/* Joins items that read alike in the table; NULL: none do. New reference. */
	json_t *(*fold)(const json_t *items);
	/* Adds what only -o wide shows; NULL: nothing. */
	void (*explain)(const struct settings *settings, json_t *items);
	/* With --suggest: says what would allow the items, instead of listing them; NULL: there is
	 * no such option. Returns an exit code. */
	int (*suggest)(const struct settings *settings, const json_t *items);
	const char *none; /* "no …": what an empty list has none of */
};

/* Prints {"flows": […], "gaps": n} or the like, which no agent gave. */
void listing_print(
	const struct listing *listing, const struct filter *filter, const json_t *answer);

int listing_run(const struct listing *listing, struct settings *settings, int argc, char **argv);
