/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Refusals since the agent started, one entry for each kind of refusal. */
#pragma once

#include "flow/filter.h"
#include "flow/record.h"

#include <jansson.h>

struct denied;

int denied_new(size_t refusals_max, struct denied **ret);
void denied_free(struct denied *denied);
/* Adds a record of an event FLOW_DENIED. */
void denied_add(struct denied *denied, const struct record *record);
/* As flow_denied() in pipeline.h. */
json_t *denied_to_json(const struct denied *denied, const struct flow_filter *filter);
/* {"refusals", "evicted", "evicted_packets", "turned_away"} */
json_t *denied_describe(const struct denied *denied);

static inline void denied_freep(struct denied **denied)
{
	denied_free(*denied);
}
