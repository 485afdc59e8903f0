/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "dataplane/nft/attached.h"
#include "dataplane/nft/connections.h"
#include "dataplane/nft/refusals.h"
#include "dataplane/nft/table.h"

#include <jansson.h>

/* For status and doctor, as dataplane.h has it, and "limits": what this data plane cannot see. New
 * reference; NULL: out of memory. */
json_t *describe_dataplane(const struct table *table, const struct connections *connections,
	const struct refusals *refusals, const struct attached_list *attached);
