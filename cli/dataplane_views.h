/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Tables of the agent's data plane (GET /v1/dataplane/{table}) as tables for people. */
#pragma once

#include "table.h"

#include <jansson.h>

struct dataplane_view {
	const char *name; /* of the table */
	const char *summary;
	const struct table_column *columns;
	void (*add_row)(struct table *table, const struct settings *settings, const json_t *entry);
	const char *sort; /* number by which rows stand together; NULL: as they come */
};

/* Ends with one without a name. */
extern const struct dataplane_view dataplane_views[];
/* NULL: no such table. */
const struct dataplane_view *dataplane_view_find(const char *name);
