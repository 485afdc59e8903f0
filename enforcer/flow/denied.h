/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Refusals since the agent started, one entry for each kind of refusal. */
#pragma once

#include "flow/filter.h"
#include "flow/record.h"
#include "flow/store.h"

#include <jansson.h>

struct denied;

int denied_new(size_t refusals_max, struct denied **ret);
void denied_free(struct denied *denied);
/* Adds a record of an event FLOW_DENIED. */
void denied_add(struct denied *denied, const struct record *record);
/* As flow_denied() in pipeline.h. */
json_t *denied_to_json(const struct denied *denied, const struct flow_filter *filter);
/* Those of the time between the filter's since and until; workloads' addresses are not known any
 * more. Failures as flow_store_for_each(). */
int denied_of_store(struct flow_store *store, const struct flow_filter *filter, json_t **ret,
	struct error *error);
/* {"refusals", "evicted", "evicted_packets", "turned_away"} */
json_t *denied_describe(const struct denied *denied);

static inline void denied_freep(struct denied **denied)
{
	denied_free(*denied);
}
