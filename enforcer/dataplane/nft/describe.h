/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "dataplane/nft/attached.h"
#include "dataplane/nft/connections.h"
#include "dataplane/nft/refusals.h"
#include "dataplane/nft/table.h"

#include <jansson.h>
#include <stdint.h>

/* From the counters of a table of our layout: {"policy_denied": {"packets": n, "bytes": n}, …}. New
 * reference. */
json_t *describe_counters(const char *table);

/* For status and doctor, as dataplane.h has it, and "limits": what this data plane cannot see. New
 * reference; NULL: out of memory. */
json_t *describe_dataplane(const struct table *table, const struct connections *connections,
	const struct refusals *refusals, const struct attached_list *attached);
