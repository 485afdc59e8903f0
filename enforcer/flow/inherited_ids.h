/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Ids that records of earlier agents have of connections that go on, where the data plane gives
 * them others: conntrack has no room for ours. What both know a connection by is its lasting id.
 */
#pragma once

#include "base/large_hash.h"
#include "flow/event.h"

#include <stdint.h>

struct inherited_id {
	uint64_t lasting_id;
	uint64_t id;
	UT_hash_handle hh;
};

struct inherited_ids {
	struct inherited_id *items;
};

/* The first one counts. Out of memory, it is not added. */
void inherited_ids_add(struct inherited_ids *ids, uint64_t lasting_id, uint64_t id);
/* The event's own where none is inherited. */
uint64_t inherited_ids_find(const struct inherited_ids *ids, const struct flow_event *event);
/* The connection is over. */
void inherited_ids_forget(struct inherited_ids *ids, const struct flow_event *event);
void inherited_ids_clear(struct inherited_ids *ids);
