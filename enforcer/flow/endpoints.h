/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The connection map summed up by workload. */
#pragma once

#include "flow/map.h"
#include "flow/pipeline.h"

/* As flow_for_each_endpoint() in pipeline.h. */
int endpoints_of_map(const struct map *map,
	void (*visit)(const struct flow_endpoint *endpoint, void *userdata), void *userdata);
