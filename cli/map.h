/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The connection map as the API gives it: nodes, and edges in the order that a person wants. */
#pragma once

#include "client.h"
#include "settings.h"

enum map_order {
	MAP_BY_NAME,
	MAP_BY_PACKETS,
	MAP_BY_TIME,
	MAP_ORDERS
};

/* Edges that were denied come first in every order. */
void map_sort(json_t *map, enum map_order order);

/* Workloads with the same value of label are one node, "app=web", and their edges one. New
 * reference. */
json_t *map_group(json_t *map, const char *label);

void map_print_table(const struct settings *settings, const json_t *map);
/* What map_fetch() gives for a difference. */
void map_print_diff(const struct settings *settings, const json_t *map);
