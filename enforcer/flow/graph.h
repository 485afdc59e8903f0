/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The connection map as people see it: addresses of one workload, and those of the world, are one
 * node. */
#pragma once

#include "flow/filter.h"
#include "flow/map.h"

#include <jansson.h>

/* As flow_map() in pipeline.h. New reference; NULL: out of memory. */
json_t *graph_to_json(const struct map *map, const struct flow_filter *filter);
