/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The connection map as people see it: addresses of one workload, and those of the world, are one
 * node. */
#pragma once

#include "flow/filter.h"
#include "flow/map.h"
#include "flow/store.h"

#include <jansson.h>

/* As flow_map() in pipeline.h. New reference; NULL: out of memory. */
json_t *graph_of_map(const struct map *map, const struct flow_filter *filter);
/* The traffic between the filter's since and until. Failures as flow_store_for_each(). */
int graph_of_store(struct flow_store *store, const struct flow_filter *filter, json_t **ret,
	struct error *error);
